package terminal

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a wait watches for, and what it found.
const (
	wantRead  = unix.POLLIN
	wantWrite = unix.POLLOUT
	// readable includes hang-up and error: a read then tells which.
	readable = unix.POLLIN | unix.POLLHUP | unix.POLLERR
	writable = unix.POLLOUT | unix.POLLHUP | unix.POLLERR
)

// pollWait waits until one of the descriptors is ready, or timeoutMS is over (-1
// waits for ever). It returns how many are ready.
func pollWait(fds []unix.PollFd, timeoutMS int) (int, error) {
	return retryEINTR(func() (int, error) { return unix.Poll(fds, timeoutMS) })
}

// pollBriefly waits as pollWait does, but for a millisecond at most, and without
// telling the scheduler: while bytes stream past, every wait is over in a few
// microseconds, and a scheduler that is told of each goes on looking after the
// waiting thread, from another processor that the two ends of the stream need.
// Whatever interrupts it counts as nothing found.
func pollBriefly(fds []unix.PollFd) int {
	limit := unix.Timespec{Nsec: 1_000_000}
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(fds))), uintptr(len(fds)), //nolint:gosec // the kernel fills in fds
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0) //nolint:gosec // and reads limit
	if errno != 0 {
		return 0
	}
	return int(n)
}
