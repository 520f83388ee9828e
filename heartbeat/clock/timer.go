package clock

import (
	"math"
	"time"
)

// Timer is an [Alarm] made of a timer of package time, which a test can make virtual.
type Timer struct {
	c     chan struct{}
	timer *time.Timer
}

// NewTimer makes one that is not set. The caller must Close it.
func NewTimer() *Timer {
	c := make(chan struct{}, 1)
	return &Timer{c: c, timer: time.AfterFunc(math.MaxInt64, func() { ring(c) })}
}

// ring leaves word, unless there is one already.
func ring(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// silence takes word back, if there is any.
func silence(c <-chan struct{}) {
	select {
	case <-c:
	default:
	}
}

// C is as of an [Alarm].
func (t *Timer) C() <-chan struct{} { return t.c }

// Set is as of an [Alarm].
func (t *Timer) Set(d time.Duration) {
	silence(t.c)
	t.timer.Reset(d)
}

// Close ends it. It may go off once more.
func (t *Timer) Close() error {
	t.timer.Stop()
	return nil
}
