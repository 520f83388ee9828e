package terminal

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// readNow reads from a non-blocking descriptor. Such a call never waits, so the
// scheduler need not be told of it, which costs more than the call itself.
func readNow(fd int, b []byte) (int, error) { return ioNow(unix.SYS_READ, fd, b) }

// writeNow writes to a non-blocking descriptor, as readNow reads.
func writeNow(fd int, b []byte) (int, error) { return ioNow(unix.SYS_WRITE, fd, b) }

// ioNow makes the system call. A count of -1 comes with an error.
func ioNow(call uintptr, fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b))) //nolint:gosec // the kernel fills or reads b
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
