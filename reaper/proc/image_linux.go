package proc

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxEnviron bounds how much of an environment is read: the kernel's own limit
// for arguments and environment together, with room to spare.
const maxEnviron = 8 << 20

// maxCommandLine is as much of a command line as anybody wants to read.
const maxCommandLine = 4 << 10

// Environ is the environment a process was started with, or has made of it. It
// needs the right to trace the process, which the owner normally has.
func Environ(pid int) ([]string, error) {
	b, err := readUpTo(procPath(pid, "environ"), maxEnviron)
	if err != nil {
		return nil, fmt.Errorf("read environment of %d: %w", pid, err)
	}
	return splitNUL(b), nil
}

// CommandLine is the process's argument list joined by spaces, or its name in
// brackets when it has none. It may hold any byte and proves nothing.
func CommandLine(pid int) (string, error) {
	b, err := readUpTo(procPath(pid, "cmdline"), maxCommandLine)
	if err != nil {
		return "", fmt.Errorf("read command line of %d: %w", pid, err)
	}
	if b = bytes.TrimRight(b, "\x00"); len(b) > 0 {
		return string(bytes.ReplaceAll(b, []byte{0}, []byte{' '})), nil
	}
	p, err := Read(pid)
	return bracketed(p), err
}

// readUpTo reads at most limit bytes of a file.
func readUpTo(path string, limit int64) ([]byte, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close() //nolint:errcheck // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, limit))
	return b, err
}

// PIDNamespace is the inode of the caller's pid namespace, or 0 when it cannot
// be told. Pids of different namespaces are not comparable.
func PIDNamespace() uint64 {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return 0
	}
	return st.Ino
}

// BecomeSubreaper makes the calling process the new parent of every descendant
// whose own parent ends, until it ends itself.
func BecomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	return nil
}
