package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// nested announces a run that was started inside another.
func nested(t *testing.T, l *store.Ledger, uid, parent string, pid int) {
	t.Helper()
	a := storetest.Announcement(uid, pid, 2000)
	a.ParentUID = parent
	_, err := l.Announce(t.Context(), a)
	must(t, err)
}

// takeUp makes a run work on a workflow.
func takeUp(t *testing.T, l *store.Ledger, id, uid string) {
	t.Helper()
	linked, err := l.TakeUp(t.Context(), id, uid, storetest.At(2200))
	must(t, err)
	if !linked {
		t.Fatalf("%s does not take up %s", uid, id)
	}
}

// A run that closes work it was given by the run around it must not end that
// run, which would end it with it; what it started goes on for nobody.
func TestClosingSparesTheRunsAround(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	announce(t, l, "root", 100)
	nested(t, l, "middle", "root", 200)
	nested(t, l, "closer", "middle", 300)
	nested(t, l, "child", "closer", 400)
	nested(t, l, "cousin", "root", 500)
	beginReview(t, l, "w", "root", 2100)
	for _, uid := range []string{"middle", "closer", "child", "cousin"} {
		takeUp(t, l, "w", uid)
	}
	completeRound(t, l, "w", 2300)
	finishWorkflow(t, l, "w", "closer", 2400)
	for uid, want := range map[string]lifecycle.StoppedBy{
		"root": "", "middle": "", "closer": "", "child": lifecycle.StoppedByParent, "cousin": lifecycle.StoppedByParent,
	} {
		if got := execution(t, l, uid).StopRequested; got != want {
			t.Errorf("%s is asked to stop by %q, want %q", uid, got, want)
		}
	}
	must(t, finish(t.Context(), l, storetest.Exit("root", 0, 2500)))
	if e := execution(t, l, "root"); e.Workflow.Completeness != lifecycle.CompletenessComplete {
		t.Errorf("the run around is judged by %+v", e.Workflow)
	}
	events, err := l.Events(t.Context(), store.EventFilter{UID: "child"})
	must(t, err)
	note := events[len(events)-1]
	if note.Type != lifecycle.EventStopRequested || note.WorkflowID != "w" ||
		string(note.Payload) != `{"by":"parent","reason":"parent-closed","closed_by":"closer"}` {
		t.Errorf("the note is %+v: %s", note, note.Payload)
	}
}

// A cycle of parents, which nothing writes and nothing forbids, ends.
func TestClosingInsideACycle(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	nested(t, l, "a", "b", 100)
	nested(t, l, "b", "a", 200)
	beginReview(t, l, "w", "a", 2100)
	takeUp(t, l, "w", "b")
	if n, err := l.OthersAtWork(t.Context(), "w", "a"); n != 0 || err != nil {
		t.Errorf("%d others at work, %v", n, err)
	}
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", UID: "a", Abort: true, At: storetest.At(2300)})
	must(t, err)
}

// A run works on what it took up besides its own, and is stopped with it once
// that is all it works on.
func TestClosingWhatWasTakenUpBesides(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w1", "u1", 2100)
	beginReview(t, l, "w2", "u1", 2200)
	for _, id := range []string{"w1", "w2"} {
		w, err := l.Workflow(t.Context(), id)
		must(t, err)
		if w.InFlight != 1 || w.Completeness() != lifecycle.CompletenessInFlight {
			t.Errorf("%s has %d in flight", id, w.InFlight)
		}
	}
	abort := func(id string) {
		_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: id, Abort: true, At: storetest.At(2300)})
		must(t, err)
	}
	abort("w2")
	if got := execution(t, l, "u1").StopRequested; got != "" {
		t.Errorf("with other work open it is asked to stop by %s", got)
	}
	beginReview(t, l, "w2", "u1", 2400)
	finish := store.FinishWorkflow{ID: "w1", UID: "u1", Abort: true, At: storetest.At(2500)}
	_, _, err := l.FinishWorkflow(t.Context(), finish)
	must(t, err)
	abort("w2")
	if got := execution(t, l, "u1").StopRequested; got != lifecycle.StoppedByParent {
		t.Errorf("with no other work open it is asked to stop by %q", got)
	}
}

func TestOthersAtWork(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	announce(t, l, "around", 100)
	nested(t, l, "asker", "around", 200)
	nested(t, l, "inside", "asker", 300)
	beginReview(t, l, "w", "around", 2100)
	takeUp(t, l, "w", "asker")
	takeUp(t, l, "w", "inside")
	for uid, want := range map[string]int{"": 3, "nobody": 3, "around": 2, "asker": 1, "inside": 0} {
		if got, err := l.OthersAtWork(t.Context(), "w", uid); got != want || err != nil {
			t.Errorf("beside %q are %d at work, %v; want %d", uid, got, err, want)
		}
	}
	if got, err := l.OthersAtWork(t.Context(), "nothing", "asker"); got != 0 || err != nil {
		t.Errorf("nobody works on nothing, but %d do, %v", got, err)
	}
}

