package proc

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// statSize holds a whole stat line: a name of at most 64 bytes and some fifty
// numbers. What we need comes first, so a longer line does no harm.
const statSize = 1024

// Read reads one process. It returns ErrGone when there is none.
func Read(pid int) (Process, error) {
	var buf [statSize]byte
	b, err := readInto(procPath(pid, "stat"), buf[:])
	if err != nil {
		return Process{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	p, err := parseStat(b)
	if err != nil {
		return Process{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return p, nil
}

// procPath is the path of one file of a process.
func procPath(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}

// readInto fills buf from the start of a file, in one read: the kernel makes
// such a file up as it is read, and one read is one moment.
func readInto(path string, buf []byte) ([]byte, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	for {
		n, err := unix.Read(fd, buf)
		if err == nil {
			return buf[:n], nil
		}
		if err != unix.EINTR {
			return nil, gone(err)
		}
	}
}

// open opens a file of the process table without package os, whose poller
// would double the cost.
func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, gone(err)
		}
	}
}

// gone turns the two ways the kernel says "no such process" into ErrGone.
func gone(err error) error {
	if err == unix.ENOENT || err == unix.ESRCH {
		return ErrGone
	}
	return err
}

// errStat is a stat line that makes no sense.
var errStat = errors.New("malformed stat line")

// Places of the fields we need, counted from the state, which follows the name.
const (
	statState = 0
	statPPID  = 1
	statPGID  = 2
	statSID   = 3
	statTTY   = 4
	statTasks = 17
	statStart = 19
)

// parseStat parses a stat line. The name is whatever the process likes, spaces
// and parentheses included; it ends at the last parenthesis of the line, for
// only numbers follow.
func parseStat(b []byte) (Process, error) {
	left, right := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if left < 1 || right < left {
		return Process{}, errStat
	}
	fields := bytes.Fields(b[right+1:])
	if len(fields) <= statStart || len(fields[statState]) != 1 {
		return Process{}, errStat
	}
	p := Process{State: fields[statState][0], Name: string(b[left+1 : right])}
	start, err := strconv.ParseUint(string(fields[statStart]), 10, 64)
	p.Start = start
	for _, f := range []struct {
		to   *int
		from []byte
	}{
		{&p.PID, bytes.TrimSpace(b[:left])},
		{&p.PPID, fields[statPPID]},
		{&p.PGID, fields[statPGID]},
		{&p.SID, fields[statSID]},
		{&p.TTY, fields[statTTY]},
		{&p.threads, fields[statTasks]},
	} {
		n, e := strconv.Atoi(string(f.from))
		*f.to, err = n, errors.Join(err, e)
	}
	if err != nil || p.PID < 1 {
		return Process{}, errStat
	}
	return p, nil
}
