package signals

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read by handle, on any thread, and written before it is first installed.
//
//nolint:gochecknoglobals,unused // see above
var (
	self, link int32   // this process, and the end of the pipe to write to
	beyond     uintptr // the runtime's own handler
)

// handle is the handler. The kernel calls it, and nobody else.
//
//nolint:unused // see above
func handle()

// handler is where it is.
func handler() uintptr

// action is the kernel's struct sigaction on amd64 and arm64.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// ignore is SIG_IGN.
const ignore = 1

// swapAction installs a disposition, if there is one, and returns the one before it.
func swapAction(sig syscall.Signal, to *action) (old action, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(old.mask), 0, 0) //nolint:gosec // the kernel's own layout
	if errno != 0 {
		return old, errno
	}
	return old, nil
}

// ByDefault runs f while the kernel's default action is in force for sig. The runtime
// keeps its handler for a signal that was once caught, even after signal.Reset, so that
// this can only be had from the kernel.
func ByDefault(sig syscall.Signal, f func()) {
	old, err := swapAction(sig, &action{})
	f()
	if err == nil {
		_, _ = swapAction(sig, &old)
	}
}
