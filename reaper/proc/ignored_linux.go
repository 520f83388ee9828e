package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"syscall"
)

// Ignores says whether a process ignores a signal: whoever sends it one tells it nothing.
// It returns ErrGone when there is no such process.
func Ignores(pid int, sig syscall.Signal) (bool, error) {
	b, err := readAll(procPath(pid, "status"))
	if err != nil {
		return false, fmt.Errorf("read process %d: %w", pid, err)
	}
	set, err := ignoredIn(b)
	if err != nil {
		return false, fmt.Errorf("read process %d: %w", pid, err)
	}
	return set&(1<<(sig-1)) != 0, nil
}

// ignoredIn are the signals that a process ignores, as its status file has them: bit n-1
// for signal n.
func ignoredIn(status []byte) (uint64, error) {
	_, line, _ := bytes.Cut(status, []byte("\nSigIgn:"))
	line, _, _ = bytes.Cut(line, []byte("\n"))
	set, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("read ignored signals: %w", err)
	}
	return set, nil
}
