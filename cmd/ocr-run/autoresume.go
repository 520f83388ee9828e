package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

const (
	// firstPause and longestPause bound how long a run that lost its connection waits
	// at most before it goes on: twice as long each time. How long it does wait is
	// left to chance, so that many do not come back at once.
	firstPause   = 20 * time.Second
	longestPause = 10 * time.Minute
	// leastPause lets a network come up after a wake.
	leastPause = 2 * time.Second
	// limitSlack bounds by how much a usage limit is outwaited, a tenth of the wait at
	// most: it spreads who waits for the same moment.
	limitSlack = 20 * time.Second
	// longestLimit is the longest wait for a limit to end: weekly ones are the longest
	// there are.
	longestLimit = 8 * 24 * time.Hour
)

// afterwards is what a run that has ended is judged by when it is to be gone on
// with.
type afterwards struct {
	// row is the run with all that is known of it.
	row store.Execution
	// left is how many more runs there may be, before how many there were in this
	// sequence.
	left, before int
	// headless: the agent conversed with nobody. One with a screen waits at its
	// prompt whatever happens; its end is its user's.
	headless bool
	// hurried: somebody asked for the end meanwhile.
	hurried bool
	// handed: the host goes on with the work by itself.
	handed bool
	now    time.Time
	// chance is a number from 0 to below 1.
	chance float64
}

// resumption is when a run is gone on with, and why not before.
type resumption struct {
	at  time.Time
	why store.WaitReason
}

// decide says whether the work of a run is to be gone on with, and if not, why
// not. A reason that is empty goes without saying.
func (a afterwards) decide() (next resumption, yes bool, reason string) {
	v := verdictOf(a.row)
	limit, limited := a.limit(v.Cause)
	switch {
	case v.Outcome == lifecycle.OutcomeSuccess || v.Outcome == lifecycle.OutcomeCancelled,
		a.hurried, a.row.StopRequested != lifecycle.StoppedByNobody, a.row.Process.StoppedBy != lifecycle.StoppedByNobody:
		return next, false, ""
	case !v.Cause.Resumable():
		return next, false, fmt.Sprintf("going on does not help against %s", v.Cause)
	case a.row.Workflow != nil && a.row.Workflow.Completeness == lifecycle.CompletenessComplete:
		return next, false, "the work is complete"
	case !a.headless:
		return next, false, "the agent was not run without its screen"
	case len(a.row.Resume) == 0:
		return next, false, errNoResume.Error()
	case a.handed:
		return next, false, "Open Code Review goes on with it by itself"
	case v.Cause == lifecycle.CauseLimited && !limited:
		return next, false, "nobody said when the usage limit ends"
	case a.left <= 0:
		return next, false, "it was gone on with as often as allowed"
	case limited:
		slack := min(max(limit.Sub(a.now), 0)/10, limitSlack)
		return resumption{at: limit.Add(time.Duration(a.chance * float64(slack))), why: store.WaitLimit}, true, ""
	default:
		return resumption{at: a.now.Add(pause(a.before, a.chance)), why: store.WaitPause}, true, ""
	}
}

// limit is when the usage limit that ended the run ends, if that was it and
// somebody said when.
func (a afterwards) limit(c lifecycle.Cause) (until time.Time, known bool) {
	if c != lifecycle.CauseLimited {
		return until, false
	}
	for _, e := range a.row.Evidence {
		if e.Points != lifecycle.CauseLimited {
			continue
		}
		if t, ok := agent.LimitedUntil(e.Detail, time.UnixMilli(e.AtMS)); ok && t.Sub(a.now) < longestLimit {
			return t, true
		}
	}
	return until, false
}

// pause is how long to wait before a lost connection is tried again, after so many
// times before: by chance anything up to a bound that doubles.
func pause(before int, chance float64) time.Duration {
	bound := longestPause
	if before < 5 {
		bound = min(firstPause<<before, longestPause)
	}
	return leastPause + time.Duration(chance*float64(bound-leastPause))
}

// chance is a number from 0 to below 1 that nobody foresees.
func chance() float64 { return rand.Float64() } //nolint:gosec // it spreads, it hides nothing
