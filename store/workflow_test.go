package store_test

import (
	"errors"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

func beginReview(t *testing.T, l *store.Ledger, id, uid string, ms int64) store.BeginResult {
	t.Helper()
	_, result, err := l.BeginWorkflow(t.Context(), store.Begin{
		ID: id, Kind: lifecycle.KindReview, Branch: "main", Workspace: "/repo", SessionDir: "/repo/.s", Goal: "g", UID: uid, At: storetest.At(ms),
	})
	must(t, err)
	return result
}

// advanceTo moves a review step by step from its first phase to another.
func advanceTo(t *testing.T, l *store.Ledger, id string, to lifecycle.Phase, ms int64) {
	t.Helper()
	for _, phase := range lifecycle.Phases(lifecycle.KindReview) {
		_, err := l.AdvanceWorkflow(t.Context(), store.Advance{ID: id, Phase: phase, At: storetest.At(ms)})
		must(t, err)
		if phase == to {
			return
		}
	}
}

func completeRound(t *testing.T, l *store.Ledger, id string, ms int64) {
	t.Helper()
	advanceTo(t, l, id, "synthesis", ms)
	_, _, err := l.CompleteRound(t.Context(), store.CompleteRound{ID: id, Payload: []byte(`{"verdict":"APPROVE"}`), At: storetest.At(ms)})
	must(t, err)
}

func finishWorkflow(t *testing.T, l *store.Ledger, id, uid string, ms int64) {
	t.Helper()
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: id, UID: uid, At: storetest.At(ms)})
	must(t, err)
}

func TestAReviewFromBeginToFinish(t *testing.T) {
	t.Parallel()
	l := announced(t)
	if got := beginReview(t, l, "w", "u1", 2100); got != (store.BeginResult{Created: true, Linked: true}) {
		t.Errorf("begin did %+v", got)
	}
	advanceTo(t, l, "w", "reviews", 2200)
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", UID: "u1", At: storetest.At(2300)})
	wantError(t, err, store.ErrInvariant)
	_, _, err = l.CompleteRound(t.Context(), store.CompleteRound{ID: "w", At: storetest.At(2300)})
	wantError(t, err, store.ErrInvariant)
	_, _, err = l.BeginWorkflow(t.Context(), store.Begin{ID: "w", Kind: lifecycle.KindReview, At: storetest.At(2300)})
	wantError(t, err, store.ErrInvariant)
	for _, phase := range []lifecycle.Phase{"aggregation", "discourse", "synthesis"} {
		_, err = l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: phase, At: storetest.At(2300)})
		must(t, err)
	}
	for _, want := range []bool{false, true} {
		w, already, err := l.CompleteRound(t.Context(), store.CompleteRound{ID: "w", At: storetest.At(2400)})
		must(t, err)
		if already != want || w.Phase != lifecycle.PhaseComplete || !w.HasArtifact || w.Status != lifecycle.WorkflowRunning {
			t.Errorf("completing, already %v, gives %+v", already, w)
		}
	}
	for _, want := range []bool{false, true} {
		w, already, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", UID: "u1", At: storetest.At(2500)})
		must(t, err)
		if already != want || w.Status != lifecycle.WorkflowSucceeded || w.EndedAtMS != 2500 || w.CloseReason != "session_closed" {
			t.Errorf("finishing, already %v, gives %+v", already, w)
		}
	}
	_, err = l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: "complete", At: storetest.At(2600)})
	wantError(t, err, store.ErrInvariant)
	if e := execution(t, l, "u1"); e.StopRequested != "" || e.Workflow.Completeness != lifecycle.CompletenessComplete {
		t.Errorf("the closing run is %+v, its work %+v", e, e.Workflow)
	}
}

func TestIllegalPhaseIsAPhaseError(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "w", "", 10)
	for _, a := range []store.Advance{
		{ID: "w", Phase: "synthesis"},
		{ID: "w", Phase: "topology"},
		{ID: "w", Phase: "change-context", Round: 2},
	} {
		_, err := l.AdvanceWorkflow(t.Context(), a)
		if _, ok := errors.AsType[*lifecycle.PhaseError](err); !ok {
			t.Errorf("advance to %s gives %v", a.Phase, err)
		}
	}
	_, err := l.AdvanceWorkflow(t.Context(), store.Advance{ID: "nothing", Phase: "context"})
	wantError(t, err, store.ErrNotFound)
	w, err := l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: "context", Round: 2, At: storetest.At(20)})
	must(t, err)
	if w.Round != 2 || w.UpdatedAtMS != 20 {
		t.Errorf("a new round gives %+v", w)
	}
	_, err = l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: "context", Round: 1})
	wantError(t, err, store.ErrInvariant)
}

func TestBeginRefusals(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "w", "", 10)
	for _, b := range []store.Begin{
		{ID: "w", Kind: lifecycle.KindMap},
		{ID: "f", Kind: lifecycle.KindFlow},
		{ID: "", Kind: lifecycle.KindReview},
	} {
		_, _, err := l.BeginWorkflow(t.Context(), b)
		wantError(t, err, store.ErrInvariant)
	}
	if got := beginReview(t, l, "w2", "nobody", 10); got.Linked {
		t.Error("an unknown execution is linked")
	}
}

func TestAnAbortedRoundIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w", "u1", 2100)
	advanceTo(t, l, "w", "reviews", 2200)
	w, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", UID: "u1", Abort: true, At: storetest.At(2300)})
	must(t, err)
	if w.Status != lifecycle.WorkflowFailed || w.Completeness() != lifecycle.CompletenessClosedWithoutArtifact {
		t.Errorf("an aborted workflow is %+v", w)
	}
	if got := beginReview(t, l, "w", "u1", 2400); got != (store.BeginResult{Resumed: true, Linked: true}) {
		t.Errorf("begin after abort did %+v", got)
	}
	if w, err = l.Workflow(t.Context(), "w"); err != nil || w.Round != 1 || w.Phase != "context" || w.EndedAtMS != 0 {
		t.Errorf("taken up again it is %+v, %v", w, err)
	}
}

func TestACompletedRoundLeadsToTheNext(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w", "u1", 2100)
	completeRound(t, l, "w", 2200)
	finishWorkflow(t, l, "w", "u1", 2300)
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 2400)))
	announce(t, l, "u2", 200)
	if got := beginReview(t, l, "w", "u2", 2500); got != (store.BeginResult{Resumed: true, NewRound: true, Linked: true}) {
		t.Errorf("begin after a completed round did %+v", got)
	}
	wantView(t, l, "u1", store.WorkflowView{ID: "w", Kind: "review", Completeness: "complete", Phase: "complete", Round: 1})
	wantView(t, l, "u2", store.WorkflowView{ID: "w", Kind: "review", Completeness: "open_no_artifact", Phase: "context", Round: 2})
}

func wantView(t *testing.T, l *store.Ledger, uid string, want store.WorkflowView) {
	t.Helper()
	got := execution(t, l, uid).Workflow
	if got == nil || *got != want {
		t.Errorf("the work of %s is %+v, want %+v", uid, got, want)
	}
}

func TestAnOpenWorkflowWithItsArtifactOpensTheNextRound(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w", "u1", 2100)
	completeRound(t, l, "w", 2200)
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 2400)))
	if got := beginReview(t, l, "w", "", 2500); !got.NewRound {
		t.Errorf("begin did %+v", got)
	}
	// Round 1 was never closed, so the run that left it has not finished it.
	wantView(t, l, "u1", store.WorkflowView{ID: "w", Kind: "review", Completeness: "open_no_artifact", Phase: "complete", Round: 1})
}

func TestTheWorstWorkflowDecides(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w1", "u1", 2100)
	beginReview(t, l, "w2", "u1", 2200)
	completeRound(t, l, "w1", 2300)
	finishWorkflow(t, l, "w1", "u1", 2400)
	if w, err := l.WorkflowOf(t.Context(), "u1"); err != nil || w.ID != "w2" {
		t.Errorf("the run works on %+v, %v", w, err)
	}
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 2500)))
	if e := execution(t, l, "u1"); e.WorkflowID != "w1" || e.Workflow.ID != "w2" {
		t.Errorf("linked to %s, judged by %+v", e.WorkflowID, e.Workflow)
	}
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w2", Abort: true, At: storetest.At(2600)})
	must(t, err)
	beginReview(t, l, "w2", "", 2700)
	completeRound(t, l, "w2", 2800)
	finishWorkflow(t, l, "w2", "", 2900)
	wantView(t, l, "u1", store.WorkflowView{ID: "w1", Kind: "review", Completeness: "complete", Phase: "complete", Round: 1})
	_, err = l.WorkflowOf(t.Context(), "nobody")
	wantError(t, err, store.ErrNotFound)
}

func TestItsOwnRowIsNotInFlight(t *testing.T) {
	t.Parallel()
	l := announced(t)
	announce(t, l, "u2", 200)
	beginReview(t, l, "w", "u1", 2100)
	wantView(t, l, "u1", store.WorkflowView{ID: "w", Kind: "review", Completeness: "open_no_artifact", Phase: "context", Round: 1})
	a := storetest.Announcement("u3", 300, 2200)
	a.WorkflowID = "w"
	_, err := l.Announce(t.Context(), a)
	must(t, err)
	wantView(t, l, "u1", store.WorkflowView{ID: "w", Kind: "review", Completeness: "in_flight", Phase: "context", Round: 1})
}

func TestClosingAsksTheOthersToStop(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w", "u1", 2100)
	a := storetest.Announcement("u2", 200, 2200)
	a.WorkflowID = "w"
	_, err := l.Announce(t.Context(), a)
	must(t, err)
	completeRound(t, l, "w", 2300)
	finishWorkflow(t, l, "w", "u1", 2400)
	if got := execution(t, l, "u1").StopRequested; got != "" {
		t.Errorf("the closing run is asked to stop by %s", got)
	}
	if got := execution(t, l, "u2").StopRequested; got != lifecycle.StoppedByParent {
		t.Errorf("the other run is asked to stop by %q", got)
	}
	wantEvents(t, l, "u2", lifecycle.EventAnnounced, lifecycle.EventStopRequested)
}

func TestWorkflowLists(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "w1", "", 10)
	beginReview(t, l, "w2", "", 20)
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w2", Abort: true, At: storetest.At(30)})
	must(t, err)
	open, err := l.OpenWorkflows(t.Context(), "/repo")
	must(t, err)
	if len(open) != 1 || open[0].ID != "w1" {
		t.Errorf("open are %+v", open)
	}
	all, err := l.Workflows(t.Context(), "", 0)
	must(t, err)
	if len(all) != 2 || all[0].ID != "w2" || all[0].Goal != "g" || all[0].SessionDir != "/repo/.s" {
		t.Errorf("all are %+v", all)
	}
	if one, err := l.Workflows(t.Context(), "/repo", 1); err != nil || len(one) != 1 {
		t.Errorf("limited are %+v, %v", one, err)
	}
	if none, err := l.OpenWorkflows(t.Context(), "/elsewhere"); err != nil || len(none) != 0 {
		t.Errorf("elsewhere are %+v, %v", none, err)
	}
}
