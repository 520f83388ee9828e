package terminal

import "golang.org/x/sys/unix"

// What a wait watches for, and what it found.
const (
	wantRead  = unix.POLLIN
	wantWrite = unix.POLLOUT
	readable  = unix.POLLIN
	writable  = unix.POLLOUT
)

// pollWait waits until one of the descriptors is ready, or timeoutMS is over (-1
// waits for ever). It is select(2) underneath: poll(2) on macOS does not work
// on terminal devices.
func pollWait(fds []unix.PollFd, timeoutMS int) (int, error) {
	var r, w unix.FdSet
	most := 0
	for i := range fds {
		fd := int(fds[i].Fd)
		if fd < 0 || fds[i].Events == 0 {
			continue
		}
		if fds[i].Events&wantRead != 0 {
			r.Set(fd)
		}
		if fds[i].Events&wantWrite != 0 {
			w.Set(fd)
		}
		most = max(most, fd+1)
	}
	n, err := retryEINTR(func() (int, error) { return unix.Select(most, &r, &w, nil, timeval(timeoutMS)) })
	for i := range fds {
		fds[i].Revents = revents(&fds[i], &r, &w)
	}
	return n, err
}

// timeval turns milliseconds into what select takes; nil waits for ever.
func timeval(timeoutMS int) *unix.Timeval {
	if timeoutMS < 0 {
		return nil
	}
	tv := unix.NsecToTimeval(int64(timeoutMS) * 1_000_000)
	return &tv
}

// revents says which of the wanted events select found for one descriptor.
func revents(p *unix.PollFd, r, w *unix.FdSet) int16 {
	got := int16(0)
	if p.Fd >= 0 && p.Events&wantRead != 0 && r.IsSet(int(p.Fd)) {
		got |= readable
	}
	if p.Fd >= 0 && p.Events&wantWrite != 0 && w.IsSet(int(p.Fd)) {
		got |= writable
	}
	return got
}

// pollBriefly finds nothing: system calls here go through a library, which the
// scheduler has to be told of.
func pollBriefly([]unix.PollFd) int { return 0 }
