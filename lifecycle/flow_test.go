package lifecycle

import (
	"slices"
	"testing"
)

// forEveryFlow calls visit with every combination of the facts of a flow that a
// decision rests on.
func forEveryFlow(visit func(FlowFacts)) {
	for _, status := range WorkflowStatuses() {
		for _, why := range append(FlowWhys(), "") {
			for _, n := range [][3]int{{0, 0, 0}, {1, 0, 0}, {0, 2, 2}, {0, 2, 1}, {0, 2, 0}, {1, 1, 1}, {1, 1, 0}} {
				for _, asked := range []bool{false, true} {
					visit(FlowFacts{
						Kind: KindFlow, Owner: "me", Status: status, Why: why, CancelRequested: asked, Revision: 7,
						Live: n[0], Ended: n[1], Lost: n[2],
					})
				}
			}
		}
	}
}

// refusalRow is one reason to refuse a move. The first row that fits decides.
type refusalRow struct {
	fits func(FlowFacts, FlowAsk, FlowMove) bool
	want FlowRefusal
}

// refusalTable is the order of reasons, written down a second time.
func refusalTable() []refusalRow {
	open := []WorkflowStatus{WorkflowQueued, WorkflowRunning, WorkflowWaiting, WorkflowBlocked}
	return []refusalRow{
		{func(f FlowFacts, _ FlowAsk, _ FlowMove) bool { return f.Kind == KindReview || f.Kind == KindMap }, FlowNotManaged},
		{func(_ FlowFacts, a FlowAsk, _ FlowMove) bool { return a.Owner == "you" }, FlowOwnerMismatch},
		{func(f FlowFacts, _ FlowAsk, _ FlowMove) bool { return f.CancelRequested }, FlowCancelRequested},
		{func(f FlowFacts, _ FlowAsk, _ FlowMove) bool { return !slices.Contains(open, f.Status) }, FlowTerminal},
		{func(_ FlowFacts, a FlowAsk, _ FlowMove) bool { return a.Revision == 6 }, FlowRevisionConflict},
		{func(f FlowFacts, _ FlowAsk, m FlowMove) bool {
			return m == FlowResume && (f.Status == WorkflowQueued || f.Status == WorkflowRunning)
		}, FlowInvalidTransition},
		{func(f FlowFacts, _ FlowAsk, m FlowMove) bool { return m == FlowFinish && f.Status == WorkflowQueued }, FlowInvalidTransition},
		{func(FlowFacts, FlowAsk, FlowMove) bool { return true }, ""},
	}
}

// Every combination of flow, asker and move has the answer of the table; what is
// refused steps nowhere, and what is not steps where the states allow it.
func TestEveryMoveIsDecided(t *testing.T) {
	t.Parallel()
	table, seen := refusalTable(), map[FlowRefusal]bool{}
	forEveryFlow(func(f FlowFacts) {
		for _, f.Kind = range Kinds() {
			for _, ask := range []FlowAsk{{}, {Owner: "me", Revision: 7}, {Owner: "you"}, {Revision: 6}} {
				for _, move := range FlowMoves() {
					want := table[slices.IndexFunc(table, func(r refusalRow) bool { return r.fits(f, ask, move) })].want
					step, got := DecideFlow(f, ask, move)
					seen[got] = true
					if got != want || got != "" && step != (FlowStep{}) {
						t.Errorf("%s of %+v by %+v: %q and %+v, want %q", move, f, ask, got, step, want)
					}
					if got == "" && step.Status != "" && !LegalFlowStep(f.Status, step.Status) {
						t.Errorf("%s of %+v leads to %s", move, f, step.Status)
					}
				}
			}
		}
	})
	// Whether a flow is there, and whether the ledger takes a change, is not for
	// the rules to know.
	for _, r := range FlowRefusals() {
		if decided := r != FlowNotFound && r != FlowPersistFailed; seen[r] != decided {
			t.Errorf("%s is decided: %v", r, seen[r])
		}
	}
}

