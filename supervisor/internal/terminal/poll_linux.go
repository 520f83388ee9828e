package terminal

import "golang.org/x/sys/unix"

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
