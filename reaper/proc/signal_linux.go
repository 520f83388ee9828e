package proc

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signal sends sig to the process with that pid and start time, and to no
// other: a handle is opened first, then the start time is compared, then the
// signal goes through the handle, which can never mean another process. It
// returns ErrGone when the process has ended. Signal 0 only checks.
func Signal(pid int, start uint64, sig syscall.Signal) error {
	if pid <= 0 {
		return fmt.Errorf("signal process %d: %w", pid, unix.EINVAL)
	}
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
		defer unix.Close(fd) //nolint:errcheck // nothing was written
	case unix.ENOSYS, unix.EPERM:
		// An old kernel, or a sandbox that knows only old ones.
		fd = -1
	default:
		return fmt.Errorf("signal process %d: %w", pid, gone(err))
	}
	if !Alive(pid, start) {
		return fmt.Errorf("signal process %d: %w", pid, ErrGone)
	}
	if fd < 0 {
		err = unix.Kill(pid, sig)
	} else {
		err = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
	if err != nil {
		return fmt.Errorf("signal process %d: %w", pid, gone(err))
	}
	return nil
}
