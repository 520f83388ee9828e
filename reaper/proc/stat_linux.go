package proc

import (
	"bytes"
	"errors"
	"fmt"
	"math"
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
	p := Process{Name: string(b[left+1 : right])}
	pid, ok := natural(bytes.TrimSpace(b[:left]))
	p.PID = int(pid)
	i := 0
	for f := range bytes.FieldsSeq(b[right+1:]) {
		if i > statStart || !ok {
			break
		}
		ok = p.take(i, f)
		i++
	}
	if !ok || i <= statStart || p.PID < 1 {
		return Process{}, errStat
	}
	return p, nil
}

// take keeps the field at a place, if it is one we need, and says whether it makes
// sense.
func (p *Process) take(at int, field []byte) bool {
	switch at {
	case statState:
		p.State = field[0]
		return len(field) == 1
	case statStart:
		n, ok := natural(field)
		p.Start = n
		return ok
	}
	var into *int
	switch at {
	case statPPID:
		into = &p.PPID
	case statPGID:
		into = &p.PGID
	case statSID:
		into = &p.SID
	case statTTY:
		into = &p.TTY
	case statTasks:
		into = &p.threads
	default:
		return true
	}
	// The kernel prints these with a sign.
	negative := field[0] == '-'
	n, ok := natural(bytes.TrimPrefix(field, []byte("-")))
	if *into = int(n); negative {
		*into = -*into
	}
	return ok
}

// natural reads a number without a sign.
func natural(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || n > (math.MaxUint64-9)/10 {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	return n, len(b) > 0
}
