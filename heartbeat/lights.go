package heartbeat

import (
	"time"

	"github.com/ocr-run/ocr-run/store"
)

// Light is one sign of life of a run, as its wrapper last saw it.
type Light struct {
	// Lit: No when it was looked for and is not there, Unknown when nobody looks.
	Lit Witness
	// Quiet is how long it has been out, in awake time, to the precision of a
	// beat; negative when it never was lit, or nobody knows.
	Quiet time.Duration
}

// Activity sums the lights up in a word.
type Activity string

// The activities. The zero value is a run that has ended.
const (
	// ActivityUnknown: nobody looks, or nobody has looked for too long.
	ActivityUnknown Activity = "unknown"
	// ActivityWorking: something goes on.
	ActivityWorking Activity = "working"
	// ActivityQuiet: a turn may be open, and nothing is to be seen of it.
	ActivityQuiet Activity = "quiet"
	// ActivityIdle: no turn is open, and nothing goes on.
	ActivityIdle Activity = "idle"
	// ActivityWaiting: the agent waits for a person.
	ActivityWaiting Activity = "waiting"
	// ActivityLimited: a usage limit holds the agent up.
	ActivityLimited Activity = "limited"
	// ActivityDisconnected: a connection is dead and nothing goes on.
	ActivityDisconnected Activity = "disconnected"
	// ActivityStalled: nothing has moved on for as long as --stall-timeout says.
	ActivityStalled Activity = "stalled"
	// ActivityRunaway: it goes round in circles.
	ActivityRunaway Activity = "runaway"
	// ActivityAsleep: the machine has slept since the last sign of life, which was
	// in time by its own clock.
	ActivityAsleep Activity = "asleep"
)

// Lights are the four signs of life of a run, and what they amount to. The zero
// value is a run that has ended.
type Lights struct {
	Activity Activity
	// Beating is the wrapper, Busy the processes, Growing the output or the
	// agent's record, Advancing the turn or the workflow.
	Beating, Busy, Growing, Advancing Light
	// LimitedUntilMS is the wall time at which the usage limit ends; 0 for none.
	LimitedUntilMS int64
	// Dead names a connection whose other end no longer answers; empty for none.
	Dead string
}

// lightSlack is how much later than a beat may be read what it says: beats are
// written by a busy machine, too.
const lightSlack = 5 * time.Second

// LightsOf reads the lights of a row that was judged. What a wrapper that does not
// move saw last says nothing about now.
func LightsOf(e store.Execution, liveness Liveness, o Observer) Lights {
	if e.Process.End.Over() {
		return Lights{}
	}
	f := FactsOf(e)
	age := lengthOf(o.Now.AwakeMS - f.Beat.AwakeMS)
	if f.Beat.BootID == "" || f.Beat.BootID != o.Now.BootID {
		age = -1
	}
	l := Lights{Activity: ActivityUnknown, Beating: Light{Lit: No, Quiet: age}}
	if liveness == LivenessLive {
		l.Beating.Lit = Yes
	}
	v := e.Vitals
	if v == nil || age < 0 {
		return l
	}
	interval := f.Interval
	if interval <= 0 {
		interval = DefaultInterval
	}
	bound := 2*interval + min(interval, lightSlack)
	at := func(moment *int64) Light {
		switch {
		case moment == nil:
			return Light{Quiet: -1}
		case *moment == 0:
			return Light{Lit: No, Quiet: -1}
		}
		quiet := max(lengthOf(o.Now.AwakeMS-*moment), 0)
		if quiet <= bound && l.Beating.Lit == Yes {
			return Light{Yes, quiet}
		}
		return Light{No, quiet}
	}
	l.Busy, l.Growing, l.Advancing = at(v.BusyMS), at(v.GrewMS), at(v.AdvancedMS)
	l.Dead, l.LimitedUntilMS = v.Dead, v.LimitedUntilMS
	l.Activity = activity(l, v, asleep(f.Beat, o.Now), o.Now.WallMS)
	return l
}

// activity sums up: what explains that nothing goes on comes first.
func activity(l Lights, v *store.Vitals, slept bool, nowMS int64) Activity {
	lit := l.Busy.Lit == Yes || l.Growing.Lit == Yes || l.Advancing.Lit == Yes
	switch {
	case l.Beating.Lit != Yes:
		return ActivityUnknown
	case slept:
		return ActivityAsleep
	case v.Waiting:
		return ActivityWaiting
	case v.LimitedUntilMS > nowMS:
		return ActivityLimited
	case Alarm(v.Alarm) == AlarmRunaway:
		return ActivityRunaway
	case Alarm(v.Alarm) == AlarmStalled:
		return ActivityStalled
	case v.Dead != "" && l.Growing.Lit != Yes && l.Advancing.Lit != Yes:
		return ActivityDisconnected
	case v.Turn == turnNo && l.Growing.Lit != Yes && l.Advancing.Lit != Yes:
		return ActivityIdle
	case lit:
		return ActivityWorking
	case v.Turn == "" && Alarm(v.Alarm) == AlarmIdle:
		return ActivityIdle
	default:
		return ActivityQuiet
	}
}

// asleep says whether the machine has slept since the beat: more time passed by the
// wall clock than the machine was awake for. A clock that was set looks the same.
func asleep(beat, now store.Instant) bool {
	passed, awake := now.WallMS-beat.WallMS, now.AwakeMS-beat.AwakeMS
	return lengthOf(passed-awake) >= SleepThreshold
}

// lengthOf is a length of time in milliseconds.
func lengthOf(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
