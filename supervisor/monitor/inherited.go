package monitor

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ToNull points descriptors at /dev/null, or leaves them as they are if there is
// none.
func ToNull(fds ...int) {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for _, fd := range fds {
		_ = dup2(null, fd)
	}
	_ = unix.Close(null)
}

// CloseInherited closes the descriptors this process was started with beyond the
// standard ones, once the run has them: whoever is at the other end waits until nobody
// holds them. All of our own are closed on exec.
func CloseInherited() {
	// Where one is made in two steps it is not, for a moment, under this lock.
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	dir, err := os.Open(fdDir)
	if err != nil {
		return
	}
	names, _ := dir.Readdirnames(-1) // what was read before an error counts
	_ = dir.Close()
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || fd <= unix.Stderr {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
}
