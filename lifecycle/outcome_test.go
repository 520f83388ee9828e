package lifecycle

import (
	"slices"
	"testing"
)

// outcomeRow is one row of the outcome table. The first row that fits decides.
type outcomeRow struct {
	name string
	fits func(Facts) bool
	want Outcome
}

// outcomeTable is the table of docs/architecture.md, written down a second
// time and in other words than the code it is held against.
func outcomeTable() []outcomeRow {
	exitZero := func(f Facts) bool {
		return f.Process.End == EndExited && f.Process.ExitCode != nil && *f.Process.ExitCode == 0
	}
	obeyed := func(f Facts, who ...StoppedBy) bool {
		return !f.Process.StopFailed && slices.Contains(who, f.Process.StoppedBy)
	}
	return []outcomeRow{
		{"still running", func(f Facts) bool {
			return f.Process.End == EndQueued || f.Process.End == EndRunning
		}, OutcomeRunning},
		{"nobody saw the end", func(f Facts) bool { return f.Process.End == EndLost }, OutcomeFailed},
		{"stopped by the user", func(f Facts) bool { return obeyed(f, StoppedByUser) }, OutcomeCancelled},
		{"stopped by its parent", func(f Facts) bool { return obeyed(f, StoppedByParent) }, OutcomeCancelled},
		{"never launched", func(f Facts) bool { return f.Process.End == EndNotStarted }, OutcomeFailed},
		{"stopped by a rule of ours", func(f Facts) bool { return obeyed(f, Stoppers()...) }, OutcomeFailed},
		{"exit other than 0, or a signal", func(f Facts) bool { return !exitZero(f) }, OutcomeFailed},
		{"exit 0, workflow unreadable", func(f Facts) bool {
			return f.Workflow == CompletenessUnreadable
		}, OutcomeIncomplete},
		{"exit 0, workflow open, in flight or closed without its artifact", func(f Facts) bool {
			return f.Workflow != CompletenessNone && f.Workflow != CompletenessComplete
		}, OutcomeIncomplete},
		{"exit 0, evidence against the last turn", func(f Facts) bool {
			return slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.TurnFailed })
		}, OutcomeIncomplete},
		{"exit 0, last turn not completed", func(f Facts) bool {
			return slices.Contains([]TurnState{TurnPending, TurnRunning, TurnInterrupted, TurnError}, f.Turn)
		}, OutcomeIncomplete},
		{"exit 0, nothing speaks against it", func(Facts) bool { return true }, OutcomeSuccess},
	}
}

// TestJudgeFollowsTheTable compares every combination of facts with the table,
// and proves that no row of the table is idle.
func TestJudgeFollowsTheTable(t *testing.T) {
	t.Parallel()
	table := outcomeTable()
	used := make([]int, len(table))
	forEveryFacts(func(f Facts) {
		row := slices.IndexFunc(table, func(r outcomeRow) bool { return r.fits(f) })
		used[row]++
		if got := Judge(f).Outcome; got != table[row].want {
			t.Errorf("%s: %+v is %s, want %s", table[row].name, f, got, table[row].want)
		}
	})
	for i, n := range used {
		if n == 0 {
			t.Errorf("no facts reach the row %q", table[i].name)
		}
	}
}

// forEveryFacts calls visit with every combination of the facts an outcome
// rests on.
func forEveryFacts(visit func(Facts)) {
	evidence := [][]Evidence{
		nil,
		{{Source: SourceText, Points: CauseLimited}},
		{{Source: SourceHook, TurnFailed: true}},
	}
	forEveryProcess(func(p Process) {
		for _, w := range append(Completenesses(), CompletenessNone) {
			for _, s := range append(TurnStates(), TurnNone) {
				for _, e := range evidence {
					for _, agent := range []bool{false, true} {
						visit(Facts{Process: p, Workflow: w, Turn: s, Agent: agent, Evidence: e})
					}
				}
			}
		}
	})
}

