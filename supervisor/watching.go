package supervisor

import (
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// Watching says what a run is watched for, once per beat. Its zero value watches
// and changes nothing.
type Watching struct {
	// Idle and Stall are after how much awake time somebody is told that nothing
	// goes on without an open turn, or within one; 0 means never.
	Idle, Stall time.Duration
	// StopIdle, StopStalled and StopRunaway end the run over it.
	StopIdle, StopStalled, StopRunaway bool
	// HealAfterSleep shuts connections down that a sleep of the machine has killed.
	HealAfterSleep bool
	// StayAwake keeps the machine from going to sleep while a turn runs.
	StayAwake bool
	// Patience is for how long after it lost its connection the command may still
	// end because of that, in awake time; 0 means 5 minutes.
	Patience time.Duration
	// Progress looks at what the command itself tells of its work. Nil where nobody
	// understands it. Like Heard it is called on the heart's goroutine.
	Progress func() Progress
	// Heard is told what the ledger answered to each beat. Nil for nobody.
	Heard func(store.BeatAnswer)
	// Warn says one line to the user, who is at a terminal that nobody draws on. Nil
	// for silence.
	Warn func(line string)
}

// turnExpected is the turn of a command that was given work and has not told of it.
const turnExpected = lifecycle.TurnPending

// Progress is what the command tells of its work. Its zero value tells nothing.
type Progress struct {
	// Sees is true when its output or its record can be seen at all; Grown changes
	// when one of them grows, redraws not counted.
	Sees  bool
	Grown uint64
	// Steps changes with everything the agent does or is answered.
	Steps uint64
	// Turn is TurnRunning for an open turn, any settled state for none, and
	// TurnPending where one is only to be expected; empty when nobody knows.
	Turn lifecycle.TurnState
	// Waiting: it waits for a person.
	Waiting bool
	// Runaway: it repeats model calls without end.
	Runaway bool
	// LimitedUntilMS is the wall time at which a usage limit ends that holds it up;
	// 0 for none.
	LimitedUntilMS int64
}
