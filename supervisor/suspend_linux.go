package supervisor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
)

// stopBy stops who is named as for kill(2) by sig, and calls until in the meantime: the
// kernel takes some time to stop us.
func stopBy(sig syscall.Signal, who int, until func()) {
	signals.ByDefault(sig, func() {
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
	signals.ByDefault(sig, func() {
		_ = unix.Kill(target, sig)
		// A signal to one's own process may be taken by another thread, some
		// microseconds later: wait in the kernel for what cannot come back.
		_ = unix.Nanosleep(&unix.Timespec{Nsec: 50_000_000}, nil)
	})
}
