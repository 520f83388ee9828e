package lifecycle

import "slices"

// FlowRefusal is why a flow did not take what was asked of it. The zero value
// means that it did.
type FlowRefusal string

// The refusals, in the order in which they are looked for: with several, the
// first is the answer.
const (
	// FlowNotFound: no workflow answers to that name.
	FlowNotFound FlowRefusal = "not_found"
	// FlowNotManaged: it is a review or a map, which drive themselves.
	FlowNotManaged FlowRefusal = "not_managed"
	// FlowOwnerMismatch: it belongs to somebody else than the asker named.
	FlowOwnerMismatch FlowRefusal = "owner_mismatch"
	// FlowCancelRequested: it was asked to end, which nothing takes back.
	FlowCancelRequested FlowRefusal = "cancel_requested"
	// FlowTerminal: it has ended.
	FlowTerminal FlowRefusal = "terminal"
	// FlowRevisionConflict: it has changed since the asker looked.
	FlowRevisionConflict FlowRefusal = "revision_conflict"
	// FlowInvalidTransition: no such step leads from where it is. A run is never
	// refused for it.
	FlowInvalidTransition FlowRefusal = "invalid_transition"
	// FlowPersistFailed: the ledger did not take it.
	FlowPersistFailed FlowRefusal = "persist_failed"
)

// FlowRefusals lists every refusal.
func FlowRefusals() []FlowRefusal {
	return []FlowRefusal{
		FlowNotFound, FlowNotManaged, FlowOwnerMismatch, FlowCancelRequested, FlowTerminal,
		FlowRevisionConflict, FlowInvalidTransition, FlowPersistFailed,
	}
}

// FlowMove is what a controller asks of its flow.
type FlowMove string

// The moves.
const (
	// FlowRun commits an execution under it.
	FlowRun FlowMove = "run"
	// FlowWait leaves it until somebody answers.
	FlowWait FlowMove = "wait"
	// FlowBlock says that it cannot go on.
	FlowBlock FlowMove = "block"
	// FlowResume lets one that waits or is blocked go on.
	FlowResume FlowMove = "resume"
	// FlowFinish ends it as done.
	FlowFinish FlowMove = "finish"
	// FlowFail ends it as failed.
	FlowFail FlowMove = "fail"
)

// FlowMoves lists every move.
func FlowMoves() []FlowMove {
	return []FlowMove{FlowRun, FlowWait, FlowBlock, FlowResume, FlowFinish, FlowFail}
}

// FlowWhy is why a flow is in the state it is in: the word that its last change
// left in the history.
type FlowWhy string

// The reasons. A state may be the same under two of them: FlowChildLost and
// FlowBlocked are both blocked, and only a person takes back what a person said.
const (
	FlowCreated   FlowWhy = "created"
	FlowStarted   FlowWhy = "started"
	FlowWaiting   FlowWhy = "waiting"
	FlowBlocked   FlowWhy = "blocked"
	FlowChildLost FlowWhy = "child_lost"
	FlowChildBack FlowWhy = "child_back"
	FlowResumed   FlowWhy = "resumed"
	FlowFinished  FlowWhy = "finished"
	FlowFailed    FlowWhy = "failed"
	FlowCancelled FlowWhy = "cancelled"
)

// FlowWhys lists every reason.
func FlowWhys() []FlowWhy {
	return []FlowWhy{
		FlowCreated, FlowStarted, FlowWaiting, FlowBlocked, FlowChildLost, FlowChildBack,
		FlowResumed, FlowFinished, FlowFailed, FlowCancelled,
	}
}

// FlowFacts is what every decision about a flow rests on.
type FlowFacts struct {
	Kind   Kind
	Owner  string
	Status WorkflowStatus
	// Why is the reason of its last change; empty for one without history.
	Why             FlowWhy
	CancelRequested bool
	Revision        int64
	// Live counts the children that have not ended, queued ones included; Ended
	// those that have, and Lost those of them whose end nobody saw.
	Live, Ended, Lost int
}

// FlowAsk is who asks a flow for something, and under what conditions. Its zero
// value asks under none.
type FlowAsk struct {
	// Owner is whom the flow must belong to; empty for anybody.
	Owner string
	// Revision is the one the asker has seen; 0 takes any, for then the decision
	// is made on the flow as it is.
	Revision int64
}

// FlowStep is a change of a flow's state and its reason. A zero Status leaves the
// state as it is.
type FlowStep struct {
	Status WorkflowStatus
	Why    FlowWhy
}

// DecideFlow says what a move does to a flow that exists, or why it is refused.
func DecideFlow(f FlowFacts, ask FlowAsk, move FlowMove) (FlowStep, FlowRefusal) {
	step, ok := flowStep(f, move)
	switch {
	case f.Kind != KindFlow:
		return FlowStep{}, FlowNotManaged
	case ask.Owner != "" && ask.Owner != f.Owner:
		return FlowStep{}, FlowOwnerMismatch
	case f.CancelRequested:
		return FlowStep{}, FlowCancelRequested
	case f.Status.Closed():
		return FlowStep{}, FlowTerminal
	case ask.Revision != 0 && ask.Revision != f.Revision:
		return FlowStep{}, FlowRevisionConflict
	case !ok:
		return FlowStep{}, FlowInvalidTransition
	}
	return step, ""
}