// Trouble with the database is not the answer "there is none".
func TestTroubleIsNotAbsence(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w", "u1", 2100)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, ofRun := l.WorkflowOf(ctx, "u1")
	_, byName := l.Workflow(ctx, "w")
	_, _, completion := l.Completion(ctx, "w", 1)
	_, others := l.OthersAtWork(ctx, "w", "u1")
	for name, err := range map[string]error{"of run": ofRun, "by name": byName, "completion": completion, "others": others} {
		if err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Completing a later round than the present one moves the workflow to it; an
// earlier one stays unfinished.
func TestCompletingMovesTheRound(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/ledger.db"
	l := storetest.Open(t, path)
	beginReview(t, l, "w", "", 10)
	_, err := l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: "context", Round: 2, At: storetest.At(20)})
	must(t, err)
	advanceTo(t, l, "w", "synthesis", 30)
	_, _, err = l.CompleteRound(t.Context(), store.CompleteRound{ID: "w", Round: 1, At: storetest.At(40)})
	wantError(t, err, store.ErrInvariant)
	w, already, err := l.CompleteRound(t.Context(), store.CompleteRound{ID: "w", Round: 4, At: storetest.At(50)})
	must(t, err)
	if already || w.Round != 4 || w.Phase != lifecycle.PhaseComplete || !w.HasArtifact {
		t.Errorf("completing round 4, already %v, gives %+v", already, w)
	}
	finishWorkflow(t, l, "w", "", 60)
	beginReview(t, l, "w", "", 70)
	if h := storetest.Replay(t, storetest.Raw(t, path), "w"); h.Round != 5 || !h.Completed[4] || h.Completed[2] {
		t.Errorf("its history is %+v", h)
	}
}

// Work that is complete is closed as complete, wherever it was left.
func TestACompleteRoundIsClosedComplete(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/ledger.db"
	l := storetest.Open(t, path)
	beginReview(t, l, "w", "", 10)
	completeRound(t, l, "w", 20)
	_, err := l.AdvanceWorkflow(t.Context(), store.Advance{ID: "w", Phase: "context", At: storetest.At(30)})
	must(t, err)
	finishWorkflow(t, l, "w", "", 40)
	w, err := l.Workflow(t.Context(), "w")
	must(t, err)
	if w.Phase != lifecycle.PhaseComplete || w.Status != lifecycle.WorkflowSucceeded {
		t.Errorf("it is %+v", w)
	}
	storetest.Replay(t, storetest.Raw(t, path), "w")
}

// The same name in two workspaces is two workflows, decided under the lock.
func TestANameBelongsToItsWorkspace(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	begin := func(workspace string, kind lifecycle.Kind) (store.Workflow, error) {
		w, _, err := l.BeginWorkflow(t.Context(), store.Begin{
			ID: "w", ScopedID: "w@" + strings.Trim(workspace, "/"), Kind: kind, Workspace: workspace, At: storetest.At(10),
		})
		return w, err
	}
	first, err := begin("/a", lifecycle.KindReview)
	must(t, err)
	second, err := begin("/b", lifecycle.KindMap)
	must(t, err)
	if first.ID != "w" || second.ID != "w@b" {
		t.Errorf("they are %s and %s", first.ID, second.ID)
	}
	again, err := begin("/b", lifecycle.KindReview)
	kind, ok := errors.AsType[*store.KindError](err)
	if !ok || *kind != (store.KindError{ID: "w@b", Have: lifecycle.KindMap, Want: lifecycle.KindReview}) || again.ID != "w@b" {
		t.Errorf("as another kind it is %+v, %v", again, err)
	}
	wantError(t, err, store.ErrInvariant)
	again, err = begin("/a", lifecycle.KindReview)
	wantError(t, err, store.ErrInvariant)
	if again.ID != "w" {
		t.Errorf("the one under way is %+v", again)
	}
}

// What is said at the beginning stays with the event.
func TestABeginningKeepsItsPayload(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	for i, said := range []string{`{"head_sha":"a"}`, `{"head_sha":"b"}`} {
		_, _, err := l.BeginWorkflow(t.Context(), store.Begin{ID: "w", Kind: lifecycle.KindReview, Payload: []byte(said), At: storetest.At(10)})
		must(t, err)
		_, _, err = l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", Abort: true, At: storetest.At(20)})
		must(t, err)
		events, err := l.Events(t.Context(), store.EventFilter{WorkflowID: "w"})
		must(t, err)
		if got := string(events[2*i].Payload); got != said {
			t.Errorf("beginning %d says %s", i, got)
		}
	}
}