func forEveryProcess(visit func(Process)) {
	for _, end := range ProcessEnds() {
		for _, code := range []*int{nil, new(0), new(1), new(255)} {
			for _, by := range append(Stoppers(), StoppedByNobody) {
				for _, failed := range []bool{false, true} {
					visit(Process{End: end, ExitCode: code, StoppedBy: by, StopFailed: failed})
				}
			}
		}
	}
}

func exited(code int) Process   { return Process{End: EndExited, ExitCode: new(code)} }
func signalled(sig int) Process { return Process{End: EndSignalled, Signal: new(sig)} }
func by(who StoppedBy, p Process) Process {
	p.StoppedBy = who
	return p
}

func TestJudgeCause(t *testing.T) {
	t.Parallel()
	text := func(c Cause) Evidence { return Evidence{Source: SourceText, Points: c} }
	slept := Evidence{Source: SourceClock, Points: CauseSleep}
	cases := []struct {
		name  string
		facts Facts
		want  Verdict
	}{
		{"running has no cause", Facts{Process: Process{End: EndRunning}, Evidence: []Evidence{text(CauseLimited)}}, Verdict{OutcomeRunning, ""}},
		{"not started", Facts{Process: Process{End: EndNotStarted, ExitCode: new(127)}, Evidence: []Evidence{text(CauseLimited)}}, Verdict{OutcomeFailed, CauseNotStarted}},

		// What we did ourselves comes before everything.
		{"user", Facts{Process: by(StoppedByUser, exited(0)), Evidence: []Evidence{text(CauseLimited)}}, Verdict{OutcomeCancelled, CauseUser}},
		{"user, with its own exit code", Facts{Process: by(StoppedByUser, exited(3))}, Verdict{OutcomeCancelled, CauseUser}},
		{"user, by signal", Facts{Process: by(StoppedByUser, signalled(15))}, Verdict{OutcomeCancelled, CauseUser}},
		{"parent", Facts{Process: by(StoppedByParent, signalled(15))}, Verdict{OutcomeCancelled, CauseParentClosed}},
		{"deadline", Facts{Process: by(StoppedByDeadline, signalled(15)), Evidence: []Evidence{text(CauseLimited)}}, Verdict{OutcomeFailed, CauseTimeout}},
		{"deadline met with exit 0", Facts{Process: by(StoppedByDeadline, exited(0))}, Verdict{OutcomeFailed, CauseTimeout}},
		{"terminal", Facts{Process: by(StoppedByTerminal, signalled(1))}, Verdict{OutcomeFailed, CauseTerminalLost}},
		{"reaper", Facts{Process: by(StoppedByReaper, signalled(9))}, Verdict{OutcomeFailed, CauseOrphaned}},
		{"idle", Facts{Process: by(StoppedByIdle, signalled(15))}, Verdict{OutcomeFailed, CauseIdle}},
		{"stalled", Facts{Process: by(StoppedByStalled, signalled(15))}, Verdict{OutcomeFailed, CauseStalled}},
		{"runaway", Facts{Process: by(StoppedByRunaway, signalled(15))}, Verdict{OutcomeFailed, CauseRunaway}},
		{"fenced", Facts{Process: by(StoppedByFenced, signalled(15))}, Verdict{OutcomeFailed, CauseFenced}},
		{"lost", Facts{Process: Process{End: EndLost}}, Verdict{OutcomeFailed, CauseOrphaned}},
		{"lost while being stopped", Facts{Process: by(StoppedByUser, Process{End: EndLost})}, Verdict{OutcomeFailed, CauseOrphaned}},

		// Then evidence, the strongest source first, whatever its order.
		{"text", Facts{Process: exited(1), Evidence: []Evidence{text(CauseLimited)}}, Verdict{OutcomeFailed, CauseLimited}},
		{"auth", Facts{Process: exited(1), Evidence: []Evidence{text(CauseAuth)}}, Verdict{OutcomeFailed, CauseAuth}},
		{"json before text", Facts{Process: exited(1), Evidence: []Evidence{text(CauseLimited), {Source: SourceJSON, Points: CauseTruncated}}}, Verdict{OutcomeFailed, CauseTruncated}},
		{"record before json", Facts{Process: exited(1), Evidence: []Evidence{{Source: SourceJSON, Points: CauseTruncated}, {Source: SourceRecord, Points: CauseDisconnect}}}, Verdict{OutcomeFailed, CauseDisconnect}},
		{"hook before record", Facts{Process: exited(1), Evidence: []Evidence{{Source: SourceRecord, Points: CauseDisconnect}, {Source: SourceHook, Points: CauseAgentError}}}, Verdict{OutcomeFailed, CauseAgentError}},
		{"own act before hook", Facts{Process: exited(1), Evidence: []Evidence{{Source: SourceHook, Points: CauseAgentError}, {Source: SourceOwnAct, Points: CauseStalled}}}, Verdict{OutcomeFailed, CauseStalled}},
		{"context points nowhere", Facts{Process: exited(1), Evidence: []Evidence{{Source: SourceOwnAct}, text(CauseLimited)}}, Verdict{OutcomeFailed, CauseLimited}},
		{"kernel", Facts{Process: signalled(9), Evidence: []Evidence{{Source: SourceKernel, Points: CauseOOM}}}, Verdict{OutcomeFailed, CauseOOM}},
		{"evidence before signal", Facts{Process: signalled(11), Evidence: []Evidence{text(CauseLimited)}}, Verdict{OutcomeFailed, CauseLimited}},
		{"disconnect", Facts{Process: exited(1), Evidence: []Evidence{text(CauseDisconnect)}}, Verdict{OutcomeFailed, CauseDisconnect}},
		{"disconnect beside a sleep", Facts{Process: exited(1), Evidence: []Evidence{text(CauseDisconnect), slept}}, Verdict{OutcomeFailed, CauseSleep}},
		{"limit beside a sleep", Facts{Process: exited(1), Evidence: []Evidence{slept, text(CauseLimited)}}, Verdict{OutcomeFailed, CauseLimited}},
		{"disconnect beside a sleep, exit 0", Facts{Process: exited(0), Workflow: CompletenessOpenNoArtifact, Evidence: []Evidence{slept, text(CauseDisconnect)}}, Verdict{OutcomeIncomplete, CauseSleep}},

		// Then the signal, then nothing.
		{"segv", Facts{Process: signalled(11)}, Verdict{OutcomeFailed, CauseCrash}},
		{"abort", Facts{Process: signalled(6)}, Verdict{OutcomeFailed, CauseCrash}},
		{"core of another signal", Facts{Process: Process{End: EndSignalled, Signal: new(3), CoreDumped: true}}, Verdict{OutcomeFailed, CauseCrash}},
		{"killed by somebody", Facts{Process: signalled(9)}, Verdict{OutcomeFailed, CauseUnknown}},
		{"exit 1 in an errored turn", Facts{Process: exited(1), Turn: TurnError}, Verdict{OutcomeFailed, CauseAgentError}},
		{"exit 1", Facts{Process: exited(1)}, Verdict{OutcomeFailed, CauseUnknown}},
		{"exit 1 with the work complete", Facts{Process: exited(1), Workflow: CompletenessComplete}, Verdict{OutcomeFailed, CauseUnknown}},

		// Unfinished work behind an exit 0.
		{"open", Facts{Process: exited(0), Workflow: CompletenessOpenNoArtifact}, Verdict{OutcomeIncomplete, CauseWorkflowOpen}},
		{"in flight", Facts{Process: exited(0), Workflow: CompletenessInFlight}, Verdict{OutcomeIncomplete, CauseWorkflowOpen}},
		{"closed without its artifact", Facts{Process: exited(0), Workflow: CompletenessClosedWithoutArtifact}, Verdict{OutcomeIncomplete, CauseWorkflowOpen}},
		{"unreadable", Facts{Process: exited(0), Workflow: CompletenessUnreadable, Turn: TurnCompleted}, Verdict{OutcomeIncomplete, CauseWorkflowUnreadable}},
		{"turn running", Facts{Process: exited(0), Turn: TurnRunning}, Verdict{OutcomeIncomplete, CauseTurnOpen}},
		{"turn pending", Facts{Process: exited(0), Turn: TurnPending}, Verdict{OutcomeIncomplete, CauseTurnOpen}},
		{"turn interrupted", Facts{Process: exited(0), Turn: TurnInterrupted}, Verdict{OutcomeIncomplete, CauseTurnOpen}},
		{"turn in error", Facts{Process: exited(0), Turn: TurnError}, Verdict{OutcomeIncomplete, CauseAgentError}},
		{"evidence against a completed turn", Facts{Process: exited(0), Turn: TurnCompleted, Workflow: CompletenessComplete, Evidence: []Evidence{{Source: SourceText, Points: CauseLimited, TurnFailed: true}}}, Verdict{OutcomeIncomplete, CauseLimited}},

		// Finished.
		{"plain command", Facts{Process: exited(0)}, Verdict{OutcomeSuccess, CauseFinished}},
		{"silent agent", Facts{Process: exited(0), Agent: true}, Verdict{OutcomeSuccess, CauseUnverified}},
		{"agent with a completed turn", Facts{Process: exited(0), Agent: true, Turn: TurnCompleted}, Verdict{OutcomeSuccess, CauseFinished}},
		{"agent whose hooks presume", Facts{Process: exited(0), Agent: true, Presumed: true, Turn: TurnCompleted}, Verdict{OutcomeSuccess, CauseUnverified}},
		{"agent whose hooks presume, beside an open record", Facts{Process: exited(0), Agent: true, Presumed: true, Turn: TurnCompleted, Evidence: []Evidence{{Source: SourceRecord, Turn: TurnInterrupted}}}, Verdict{OutcomeSuccess, CauseUnverified}},
		{"agent whose hooks presume, confirmed", Facts{Process: exited(0), Agent: true, Presumed: true, Turn: TurnCompleted, Evidence: []Evidence{{Source: SourceRecord, Turn: TurnCompleted}}}, Verdict{OutcomeSuccess, CauseFinished}},
		{"agent with complete work", Facts{Process: exited(0), Agent: true, Presumed: true, Workflow: CompletenessComplete}, Verdict{OutcomeSuccess, CauseFinished}},
		{"a good run that slept", Facts{Process: exited(0), Evidence: []Evidence{slept}}, Verdict{OutcomeSuccess, CauseFinished}},

		// It outlived its stop, so the end that came is its own.
		{"finished in spite of a stop", Facts{Process: Process{End: EndExited, ExitCode: new(0), StoppedBy: StoppedByUser, StopFailed: true}}, Verdict{OutcomeSuccess, CauseFinished}},
		{"failed after a stop it outlived", Facts{Process: Process{End: EndExited, ExitCode: new(2), StoppedBy: StoppedByUser, StopFailed: true}}, Verdict{OutcomeFailed, CauseUnknown}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := Judge(c.facts); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// What is said of the last turn is joined: interrupted only where all that speaks
// against its completion says so.
func TestLastTurn(t *testing.T) {
	t.Parallel()
	interrupted := Evidence{Source: SourceRecord, Turn: TurnInterrupted, TurnFailed: true}
	failed := Evidence{Source: SourceJSON, TurnFailed: true}
	for _, test := range []struct {
		reported TurnState
		evidence []Evidence
		want     TurnState
	}{
		{TurnCompleted, nil, TurnCompleted},
		{TurnCompleted, []Evidence{interrupted}, TurnInterrupted},
		{TurnCompleted, []Evidence{interrupted, failed}, TurnError},
		{TurnInterrupted, []Evidence{interrupted}, TurnInterrupted},
		{TurnError, []Evidence{interrupted}, TurnError},
		{TurnNone, []Evidence{{Source: SourceText, Turn: TurnCompleted}, interrupted}, TurnInterrupted},
		{TurnCompleted, []Evidence{{Source: SourceRecord, Turn: TurnInterrupted}}, TurnCompleted},
	} {
		if got := (Facts{Turn: test.reported, Evidence: test.evidence}).LastTurn(); got != test.want {
			t.Errorf("reported %q with %+v: %q, want %q", test.reported, test.evidence, got, test.want)
		}
	}
}
