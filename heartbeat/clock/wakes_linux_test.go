package clock_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// A jump of the wall clock is reported, again and again. It is one of a
// nanosecond, back and forth, which the kernel announces like any other and
// harms nobody; it still takes the right to set the clock.
func TestWakesReportsJumps(t *testing.T) {
	w, err := clock.WatchWakes()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range 4 {
		jump := unix.Timex{Modes: unix.ADJ_SETOFFSET | unix.ADJ_NANO, Time: unix.Timeval{Usec: 1}}
		if i%2 == 1 {
			jump.Time = unix.Timeval{Sec: -1, Usec: 1e9 - 1}
		}
		_, err := unix.ClockAdjtime(unix.CLOCK_REALTIME, &jump)
		if errors.Is(err, unix.EPERM) {
			t.Skip("may not set the clock")
		}
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-w.C():
		case <-time.After(10 * time.Second):
			t.Fatal("a jump went unnoticed")
		}
	}
}
