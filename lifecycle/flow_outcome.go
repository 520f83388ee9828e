package lifecycle

// FlowCause is why a flow amounts to what it does. The zero value is that of one
// that has not ended.
type FlowCause string

// The causes.
const (
	// FlowCauseFinished: it was ended as done, and every run of it that counts
	// was a success.
	FlowCauseFinished FlowCause = "finished"
	// FlowCauseUnverified: it was ended as done, and nothing was ever run in it.
	FlowCauseUnverified FlowCause = "unverified"
	// FlowCauseChildFailed: it was ended as done, and a run of it failed.
	FlowCauseChildFailed FlowCause = "child-failed"
	// FlowCauseChildIncomplete: the same, and a run's work was left unfinished.
	FlowCauseChildIncomplete FlowCause = "child-incomplete"
	// FlowCauseChildCancelled: the same, and a run was stopped.
	FlowCauseChildCancelled FlowCause = "child-cancelled"
	// FlowCauseChildRunning: it has ended, and a run of it has not.
	FlowCauseChildRunning FlowCause = "child-running"
	// FlowCauseDeclared: it was ended as failed.
	FlowCauseDeclared FlowCause = "declared"
	// FlowCauseUser: it was cancelled.
	FlowCauseUser FlowCause = "user"
	// FlowCauseOrphaned: it was given up as lost.
	FlowCauseOrphaned FlowCause = "orphaned"
)

// FlowCauses lists every cause.
func FlowCauses() []FlowCause {
	return []FlowCause{
		FlowCauseFinished, FlowCauseUnverified, FlowCauseChildFailed, FlowCauseChildIncomplete, FlowCauseChildCancelled,
		FlowCauseChildRunning, FlowCauseDeclared, FlowCauseUser, FlowCauseOrphaned,
	}
}

// FlowChild is one run of a flow, as far as the flow's outcome needs it.
type FlowChild struct {
	UID string
	// Name is its label, empty for none. ResumedFrom is the run it went on with.
	Name, ResumedFrom string
	// CreatedMS and EndedMS are wall times; EndedMS is 0 while it runs.
	CreatedMS, EndedMS int64
	Outcome            Outcome
}

// FlowVerdict is what a flow amounts to.
type FlowVerdict struct {
	Outcome Outcome
	Cause   FlowCause
}

// JudgeFlow joins what its controller said of a flow with what its runs amount
// to. Being called done makes no success of a run that was none: such a flow is
// incomplete. What a later run did again counts in place of the earlier.
func JudgeFlow(status WorkflowStatus, children []FlowChild) FlowVerdict {
	switch status {
	case WorkflowQueued, WorkflowRunning, WorkflowWaiting, WorkflowBlocked:
		return FlowVerdict{Outcome: OutcomeRunning}
	case WorkflowFailed:
		return FlowVerdict{OutcomeFailed, FlowCauseDeclared}
	case WorkflowCancelled:
		return FlowVerdict{OutcomeCancelled, FlowCauseUser}
	case WorkflowLost:
		return FlowVerdict{OutcomeFailed, FlowCauseOrphaned}
	case WorkflowSucceeded:
		return judgeChildren(children)
	}
	return FlowVerdict{OutcomeFailed, FlowCauseOrphaned}
}

// judgeChildren is the verdict on a flow that was ended as done: that of its worst
// run.
func judgeChildren(children []FlowChild) FlowVerdict {
	counting := Counting(children)
	if len(counting) == 0 {
		return FlowVerdict{OutcomeSuccess, FlowCauseUnverified}
	}
	have := make(map[Outcome]bool)
	for _, c := range counting {
		have[c.Outcome] = true
	}
	switch {
	case have[OutcomeRunning]:
		return FlowVerdict{OutcomeRunning, FlowCauseChildRunning}
	case have[OutcomeFailed]:
		return FlowVerdict{OutcomeIncomplete, FlowCauseChildFailed}
	case have[OutcomeIncomplete]:
		return FlowVerdict{OutcomeIncomplete, FlowCauseChildIncomplete}
	case have[OutcomeCancelled]:
		return FlowVerdict{OutcomeIncomplete, FlowCauseChildCancelled}
	default:
		return FlowVerdict{OutcomeSuccess, FlowCauseFinished}
	}
}

// Counting leaves out the runs that a later one did again: one that went on with
// it, or that bears the same name and began after its end. Runs side by side
// replace nothing, whatever they are called. The order stays.
func Counting(children []FlowChild) []FlowChild {
	resumed, lastNamed := map[string]bool{}, map[string]int64{}
	for _, c := range children {
		resumed[c.ResumedFrom] = true
		if c.Name != "" {
			lastNamed[c.Name] = max(lastNamed[c.Name], c.CreatedMS)
		}
	}
	var counting []FlowChild
	for _, c := range children {
		again := c.Name != "" && c.EndedMS != 0 && lastNamed[c.Name] >= c.EndedMS && lastNamed[c.Name] > c.CreatedMS
		if !resumed[c.UID] && !again {
			counting = append(counting, c)
		}
	}
	return counting
}
