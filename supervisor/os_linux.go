package supervisor

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dup2 makes newfd a copy of oldfd.
func dup2(oldfd, newfd int) error { return unix.Dup3(oldfd, newfd, 0) }

// systemSignals lists the signals only this system has.
func systemSignals() []os.Signal { return []os.Signal{unix.SIGPWR, unix.SIGSTKFLT} }

// The real-time signals that programs may use: the C library keeps the first ones
// to itself. Source: signal(7).
const firstRealtime, lastRealtime = 35, 64

// realtimeSignals lists the signals that only few programs use and that are too
// many to be caught before a command starts.
func realtimeSignals() []os.Signal {
	all := make([]os.Signal, 0, lastRealtime-firstRealtime+1)
	for s := syscall.Signal(firstRealtime); s <= lastRealtime; s++ {
		all = append(all, s)
	}
	return all
}

// nameSelf is the name a process list shows where it shows no arguments; the
// kernel keeps 15 bytes of it.
func nameSelf(name string) {
	if p, err := unix.BytePtrFromString(name); err == nil {
		_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(p)), 0, 0, 0) //nolint:gosec // a string for the kernel to read
	}
}