// flowStep is where a move leads from an open state; ok is false where it leads
// nowhere.
func flowStep(f FlowFacts, move FlowMove) (step FlowStep, ok bool) {
	switch move {
	case FlowRun:
		if f.Status == WorkflowQueued || f.Status == WorkflowBlocked && f.Why == FlowChildLost {
			return FlowStep{WorkflowRunning, FlowStarted}, true
		}
		return FlowStep{}, true
	case FlowWait:
		return FlowStep{WorkflowWaiting, FlowWaiting}, true
	case FlowBlock:
		return FlowStep{WorkflowBlocked, FlowBlocked}, true
	case FlowResume:
		// With nothing in it, or nothing but what was lost, it is not left running.
		to := WorkflowRunning
		if f.Live == 0 && f.Lost == f.Ended {
			to = WorkflowQueued
		}
		return FlowStep{to, FlowResumed}, f.Status == WorkflowWaiting || f.Status == WorkflowBlocked
	case FlowFinish:
		return FlowStep{WorkflowSucceeded, FlowFinished}, f.Status != WorkflowQueued
	case FlowFail:
		return FlowStep{WorkflowFailed, FlowFailed}, true
	}
	return FlowStep{}, false
}

// DueStep is what is due to a flow by itself, after one of its children has ended,
// learned its real end, or been committed; a zero step when nothing is. It is
// asked in the transaction of that very change.
func DueStep(f FlowFacts) FlowStep {
	switch {
	case f.Kind != KindFlow || f.Status.Closed():
		return FlowStep{}
	case f.CancelRequested && f.Live == 0:
		return FlowStep{WorkflowCancelled, FlowCancelled}
	case f.CancelRequested:
		return FlowStep{}
	case f.Status == WorkflowRunning && f.Live == 0 && f.Lost > 0 && f.Lost == f.Ended:
		return FlowStep{WorkflowBlocked, FlowChildLost}
	case f.Lost < f.Ended && (f.Status == WorkflowQueued || f.Status == WorkflowBlocked && f.Why == FlowChildLost):
		return FlowStep{WorkflowRunning, FlowChildBack}
	default:
		return FlowStep{}
	}
}

// LegalFlowStep says whether a flow's state may change from one to another, by a
// move or by itself. It holds the history against the rules.
func LegalFlowStep(from, to WorkflowStatus) bool {
	switch from {
	case WorkflowQueued:
		return to != WorkflowQueued && to != WorkflowSucceeded
	case WorkflowRunning:
		return to != WorkflowQueued && to != WorkflowRunning
	case WorkflowWaiting, WorkflowBlocked:
		return true
	case WorkflowSucceeded, WorkflowFailed, WorkflowCancelled, WorkflowLost:
		return false
	}
	return false
}

// FlowCancelResult is what came of a request to cancel a flow.
type FlowCancelResult string

// The results.
const (
	// FlowCancelSettled: the flow is cancelled, and nothing of it runs.
	FlowCancelSettled FlowCancelResult = "settled"
	// FlowCancelAccepted: it is written down, and runs of it are about to end.
	FlowCancelAccepted FlowCancelResult = "accepted"
	// FlowCancelTerminal: it had ended before, and nothing of it ran.
	FlowCancelTerminal FlowCancelResult = "already_terminal"
	// FlowCancelNotFound: no flow answers to that name.
	FlowCancelNotFound FlowCancelResult = "not_found"
	// FlowCancelRefused: it is not for the asker to cancel.
	FlowCancelRefused FlowCancelResult = "refused"
)

// FlowCancelResults lists every result.
func FlowCancelResults() []FlowCancelResult {
	return []FlowCancelResult{
		FlowCancelSettled, FlowCancelAccepted, FlowCancelTerminal, FlowCancelNotFound, FlowCancelRefused,
	}
}

// CancelResultOf says what a request to cancel came to, by the flow as it now is.
// before says whether it had ended before the request.
func CancelResultOf(refused FlowRefusal, before, closed bool, live int) FlowCancelResult {
	switch {
	case refused == FlowNotFound:
		return FlowCancelNotFound
	case refused != "":
		return FlowCancelRefused
	case live > 0 || !closed:
		return FlowCancelAccepted
	case before:
		return FlowCancelTerminal
	default:
		return FlowCancelSettled
	}
}

// CheckCancel is why a flow that exists is not cancelled by the asker, empty when
// it is. Neither its state nor its revision is a reason.
func CheckCancel(f FlowFacts, ask FlowAsk) FlowRefusal {
	_, refused := DecideFlow(f, FlowAsk{Owner: ask.Owner}, FlowFail)
	if slices.Contains([]FlowRefusal{FlowNotManaged, FlowOwnerMismatch}, refused) {
		return refused
	}
	return ""
}
