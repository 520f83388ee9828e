package main

import (
	"slices"
	"time"
)

// truth is what really happened to a run.
type truth struct {
	// Ends lists the outcomes that are right: what counts is whether the work was finished.
	Ends []string `json:"ends"`
	// Causes lists the causes that are right; the first names it in the tables.
	Causes []string `json:"causes"`
	// Finished is true when the last answer arrived whole.
	Finished bool `json:"finished"`
}

// unfinished lists the outcomes of work that is not finished.
func unfinished() []string { return []string{"incomplete", "failed"} }

// truth judges by what the server and this program know. A deed counts only for a conversation that was not over. The deadline is one
// this program set: stopped says that ocr-run saw to it, which counts only when the time was up.
func (r *running) truth(took time.Duration, stopped bool) truth {
	last, n := r.server.final()
	delivered := n > 0 && last.Delivered && !last.Tool
	stopped = stopped && took >= r.limit
	switch {
	case r.did != nothing && !stopped:
		return deedTruth(r.did, r.mode)
	case r.fault.either && last.Fault && !stopped:
		return truth{Ends: append(unfinished(), "success"), Causes: r.fault.causes}
	case delivered:
		return truth{Ends: []string{"success"}, Causes: []string{"finished"}, Finished: true}
	case stopped:
		return deedTruth(waitTooLong, r.mode)
	case r.brokenOff():
		return truth{Ends: append(unfinished(), "cancelled"), Causes: append(slices.Clone(r.fault.causes), "user")}
	default:
		return truth{Ends: unfinished(), Causes: r.fault.causes}
	}
}

// brokenOff says whether the user had to break a turn off, to be able to leave: it was merely slow, or the keys to leave did not do at
// once, or what they do first is to interrupt.
func (r *running) brokenOff() bool {
	return r.left > 1 || r.left == 1 && (len(r.fault.causes) == 0 || r.subject.leave == ctrlC)
}

// deedTruth is the truth about a run that something was done to. A user who interrupts a full-screen program and leaves it afterwards
// may be said to have cancelled the run, or the turn.
func deedTruth(done deed, m mode) truth {
	switch done {
	case interrupt, leaveIt:
		ends := []string{"cancelled"}
		if m == modeScreen {
			ends = append(ends, unfinished()...)
		}
		return truth{Ends: ends, Causes: []string{"user"}}
	case terminate:
		return truth{Ends: []string{"cancelled"}, Causes: []string{"user"}}
	case waitTooLong:
		return truth{Ends: unfinished(), Causes: []string{"timeout"}}
	case loseScreen:
		return truth{Ends: unfinished(), Causes: []string{"terminal-lost"}}
	case crashAgent:
		return truth{Ends: unfinished(), Causes: []string{"crash"}}
	default: // killed by a stranger, who is not known
		return truth{Ends: unfinished(), Causes: []string{"unknown", "turn-open"}}
	}
}

// result is one run: what was so and what was said.
type result struct {
	Agent    string   `json:"agent"`
	Version  string   `json:"version"`
	Fault    string   `json:"fault"`
	Mode     string   `json:"mode"`
	Truth    truth    `json:"truth"`
	Outcome  string   `json:"outcome"`
	Cause    string   `json:"cause"`
	Exit     string   `json:"exit"`
	Evidence []string `json:"evidence"`
	Requests int      `json:"requests"`
	Seconds  float64  `json:"seconds"`
	LeftBy   int      `json:"left_by"`
	// Trouble says why there is no result.
	Trouble string `json:"trouble,omitempty"`
}

func (r result) name() string { return r.Agent + "/" + r.Fault + "/" + r.Mode }

// outcomeRight says whether finished and unfinished were told apart.
func (r result) outcomeRight() bool { return slices.Contains(r.Truth.Ends, r.Outcome) }

// causeRight says whether the cause is one of the right ones.
func (r result) causeRight() bool { return slices.Contains(r.Truth.Causes, r.Cause) }
