package main

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic reads the clock all durations are taken from, in nanoseconds.
func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0 // the clock exists on every system this runs on
	}
	return ts.Nano()
}

// wallMS reads the wall clock, to judge instants that another process wrote.
func wallMS() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &ts); err != nil {
		return 0 // as above
	}
	return ts.Nano() / int64(time.Millisecond)
}

// millisSince converts an earlier reading to elapsed milliseconds.
func millisSince(start int64) float64 { return float64(monotonic()-start) / 1e6 }

// wait returns after d, or earlier with the context's cause.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cpuOfSelf is the processor time this process has used, in milliseconds.
func cpuOfSelf() float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0 // it cannot fail with these arguments
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}
