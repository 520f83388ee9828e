package lifecycle

import "slices"

// Cause is why a run ended as it did. Like the outcome it is derived, never
// stored.
type Cause string

// The causes.
const (
	CauseFinished           Cause = "finished"
	CauseUnverified         Cause = "unverified"
	CauseSleep              Cause = "sleep"
	CauseDisconnect         Cause = "disconnect"
	CauseLimited            Cause = "limited"
	CauseAuth               Cause = "auth"
	CauseTruncated          Cause = "truncated"
	CauseTimeout            Cause = "timeout"
	CauseTerminalLost       Cause = "terminal-lost"
	CauseOOM                Cause = "oom"
	CauseCrash              Cause = "crash"
	CauseUser               Cause = "user"
	CauseParentClosed       Cause = "parent-closed"
	CauseOrphaned           Cause = "orphaned"
	CauseTurnOpen           Cause = "turn-open"
	CauseWorkflowOpen       Cause = "workflow-open"
	CauseWorkflowUnreadable Cause = "workflow-unreadable"
	CauseAgentError         Cause = "agent-error"
	CauseNotStarted         Cause = "not-started"
	CauseIdle               Cause = "idle"
	CauseStalled            Cause = "stalled"
	CauseRunaway            Cause = "runaway"
	CauseFenced             Cause = "fenced"
	CauseUnknown            Cause = "unknown"
)

// Causes lists every cause.
func Causes() []Cause {
	return []Cause{
		CauseFinished, CauseUnverified, CauseSleep, CauseDisconnect, CauseLimited, CauseAuth,
		CauseTruncated, CauseTimeout, CauseTerminalLost, CauseOOM, CauseCrash, CauseUser,
		CauseParentClosed, CauseOrphaned, CauseTurnOpen, CauseWorkflowOpen, CauseWorkflowUnreadable,
		CauseAgentError, CauseNotStarted, CauseIdle, CauseStalled, CauseRunaway, CauseFenced, CauseUnknown,
	}
}

// Resumable says whether a run that ended for this reason, its work unfinished, may
// well finish it when the agent's session is simply gone on with: nothing was wrong
// with the work itself, and nobody wanted the end.
func (c Cause) Resumable() bool {
	return c == CauseSleep || c == CauseDisconnect || c == CauseLimited
}

// cancelCause tells a user's stop from a parent's.
func cancelCause(p Process) Cause {
	if p.StoppedBy == StoppedByParent {
		return CauseParentClosed
	}
	return CauseUser
}

// failureCause explains an end that was no exit 0: what we did ourselves, then
// what the evidence says, then the signal, then nothing.
func failureCause(f Facts) Cause {
	if f.Process.End == EndLost {
		return CauseOrphaned
	}
	if c := ownAct(f.Process); c != "" {
		return c
	}
	if c := evidenceCause(f.Evidence); c != "" {
		return c
	}
	if f.Turn == TurnError {
		return CauseAgentError
	}
	if f.Process.End == EndSignalled {
		return signalCause(f.Process)
	}
	return CauseUnknown
}

// incompleteCause explains an exit 0 whose work is unfinished.
func incompleteCause(f Facts) Cause {
	if c := evidenceCause(f.Evidence); c != "" {
		return c
	}
	switch {
	case f.Workflow == CompletenessUnreadable:
		return CauseWorkflowUnreadable
	case f.Turn == TurnError:
		return CauseAgentError
	case !f.Turn.finished():
		return CauseTurnOpen
	default:
		return CauseWorkflowOpen
	}
}

// successCause tells proof from silence: a known agent that left no evidence
// either way, and whose work no workflow vouches for, is unverified.
func successCause(f Facts) Cause {
	confirms := func(e Evidence) bool { return e.Turn == TurnCompleted }
	proven := f.Turn == TurnCompleted && (!f.Presumed || slices.ContainsFunc(f.Evidence, confirms))
	if f.Agent && f.Workflow == CompletenessNone && !proven {
		return CauseUnverified
	}
	return CauseFinished
}

// ownAct is the cause of an end we brought about ourselves, or "".
func ownAct(p Process) Cause {
	if p.StopFailed {
		return ""
	}
	switch p.StoppedBy {
	case StoppedByDeadline:
		return CauseTimeout
	case StoppedByTerminal:
		return CauseTerminalLost
	case StoppedByReaper:
		return CauseOrphaned
	case StoppedByIdle:
		return CauseIdle
	case StoppedByStalled:
		return CauseStalled
	case StoppedByRunaway:
		return CauseRunaway
	case StoppedByFenced:
		return CauseFenced
	case StoppedByNobody, StoppedByUser, StoppedByParent:
		return ""
	}
	return ""
}

// Signal numbers that are the same on every system we run on. Lifecycle does
// not import syscall: these four are facts of POSIX, not of a machine.
const (
	sigILL  = 4
	sigABRT = 6
	sigFPE  = 8
	sigSEGV = 11
)

// signalCause reads a death by signal that nothing else explains. A KILL is
// not called out-of-memory without evidence of it.
func signalCause(p Process) Cause {
	if p.CoreDumped {
		return CauseCrash
	}
	if p.Signal == nil {
		return CauseUnknown
	}
	switch *p.Signal {
	case sigILL, sigABRT, sigFPE, sigSEGV:
		return CauseCrash
	default:
		return CauseUnknown
	}
}