// A move leads where its name says, and a run only where it has to.
func TestWhereMovesLead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from WorkflowStatus
		why  FlowWhy
		live int
		move FlowMove
		want FlowStep
	}{
		{WorkflowQueued, FlowCreated, 0, FlowRun, FlowStep{WorkflowRunning, FlowStarted}},
		{WorkflowRunning, FlowStarted, 1, FlowRun, FlowStep{}},
		{WorkflowWaiting, FlowWaiting, 1, FlowRun, FlowStep{}},
		{WorkflowBlocked, FlowBlocked, 0, FlowRun, FlowStep{}},
		{WorkflowBlocked, FlowChildLost, 0, FlowRun, FlowStep{WorkflowRunning, FlowStarted}},
		{WorkflowRunning, FlowStarted, 1, FlowWait, FlowStep{WorkflowWaiting, FlowWaiting}},
		{WorkflowWaiting, FlowWaiting, 1, FlowWait, FlowStep{WorkflowWaiting, FlowWaiting}},
		{WorkflowWaiting, FlowWaiting, 1, FlowBlock, FlowStep{WorkflowBlocked, FlowBlocked}},
		{WorkflowBlocked, FlowChildLost, 0, FlowResume, FlowStep{WorkflowQueued, FlowResumed}},
		{WorkflowBlocked, FlowBlocked, 1, FlowResume, FlowStep{WorkflowRunning, FlowResumed}},
		{WorkflowWaiting, FlowWaiting, 0, FlowResume, FlowStep{WorkflowQueued, FlowResumed}},
		{WorkflowBlocked, FlowBlocked, 1, FlowFinish, FlowStep{WorkflowSucceeded, FlowFinished}},
		{WorkflowQueued, FlowCreated, 0, FlowFail, FlowStep{WorkflowFailed, FlowFailed}},
	} {
		f := FlowFacts{Kind: KindFlow, Status: tt.from, Why: tt.why, Live: tt.live}
		if got, refused := DecideFlow(f, FlowAsk{}, tt.move); got != tt.want || refused != "" {
			t.Errorf("%s of a flow that is %s (%s): %+v, %q, want %+v", tt.move, tt.from, tt.why, got, refused, tt.want)
		}
	}
}

// What is due to a flow by itself leads to where nothing more is due, and is due to
// no flow that has ended.
func TestWhatIsDue(t *testing.T) {
	t.Parallel()
	seen := map[FlowWhy]int{}
	forEveryFlow(func(f FlowFacts) {
		step := DueStep(f)
		if step.Status == "" {
			return
		}
		seen[step.Why]++
		if f.Status.Closed() || !LegalFlowStep(f.Status, step.Status) {
			t.Errorf("%+v is due in %+v", step, f)
		}
		if step.Why == FlowCancelled != f.CancelRequested || step.Why != FlowChildBack && f.Live > 0 || step.Why == FlowChildBack && f.Lost == f.Ended {
			t.Errorf("%+v is due in %+v", step, f)
		}
		after := f
		after.Status, after.Why = step.Status, step.Why
		if more := DueStep(after); more.Status != "" {
			t.Errorf("after %+v of %+v, %+v is due", step, f, more)
		}
	})
	if len(seen) != 3 || seen[FlowCancelled] == 0 || seen[FlowChildLost] == 0 || seen[FlowChildBack] == 0 {
		t.Errorf("due were %v", seen)
	}
	if step := DueStep(FlowFacts{Kind: KindReview, Status: WorkflowRunning, CancelRequested: true}); step != (FlowStep{}) {
		t.Errorf("a review has %+v due", step)
	}
}

