package main

import "fmt"

// causeGoal is the share of causes that must be right, in percent.
const causeGoal = 95

// summary counts what was right.
type summary struct {
	runs, outcomes, causes, falseSuccess, falseIncomplete, troubles int
}

func (s summary) String() string {
	share := func(n int) string { return fmt.Sprintf("%d (%.1f %%)", n, 100*float64(n)/float64(max(1, s.runs))) }
	return fmt.Sprintf("%d runs: outcome right in %s, cause right in %s; unfinished called success: %d; finished not called success: %d; not measured: %d",
		s.runs, share(s.outcomes), share(s.causes), s.falseSuccess, s.falseIncomplete, s.troubles)
}

// tally counts results.
func tally(all []result) summary {
	var s summary
	for _, r := range all {
		if r.Trouble != "" {
			s.troubles++
			continue
		}
		s.runs++
		if r.outcomeRight() {
			s.outcomes++
		}
		if r.causeRight() {
			s.causes++
		}
		if !r.outcomeRight() && r.Outcome == "success" {
			s.falseSuccess++
		}
		if r.Truth.Finished && r.Outcome != "success" {
			s.falseIncomplete++
		}
	}
	return s
}

// line1 is a result on one line.
func line1(r result) string {
	if r.Trouble != "" {
		return fmt.Sprintf("%-34s not measured: %s", r.name(), r.Trouble)
	}
	mark := "ok   "
	switch {
	case !r.outcomeRight():
		mark = "WRONG"
	case !r.causeRight():
		mark = "cause"
	}
	why := ""
	if len(r.Evidence) > 0 {
		why = r.Evidence[0]
	}
	return fmt.Sprintf("%s %-34s %5.1fs n=%-2d exit %-10s said %s/%s, is %v/%v  %s", mark, r.name(), r.Seconds, r.Requests, r.Exit, r.Outcome, r.Cause, r.Truth.Ends, r.Truth.Causes, why)
}
