package ocrdb

import (
	"os"
	"syscall"
)

// statOwner tells the owner and group.
func statOwner(sys any) (uid, gid int, ok bool) {
	st, ok := sys.(*syscall.Stat_t)
	if !ok {
		return os.Getuid(), os.Getgid(), false
	}
	return int(st.Uid), int(st.Gid), true
}
