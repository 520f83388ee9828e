package activity

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// Take samples these processes. One that is not there, or is a zombie, adds nothing.
func Take(pids []int) Sample {
	s := Sample{each: make(map[key]usage, len(pids))}
	page := int64(os.Getpagesize())
	var buf [1024]byte
	for _, pid := range pids {
		dir := "/proc/" + strconv.Itoa(pid)
		b, err := read(dir+"/stat", buf[:])
		if err != nil {
			continue
		}
		k, u, ok := parseStat(pid, b, page)
		if !ok {
			continue
		}
		b, err = read(dir+"/io", buf[:])
		if err == nil {
			u.read, u.write = parseIO(b)
		}
		u.hidden = errors.Is(err, os.ErrPermission)
		s.add(k, u)
	}
	return s
}

// read reads a small file of the process table in one call, which is one moment,
// without package os, whose poller would double the cost.
func read(path string, buf []byte) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	n, err := unix.Read(fd, buf)
	return buf[:max(n, 0)], err
}

// tick is the unit of processor time in these files, the same on every system Go
// runs on.
const tick = 10 * time.Millisecond

// Places of the fields we need, counted from the state, which follows the name.
// Source: proc_pid_stat(5).
const (
	statState   = 0
	statUser    = 11
	statSystem  = 12
	statBuried  = 13
	statBuried2 = 14
	statThreads = 17
	statStart   = 19
	statPages   = 21
)

// parseStat reads a process's line; false for one that has ended, or for nonsense.
func parseStat(pid int, b []byte, page int64) (key, usage, bool) {
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) <= statPages || len(f[statState]) != 1 {
		return key{}, usage{}, false
	}
	number := func(at int) int64 {
		n, _ := strconv.ParseInt(string(f[at]), 10, 64)
		return max(n, 0)
	}
	// A zombie with threads has only lost its first one.
	if state := f[statState][0]; state == 'X' || state == 'x' || state == 'Z' && number(statThreads) <= 1 {
		return key{}, usage{}, false
	}
	return key{pid, uint64(number(statStart))}, usage{
		cpu:      time.Duration(number(statUser)+number(statSystem)) * tick,
		buried:   time.Duration(number(statBuried)+number(statBuried2)) * tick,
		resident: number(statPages) * page,
	}, true
}

// parseIO reads how much went through a process's read and write calls.
func parseIO(b []byte) (read, written int64) {
	for line := range bytes.Lines(b) {
		name, value, _ := bytes.Cut(line, []byte(": "))
		n, _ := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
		switch string(name) {
		case "rchar":
			read = n
		case "wchar":
			written = n
		}
	}
	return read, written
}
