package proc

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Read reads one process. It returns ErrGone when there is none.
func Read(pid int) (Process, error) {
	k, err := kinfo(pid)
	if err != nil {
		return Process{}, err
	}
	return fromKinfo(k), nil
}

// kinfo is the kernel's record of a process.
func kinfo(pid int) (*unix.KinfoProc, error) {
	if pid <= 0 {
		return nil, fmt.Errorf("read process %d: %w", pid, ErrGone)
	}
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	switch {
	// The kernel answers with nothing at all for a pid it does not know.
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ESRCH), err == nil && int(k.Proc.P_pid) != pid:
		return nil, fmt.Errorf("read process %d: %w", pid, ErrGone)
	case err != nil:
		return nil, fmt.Errorf("read process %d: %w", pid, err)
	}
	return k, nil
}

// All lists every process visible to the caller, in no order.
func All() ([]Process, error) {
	ks, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	all := make([]Process, 0, len(ks))
	for i := range ks {
		if ks[i].Proc.P_pid > 0 {
			all = append(all, fromKinfo(&ks[i]))
		}
	}
	return all, nil
}

// fromKinfo keeps of the kernel's record what a Process has. The session is
// not in the record and is asked for; a process that has ended has none.
func fromKinfo(k *unix.KinfoProc) Process {
	pid := int(k.Proc.P_pid)
	sid, err := unix.Getsid(pid)
	if err != nil {
		sid = 0
	}
	start := k.Proc.P_starttime
	p := Process{
		PID:   pid,
		PPID:  int(k.Eproc.Ppid),
		PGID:  int(k.Eproc.Pgid),
		SID:   sid,
		Start: uint64(start.Sec)*1e6 + uint64(start.Usec), //nolint:gosec // after 1970
		State: stateLetter(k.Proc.P_stat),
		Name:  unix.ByteSliceToString(k.Proc.P_comm[:]),
	}
	// -1 is the kernel's word for no terminal.
	if k.Eproc.Tdev != -1 {
		p.TTY = int(k.Eproc.Tdev)
	}
	return p
}

// stateLetter turns the kernel's number into the letter ps shows: 1 is being
// created, 2 running, 3 sleeping, 4 stopped, 5 a zombie.
func stateLetter(stat int8) byte {
	const letters = "?IRSTZ"
	if stat < 0 || int(stat) >= len(letters) {
		return '?'
	}
	return letters[stat]
}

// Children lists the pids of a process's children, zombies included. It
// returns ErrGone when the parent is not there.
func Children(pid int) ([]int, error) {
	if _, err := Read(pid); err != nil {
		return nil, err
	}
	all, err := All()
	var children []int
	for _, p := range all {
		if p.PPID == pid {
			children = append(children, p.PID)
		}
	}
	return children, err
}

// descend walks one picture of the whole table down from root.
func descend(root int) ([]Process, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	return below(all, root), nil
}

// Childless cannot be told in one call here: the only one there is would also
// take in an exit.
func Childless() bool { return false }

// BecomeSubreaper is not possible here: an orphan always goes to launchd.
func BecomeSubreaper() error { return fmt.Errorf("become subreaper: %w", errors.ErrUnsupported) }

// PIDNamespace is always 0: there is only one.
func PIDNamespace() uint64 { return 0 }

// Environ is the environment a process was started with. The system shows it
// only for processes of the same user, and for its own protected programs
// shows an empty one without an error.
func Environ(pid int) ([]string, error) {
	_, env, err := argsOf(pid)
	if err != nil {
		return nil, fmt.Errorf("read environment of %d: %w", pid, err)
	}
	return env, nil
}

// argsOf reads what a process was started with.
func argsOf(pid int) (args, env []string, err error) {
	if pid == os.Getpid() {
		return os.Args, os.Environ(), nil
	}
	b, err := unix.SysctlRaw("kern.procargs2", pid)
	// Another user's process and one that has ended both answer EINVAL.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ESRCH) {
		if _, gone := Read(pid); gone != nil {
			return nil, nil, ErrGone
		}
		return nil, nil, os.ErrPermission
	}
	if err != nil {
		return nil, nil, err
	}
	return parseArgs(b)
}
