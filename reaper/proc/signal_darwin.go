package proc

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signal sends sig to the process with that pid and start time. The system has
// no handle to a process, so the start time is compared immediately before the
// signal: pids are handed out in turn and are not used again within that
// moment. It returns ErrGone when the process has ended. Signal 0 only checks.
func Signal(pid int, start uint64, sig syscall.Signal) error {
	if pid <= 0 {
		return fmt.Errorf("signal process %d: %w", pid, unix.EINVAL)
	}
	if !Alive(pid, start) {
		return fmt.Errorf("signal process %d: %w", pid, ErrGone)
	}
	err := unix.Kill(pid, sig)
	if errors.Is(err, unix.ESRCH) {
		err = ErrGone
	}
	if err != nil {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
}
