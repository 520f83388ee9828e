package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// punch takes away the first n bytes of a file and leaves all others where they are,
// so that nothing is lost of what is appended meanwhile. It is false where the file
// system cannot.
func punch(f *os.File, n int64) bool {
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, n) == nil
}

// memoryFile makes a file that has no place on any disk, and a link to it at path,
// through our own directory in /proc. What the run starts gets there, as long as it
// has our user, capabilities and namespaces and this program may be looked into, as
// one that is not readable may not.
func memoryFile(path string) (*os.File, error) {
	fd, err := unix.MemfdCreate("ocr-run", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	if open, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || open != 1 {
		return nil, errors.Join(errors.New("this program may not be looked into"), err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o600), os.Symlink(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mine, err := f.Stat()
	there, err2 := os.Stat(path)
	if err := errors.Join(err, err2); err != nil || !os.SameFile(mine, there) {
		return nil, errors.Join(errors.New("/proc leads elsewhere"), err, os.Remove(path), f.Close())
	}
	return f, nil
}
