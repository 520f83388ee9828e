package lifecycle

// Outcome is what a run amounts to. It is derived whenever it is read and
// stored nowhere.
type Outcome string

// The outcomes.
const (
	OutcomeRunning    Outcome = "running"
	OutcomeSuccess    Outcome = "success"
	OutcomeIncomplete Outcome = "incomplete"
	OutcomeFailed     Outcome = "failed"
	OutcomeCancelled  Outcome = "cancelled"
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{OutcomeRunning, OutcomeSuccess, OutcomeIncomplete, OutcomeFailed, OutcomeCancelled}
}

// Facts is everything a verdict rests on. Its zero value is no run at all: the
// empty process end counts as over, and nothing vouches for it.
type Facts struct {
	Process Process
	// Workflow is how far the work got in the round the execution ended in;
	// CompletenessNone when no workflow is linked.
	Workflow Completeness
	// Turn is the state of the last turn; TurnNone when no turn is known.
	Turn TurnState
	// Agent is true when the command was recognised as an agent that leaves
	// evidence of its own: its silence then makes an exit 0 unverified.
	Agent bool
	// Presumed is true when a completed Turn is only what such an agent's hooks said,
	// who say it of an answer that was cut, too: it takes evidence to confirm it.
	Presumed bool
	// Evidence is what was found, in any order; EvidenceSources says which
	// source is the stronger.
	Evidence []Evidence
}

// Verdict is the outcome with its cause.
type Verdict struct {
	Outcome Outcome
	// Cause is why it ended as it did; empty while it runs.
	Cause Cause
}

// Judge joins process end, workflow, turn and evidence into the verdict. It is
// total: every combination of facts has exactly one answer, and no other place
// decides.
func Judge(f Facts) Verdict {
	f.Turn = f.LastTurn()
	switch {
	case !f.Process.End.Over():
		return Verdict{Outcome: OutcomeRunning}
	case cancelled(f.Process):
		return Verdict{OutcomeCancelled, cancelCause(f.Process)}
	case f.Process.End == EndNotStarted:
		return Verdict{OutcomeFailed, CauseNotStarted}
	case !f.Process.exitedZero() || ownAct(f.Process) != "":
		return Verdict{OutcomeFailed, failureCause(f)}
	case !workFinished(f.Workflow) || !f.Turn.finished():
		return Verdict{OutcomeIncomplete, incompleteCause(f)}
	default:
		return Verdict{OutcomeSuccess, successCause(f)}
	}
}

// LastTurn is the last turn's state once evidence has spoken: evidence
// that it did not complete, whatever its source, makes it ended in error, or
// interrupted where all of that says so. Where nothing was reported as it happened,
// the strongest observation stands for that.
func (f Facts) LastTurn() TurnState {
	seen, rank, interrupted := f.Turn, len(EvidenceSources()), false
	for _, e := range f.Evidence {
		interrupted = interrupted || e.TurnFailed
		if e.TurnFailed && e.Turn != TurnInterrupted {
			return TurnError
		}
		if r := sourceRank(e.Source); e.Turn != "" && r < rank && (f.Turn == "" || f.Turn == TurnNone) {
			seen, rank = e.Turn, r
		}
	}
	if interrupted && f.Turn != TurnError {
		return TurnInterrupted
	}
	return seen
}

// cancelled says whether somebody entitled to stopped the run and it obeyed. An
// end nobody saw cannot have obeyed.
func cancelled(p Process) bool {
	return p.End != EndLost && !p.StopFailed && (p.StoppedBy == StoppedByUser || p.StoppedBy == StoppedByParent)
}

// workFinished says whether nothing known about the workflow speaks against
// success.
func workFinished(c Completeness) bool {
	return c == CompletenessNone || c == CompletenessComplete
}
