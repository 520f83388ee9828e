package clock

import (
	"context"
	"time"
)

// Reading is one sample of the machine's clocks. The zero value is no sample.
type Reading struct {
	// Wall is the wall clock in UTC. It carries no monotonic part, so that
	// subtracting two of them really compares wall clocks.
	Wall time.Time
	// Awake is how long this boot has lasted, sleep excluded.
	Awake time.Duration
	// Suspended is how long the machine has slept since boot. It only grows, up
	// to the precision of the sample (see [SystemClock.Now]).
	Suspended time.Duration
}

// Clock tells the time. Waiting is left to package time, whose timers a test
// can make virtual.
type Clock interface {
	// Now samples all clocks at one instant.
	Now() Reading
}

// SystemClock is the machine's own clock. Its zero value is ready to use.
type SystemClock struct{}

// System is the machine's own clock.
func System() SystemClock { return SystemClock{} }

// sampleTries bounds how often a sample is taken again because the reader was
// held up between two clocks. One preemption is common, eight in a row mean
// that the machine is overloaded and a rough sample has to do.
const sampleTries = 8

// samplePrecision is how far apart the two readings around a sample may be.
// A sample takes well under a microsecond when nothing interferes.
const samplePrecision = 100 * time.Microsecond

// Now samples all clocks. Suspended is exact to half of the time the sample
// took, normally far below [time.Millisecond].
func (SystemClock) Now() Reading {
	best, width := sample()
	for i := 1; i < sampleTries && width > samplePrecision; i++ {
		if r, w := sample(); w < width {
			best, width = r, w
		}
	}
	return best
}

// sample reads the awake clock on both sides of the other two, so that the
// width of the bracket bounds the error.
func sample() (r Reading, width time.Duration) {
	before := awake()
	elapsed := sinceBoot()
	wall := time.Now().Round(0).UTC()
	after := awake()
	middle := before + (after-before)/2
	return Reading{Wall: wall, Awake: after, Suspended: max(elapsed-middle, 0)}, after - before
}

// Wait returns nil after d of awake time, or the cause of ctx's end if that
// comes first. A d of zero or less does not wait.
func Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
