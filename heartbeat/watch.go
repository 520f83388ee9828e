package heartbeat

import (
	"time"

	"github.com/ocr-run/ocr-run/store"
)

// runawayAfter is how long an agent must keep a processor busy, with nothing to show
// for it, before that is called running away: longer than any agent was seen to think.
const runawayAfter = 10 * time.Minute

// gapBeats is how many intervals one look may stand for at most. What lies further
// back was watched by nobody, as when job control stopped us, and ages nothing.
const gapBeats = 3

// Glimpse is what one look at a run found. Its zero value found nothing.
type Glimpse struct {
	// At is when, in awake time.
	At time.Duration
	// Busy: its processes used the processor or did I/O since the last look.
	Busy Witness
	// Tools: so did one that the agent started for its work.
	Tools bool
	// Background: a process lives that the agent put into a session of its own, as
	// they do with tools.
	Background bool
	// Burning: the agent itself kept most of a processor busy.
	Burning bool
	// Grew: output or the agent's record grew, a redraw not counted.
	Grew Witness
	// Advanced: a turn or a workflow moved on. Unknown where neither is known.
	Advanced Witness
	// Receives: data comes in over its connections.
	Receives bool
	// Typed: the user typed something.
	Typed bool
	// Turn says whether a turn is open.
	Turn Witness
	// Waiting: the agent waits for a person, as its screen shows.
	Waiting bool
	// Asks: it said itself that it waits for one. Readers know that from the ledger, and
	// sooner.
	Asks bool
	// Halted: it is stopped by a signal.
	Halted bool
	// Limited: a usage limit holds it up, and ends at a known time.
	Limited bool
	// Spinning: the agent says itself that it repeats model calls without end.
	Spinning bool
	// Dead names a connection whose other end no longer answers; empty for none.
	Dead string
	// LimitedUntilMS is the wall time at which the limit ends; 0 for none.
	LimitedUntilMS int64
}

// Alarm is a state of a run that somebody should know of.
type Alarm string

// The alarms. The zero value is none.
const (
	AlarmNone Alarm = ""
	// AlarmIdle: no turn is open, and nothing goes on.
	AlarmIdle Alarm = "idle"
	// AlarmStalled: a turn is open, and nothing moves on.
	AlarmStalled Alarm = "stalled"
	// AlarmRunaway: it goes round in circles.
	AlarmRunaway Alarm = "runaway"
)

// Rules say when a watch raises an alarm.
type Rules struct {
	// Idle and Stall are how long it must go on, in awake time; 0 means never.
	Idle, Stall time.Duration
	// Agent: the command is an agent that is known. Of another one, keeping a
	// processor busy without a word is no reason for anything.
	Agent bool
	// Interval is the time between looks.
	Interval time.Duration
}

// Watch adds up looks at a run. Time that nobody watched, asleep or stopped, ages
// nothing, and neither does time in which the run itself is stopped. It belongs to one goroutine at a time.
type Watch struct {
	rules  Rules
	looked bool
	last   time.Duration // of the last look
	// watched is the time that was watched; the next three are moments in it.
	watched time.Duration
	worked  time.Duration // when it was last not idle
	moved   time.Duration // when it was last not stalled
	cool    time.Duration // when it was last not burning
	alarm   Alarm
	vitals  store.Vitals
}

// NewWatch begins to watch.
func NewWatch(r Rules) *Watch {
	if r.Interval <= 0 {
		r.Interval = DefaultInterval
	}
	return &Watch{rules: r}
}

// Take adds a look and returns the alarm that it raises, none if that stands already.
func (w *Watch) Take(g Glimpse) Alarm {
	if w.looked && !g.Halted {
		w.watched += min(max(g.At-w.last, 0), gapBeats*w.rules.Interval)
	}
	w.looked, w.last = true, g.At
	w.keep(g)
	if g.busyWithWork() {
		w.worked = w.watched
	}
	if g.movesOn() {
		w.moved = w.watched
	}
	if !g.Burning || g.movesOn() {
		w.cool = w.watched
	}
	before := w.alarm
	w.alarm = w.judge(g)
	w.vitals.Alarm = string(w.alarm)
	if w.alarm == before {
		return AlarmNone
	}
	return w.alarm
}

// busyWithWork says whether anything speaks against being idle.
func (g Glimpse) busyWithWork() bool {
	unknown := g.Turn == Unknown && g.Busy == Yes
	return g.Turn == Yes || unknown || g.Background || g.Tools || g.Grew == Yes || g.Advanced == Yes || g.Typed || g.Waiting || g.Asks
}

// movesOn says whether anything speaks against being stalled. What waits for a
// person, or for a limit to end, is not.
func (g Glimpse) movesOn() bool {
	unknown := g.Turn == Unknown && g.Busy == Yes && !g.Burning
	return g.Turn == No || unknown || g.Tools || g.Grew == Yes || g.Advanced == Yes || g.Receives || g.Typed || g.Waiting || g.Asks || g.Limited
}

// judge says which alarm stands.
func (w *Watch) judge(g Glimpse) Alarm {
	r := w.rules
	switch {
	case g.Spinning, r.Agent && w.watched-w.cool >= runawayAfter:
		return AlarmRunaway
	case r.Stall > 0 && g.Turn != No && w.watched-w.moved >= r.Stall:
		return AlarmStalled
	case r.Idle > 0 && g.Turn != Yes && w.watched-w.worked >= r.Idle:
		return AlarmIdle
	default:
		return AlarmNone
	}
}

// keep notes what readers are told.
func (w *Watch) keep(g Glimpse) {
	at := g.At.Milliseconds()
	light(&w.vitals.BusyMS, g.Busy, at)
	light(&w.vitals.GrewMS, g.Grew, at)
	light(&w.vitals.AdvancedMS, g.Advanced, at)
	w.vitals.Turn = map[Witness]string{Unknown: "", Yes: turnYes, No: turnNo}[g.Turn]
	w.vitals.Waiting, w.vitals.LimitedUntilMS, w.vitals.Dead = g.Waiting, 0, g.Dead
	if g.Limited {
		w.vitals.LimitedUntilMS = g.LimitedUntilMS
	}
}

// The words of store.Vitals.Turn.
const (
	turnYes = "yes"
	turnNo  = "no"
)

// light moves a moment on. One nobody watches stays unknown, and one that was
// watched once stays where it was. Readers may hold what was pointed to before.
func light(moment **int64, lit Witness, at int64) {
	switch {
	case lit == Yes:
		*moment = new(at)
	case lit == No && *moment == nil:
		*moment = new(int64(0))
	}
}

// Vitals is what readers are told of the last look; nil before the first.
func (w *Watch) Vitals() *store.Vitals {
	if !w.looked {
		return nil
	}
	v := w.vitals
	return &v
}

// For is how long the alarm's state has lasted, in awake time that was watched.
func (w *Watch) For(a Alarm) time.Duration {
	switch a {
	case AlarmIdle:
		return w.watched - w.worked
	case AlarmStalled:
		return w.watched - w.moved
	case AlarmRunaway:
		return w.watched - w.cool
	case AlarmNone:
	}
	return 0
}
