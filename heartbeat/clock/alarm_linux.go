package clock

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Alarm goes off once for each time it is set, after some awake time, like a
// [time.Timer]. The kernel does the waiting: for a timer of its own the runtime wakes a
// second thread, which then looks ten times a millisecond whether the first has come
// around to it, and on a virtual machine that takes many of them.
type Alarm struct {
	c    chan struct{}
	done chan struct{}
	file *os.File
	fd   int // of file, whose own method would make it blocking
}

// NewAlarm makes an alarm that is not set. The caller must Close it.
func NewAlarm() (*Alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create alarm: %w", err)
	}
	a := &Alarm{c: make(chan struct{}, 1), done: make(chan struct{}), file: os.NewFile(uintptr(fd), "alarm"), fd: fd}
	// Reading would not wait for anything where the runtime's poller did not take it.
	if err := a.file.SetReadDeadline(time.Time{}); err != nil {
		_ = a.file.Close()
		return nil, fmt.Errorf("watch alarm: %w", err)
	}
	go a.watch()
	return a, nil
}

// watch passes on that the time has come.
func (a *Alarm) watch() {
	defer close(a.done)
	var times [8]byte
	for {
		if _, err := a.file.Read(times[:]); err != nil {
			return
		}
		ring(a.c)
	}
}

// C delivers a value when the time has come. It is never closed.
func (a *Alarm) C() <-chan struct{} { return a.c }

// Set has the alarm go off after d, at once if that is not positive, and not when it was
// to before. One that goes off in this moment may be delivered all the same. Not to be
// called after Close, nor by two at a time.
func (a *Alarm) Set(d time.Duration) {
	silence(a.c)
	// 0 would call it off.
	_ = unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(max(d, 1).Nanoseconds())}, nil)
}

// Close ends it and returns when its goroutine is gone.
func (a *Alarm) Close() error {
	err := a.file.Close()
	<-a.done
	return err
}
