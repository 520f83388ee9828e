package heartbeat

import (
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// SleepThreshold is the shortest suspension that counts as a sleep. Resume
// time comes from a clock chip that counts whole seconds, so anything shorter
// is within its error, and too short to break a connection.
const SleepThreshold = 2 * time.Second

// StallThreshold is how late a beat must be to be worth a line of history. It
// is the ledger's own patience (see tickTimeout), so that a busy ledger alone
// is never reported as a stalled wrapper.
const StallThreshold = 2 * time.Second

// StepThreshold is how far the wall clock must move on its own to count as set
// by somebody. A sleep can misplace it by the second the clock chip rounds to.
const StepThreshold = 2 * time.Second

// GapKind names the weightiest thing that lay between two readings.
type GapKind string

// The kinds, lightest first.
const (
	// GapNone is an interval like any other.
	GapNone GapKind = ""
	// GapStep is a wall clock that was set.
	GapStep GapKind = "step"
	// GapStall is a process that was awake, or should have been, and did not run.
	GapStall GapKind = "stall"
	// GapSleep is a machine that was suspended.
	GapSleep GapKind = "sleep"
)

// Gap is what lay between two readings. Several things may have happened at
// once: Kind is the weightiest, the durations are each true by themselves.
type Gap struct {
	Kind GapKind
	// Awake is the awake time between the two.
	Awake time.Duration
	// Slept is how long the machine was suspended, however briefly.
	Slept time.Duration
	// Late is the awake time beyond the expected interval.
	Late time.Duration
	// Step is how far the wall clock moved beyond the time that passed;
	// negative when it was set back.
	Step time.Duration
}

// Classify says what happened between prev and next, of which next was due
// expected awake time after prev. Clocks that seem to run backwards count as
// standing still.
func Classify(prev, next clock.Reading, expected time.Duration) Gap {
	g := Gap{
		Awake: max(next.Awake-prev.Awake, 0),
		Slept: max(next.Suspended-prev.Suspended, 0),
	}
	g.Late = max(g.Awake-expected, 0)
	g.Step = next.Wall.Sub(prev.Wall) - g.Awake - g.Slept
	g.Kind = g.kind()
	return g
}

// asleep says whether the machine slept long enough to matter.
func (g Gap) asleep() bool { return g.Slept >= SleepThreshold }

// stalled says whether the process was held up long enough to matter.
func (g Gap) stalled() bool { return g.Late >= StallThreshold }

// kind weighs the durations.
func (g Gap) kind() GapKind {
	switch {
	case g.asleep():
		return GapSleep
	case g.stalled():
		return GapStall
	case g.Step.Abs() >= StepThreshold:
		return GapStep
	default:
		return GapNone
	}
}
