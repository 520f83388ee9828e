package ocrdb

import (
	"errors"

	"golang.org/x/sys/unix"
)

// setLock and getLock are F_OFD_SETLK and F_OFD_GETLK, about locks that belong to
// the open file and not to the process: SQLite closing the same file elsewhere
// in it must not lose them.
const (
	setLock = 90
	getLock = 92
)

// exchange swaps two names in one step, or in two on a file system that cannot do
// that; see renameKeeping.
func exchange(next, path string) error {
	err := unix.RenamexNp(next, path, unix.RENAME_SWAP)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return renameKeeping(next, path)
	}
	return err
}
