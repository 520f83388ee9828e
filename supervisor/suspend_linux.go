package supervisor

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// action is the kernel's struct sigaction on amd64 and arm64.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// swapAction installs a disposition and returns the one it replaces. The
// runtime keeps its handler for a signal that was once caught, even after
// signal.Reset, so that a default action can only be had from the kernel.
func swapAction(sig syscall.Signal, to *action) (old action, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old.mask), 0, 0) //nolint:gosec // the kernel's own layout
	if errno != 0 {
		return old, errno
	}
	return old, nil
}

// byDefault runs f while the kernel's default action is in force for sig.
func byDefault(sig syscall.Signal, f func()) {
	old, err := swapAction(sig, &action{})
	f()
	if err == nil {
		_, _ = swapAction(sig, &old)
	}
}

// stopBy stops who is named as for kill(2) by sig, and calls until in the meantime: the
// kernel takes some time to stop us.
func stopBy(sig syscall.Signal, who int, until func()) {
	byDefault(sig, func() {
		_ = unix.Kill(who, sig)
		until()
	})
}

// DieOf ends this process by sig, as the run ended, without a core of our own; and
// together with its process group, if the signal was for all of it. It returns when
// that did not work: as PID 1, or for a signal that kills nobody.
func DieOf(sig syscall.Signal, group bool) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	target := unix.Getpid()
	if group {
		target = 0
	}
	byDefault(sig, func() {
		_ = unix.Kill(target, sig)
		// A signal to one's own process may be taken by another thread, some
		// microseconds later: wait in the kernel for what cannot come back.
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 50_000_000}, nil)
	})
}