func TestWhatACancelComesTo(t *testing.T) {
	t.Parallel()
	seen := map[FlowCancelResult]bool{}
	for _, tt := range []struct {
		refused        FlowRefusal
		before, closed bool
		live           int
		want           FlowCancelResult
	}{
		{FlowNotFound, false, false, 0, FlowCancelNotFound},
		{FlowOwnerMismatch, false, false, 3, FlowCancelRefused},
		{FlowNotManaged, false, true, 0, FlowCancelRefused},
		{FlowPersistFailed, false, false, 0, FlowCancelRefused},
		{"", false, false, 2, FlowCancelAccepted},
		{"", true, true, 1, FlowCancelAccepted},
		{"", true, true, 0, FlowCancelTerminal},
		{"", false, true, 0, FlowCancelSettled},
	} {
		got := CancelResultOf(tt.refused, tt.before, tt.closed, tt.live)
		seen[got] = true
		if got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
	for _, r := range FlowCancelResults() {
		if !seen[r] {
			t.Errorf("nothing comes to %s", r)
		}
	}
	forEveryFlow(func(f FlowFacts) {
		if r := CheckCancel(f, FlowAsk{Owner: "me", Revision: 6}); r != "" {
			t.Errorf("cancelling %+v is refused: %s", f, r)
		}
		if r := CheckCancel(f, FlowAsk{Owner: "you"}); r != FlowOwnerMismatch {
			t.Errorf("cancelling %+v for somebody else: %q", f, r)
		}
	})
}

// runsOf is one run after the other, with what each amounts to.
func runsOf(outcomes ...Outcome) []FlowChild {
	out := make([]FlowChild, 0, len(outcomes))
	for i, o := range outcomes {
		c := FlowChild{UID: string(rune('a' + i)), CreatedMS: int64(10 * i), EndedMS: int64(10*i + 5), Outcome: o}
		if o == OutcomeRunning {
			c.EndedMS = 0
		}
		out = append(out, c)
	}
	return out
}

func TestAFlowAmountsToWhatItsRunsDo(t *testing.T) {
	t.Parallel()
	const success, failed, incomplete, cancelled, running = OutcomeSuccess, OutcomeFailed, OutcomeIncomplete, OutcomeCancelled, OutcomeRunning
	again := func(name string, outcomes ...Outcome) []FlowChild {
		all := runsOf(outcomes...)
		for i := range all {
			all[i].Name = name
		}
		return all
	}
	resumed := runsOf(incomplete, success)
	resumed[1].ResumedFrom = resumed[0].UID
	sideBySide := again("w", failed, success)
	sideBySide[1].CreatedMS = 1
	seen := map[FlowCause]bool{}
	for _, tt := range []struct {
		name     string
		status   WorkflowStatus
		children []FlowChild
		want     FlowVerdict
	}{
		{"open", WorkflowBlocked, runsOf(failed), FlowVerdict{running, ""}},
		{"queued", WorkflowQueued, nil, FlowVerdict{running, ""}},
		{"all went well", WorkflowSucceeded, runsOf(success, success), FlowVerdict{success, FlowCauseFinished}},
		{"nothing was run", WorkflowSucceeded, nil, FlowVerdict{success, FlowCauseUnverified}},
		{"one failed", WorkflowSucceeded, runsOf(success, failed, incomplete), FlowVerdict{incomplete, FlowCauseChildFailed}},
		{"one is unfinished", WorkflowSucceeded, runsOf(success, incomplete, cancelled), FlowVerdict{incomplete, FlowCauseChildIncomplete}},
		{"one was stopped", WorkflowSucceeded, runsOf(cancelled, success), FlowVerdict{incomplete, FlowCauseChildCancelled}},
		{"one still ends", WorkflowSucceeded, runsOf(failed, running), FlowVerdict{running, FlowCauseChildRunning}},
		{"one was done again", WorkflowSucceeded, again("lint", failed, success), FlowVerdict{success, FlowCauseFinished}},
		{"the last try counts", WorkflowSucceeded, again("lint", success, failed), FlowVerdict{incomplete, FlowCauseChildFailed}},
		{"one was resumed", WorkflowSucceeded, resumed, FlowVerdict{success, FlowCauseFinished}},
		{"one beside another is no second try", WorkflowSucceeded, sideBySide, FlowVerdict{incomplete, FlowCauseChildFailed}},
		{"runs without a name replace nothing", WorkflowSucceeded, again("", failed, success), FlowVerdict{incomplete, FlowCauseChildFailed}},
		{"given up", WorkflowFailed, runsOf(success), FlowVerdict{failed, FlowCauseDeclared}},
		{"cancelled", WorkflowCancelled, runsOf(success), FlowVerdict{cancelled, FlowCauseUser}},
		{"lost", WorkflowLost, runsOf(success), FlowVerdict{failed, FlowCauseOrphaned}},
	} {
		got := JudgeFlow(tt.status, tt.children)
		seen[got.Cause] = true
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	for _, c := range FlowCauses() {
		if !seen[c] {
			t.Errorf("nothing amounts to %s", c)
		}
	}
}
