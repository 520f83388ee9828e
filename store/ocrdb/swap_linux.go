package ocrdb

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// setLock and getLock are about locks that belong to the open file and not to
// the process: SQLite closing the same file elsewhere in it must not lose them.
const (
	setLock = unix.F_OFD_SETLK
	getLock = unix.F_OFD_GETLK
)

// exchange swaps two names in one step. A file system that cannot do that gets
// a plain rename, and the replaced file is gone.
func exchange(next, path string) error {
	err := unix.Renameat2(unix.AT_FDCWD, next, unix.AT_FDCWD, path, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return renameKeeping(next, path)
	}
	return err
}

// statOwner tells the owner and group.
func statOwner(sys any) (uid, gid int, ok bool) {
	st, ok := sys.(*syscall.Stat_t)
	if !ok {
		return os.Getuid(), os.Getgid(), false
	}
	return int(st.Uid), int(st.Gid), true
}
