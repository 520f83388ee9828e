package proc

import (
	"errors"
	"os"
)

// ErrGone says that no living process has that pid and start time.
var ErrGone = errors.New("process gone")

// maxDescendants bounds a walk. No sane run has that many processes, and a
// table that grows while it is walked must not hold the walker for ever.
const maxDescendants = 1 << 16

// Process is one line of the process table. The zero value is no process.
type Process struct {
	PID  int
	PPID int
	PGID int
	SID  int
	// Start is the kernel's start time: clock ticks since boot on Linux,
	// microseconds since 1970 on macOS. With PID it is unique within a boot.
	Start uint64
	// State is the kernel's letter: R, S, D, T (stopped), t (traced), Z (zombie),
	// X (dead), I (idle).
	State byte
	// TTY is the device number of the controlling terminal; 0 for none.
	TTY int
	// Name is the short name the process chose or was given; it may hold any
	// byte and proves nothing.
	Name string

	// threads is how many threads it had; 0 when it was not asked for.
	threads int
}

// Dead says whether the process has ended, whether or not somebody has taken in
// its exit. One that shows as a zombie but has other threads has only lost its
// first thread: it lives, or is still about to die.
func (p Process) Dead() bool {
	return p.State == 'X' || p.State == 'x' || p.State == 'Z' && p.threads <= 1
}

// Stopped says whether a signal or a tracer has stopped the process.
func (p Process) Stopped() bool { return p.State == 'T' || p.State == 't' }

// Self is the calling process.
func Self() (Process, error) { return Read(os.Getpid()) }

// Alive says whether the process with that pid and start time lives. A start
// of 0 is not known and never matches.
func Alive(pid int, start uint64) bool {
	p, err := Read(pid)
	return err == nil && start != 0 && p.Start == start && !p.Dead()
}

// Descendants lists every process below root, parents before their children,
// root itself excluded and zombies included. It returns nil without an error
// when there are none, which for the calling process itself costs one system
// call where the system allows.
func Descendants(root int) ([]Process, error) {
	if root == os.Getpid() && Childless() {
		return nil, nil
	}
	return descend(root)
}

// Ancestors lists the pids above pid, nearest first, up to and including the
// first one that cannot be read.
func Ancestors(pid int) []int {
	var up []int
	for seen := map[int]bool{}; pid > 0 && !seen[pid]; {
		seen[pid] = true
		p, err := Read(pid)
		if err != nil || p.PPID <= 0 {
			break
		}
		pid = p.PPID
		up = append(up, pid)
	}
	return up
}

// below picks out of a table everybody below root, parents first.
func below(all []Process, root int) []Process {
	children := make(map[int][]Process, len(all))
	for _, p := range all {
		children[p.PPID] = append(children[p.PPID], p)
	}
	var found []Process
	seen := map[int]bool{root: true}
	for queue := []int{root}; len(queue) > 0 && len(found) < maxDescendants; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			if !seen[p.PID] {
				seen[p.PID] = true
				found = append(found, p)
				queue = append(queue, p.PID)
			}
		}
	}
	return found
}
