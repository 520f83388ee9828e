package ocrdb

import (
	"errors"

	"golang.org/x/sys/unix"
)

// setLock and getLock are about locks that belong to the open file and not to
// the process: SQLite closing the same file elsewhere in it must not lose them.
const (
	setLock = unix.F_OFD_SETLK
	getLock = unix.F_OFD_GETLK
)

// exchange swaps two names in one step, or in two on a file system that cannot do
// that; see renameKeeping.
func exchange(next, path string) error {
	err := unix.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return renameKeeping(next, path)
	}
	return err
}
