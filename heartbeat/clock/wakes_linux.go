package clock

import (
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// WatchWakes starts a watch, which the caller must Close. It uses a timer that
// never fires and is cancelled by the kernel whenever the wall clock jumps,
// which waking up does too: nothing polls, and nothing runs until it happens.
func WatchWakes() (*Wakes, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create wake timer: %w", err)
	}
	if err := arm(fd); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("arm wake timer: %w", err)
	}
	w := &Wakes{
		c:    make(chan struct{}, 1),
		done: make(chan struct{}),
		// The descriptor is non-blocking, so reads wait in Go's poller and
		// Close ends them.
		file: os.NewFile(uintptr(fd), "wake timer"),
	}
	go w.watch(w.file)
	return w, nil
}

// arm sets the timer so far ahead that only a cancellation can end it.
func arm(fd int) error {
	never := &unix.ItimerSpec{Value: unix.Timespec{Sec: math.MaxInt32}}
	return unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, never, nil)
}

// watch turns cancellations into values. A cancelled timer stays armed and
// reports the next jump without further ado. Any other error means that no
// notice can come any more: Close does that, and so would a timer that fires.
func (w *Wakes) watch(f *os.File) {
	defer close(w.done)
	var buf [8]byte
	for {
		if _, err := f.Read(buf[:]); !errors.Is(err, unix.ECANCELED) {
			return
		}
		ring(w.c)
	}
}
