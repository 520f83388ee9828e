package store_test

import (
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// importOf is a review found on disk.
func importOf(id string, phase lifecycle.Phase, round int) store.Import {
	return store.Import{
		ID: id, ScopedID: id + "@repo", Kind: lifecycle.KindReview, Branch: "b", Workspace: "/repo", SessionDir: "/repo/s/" + id,
		Phase: phase, Round: round, At: storetest.At(100),
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/ledger.db"
	l := storetest.Open(t, path)
	for _, want := range []bool{true, false} {
		w, imported, err := l.ImportWorkflow(t.Context(), importOf("done", lifecycle.PhaseComplete, 3))
		must(t, err)
		if imported != want || w.ID != "done" || w.Phase != lifecycle.PhaseComplete || w.Round != 3 || w.HasArtifact ||
			w.Status != lifecycle.WorkflowLost || w.CloseReason != "session_synced" || w.SessionDir != "/repo/s/done" {
			t.Errorf("imported %v: %+v", imported, w)
		}
		if w.Completeness() != lifecycle.CompletenessClosedWithoutArtifact {
			t.Errorf("it is %s", w.Completeness())
		}
	}
	_, imported, err := l.ImportWorkflow(t.Context(), importOf("open", "context", 2))
	must(t, err)
	if !imported {
		t.Error("it is not imported")
	}
	// Begun again, the complete one goes on after its round and the other in it.
	for id, round := range map[string]int{"done": 4, "open": 2} {
		w, _, err := l.BeginWorkflow(t.Context(), store.Begin{ID: id, Kind: lifecycle.KindReview, Workspace: "/repo", At: storetest.At(200)})
		must(t, err)
		if w.Round != round || w.Phase != "context" || w.Status != lifecycle.WorkflowRunning {
			t.Errorf("%s begins again as %+v", id, w)
		}
	}
	storetest.Replay(t, storetest.Raw(t, path), "open")
}

func TestWhatIsKnownIsNotImported(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "other name", "", 10)
	i := importOf("w", "context", 1)
	i.SessionDir = "/repo/.s"
	if _, imported, err := l.ImportWorkflow(t.Context(), i); imported || err != nil {
		t.Errorf("a directory with a row is imported: %v", err)
	}
	i = importOf("other name", "context", 1)
	if _, imported, err := l.ImportWorkflow(t.Context(), i); imported || err != nil {
		t.Errorf("a name with a row is imported: %v", err)
	}
	i.Workspace = "/elsewhere"
	w, imported, err := l.ImportWorkflow(t.Context(), i)
	if !imported || err != nil || w.ID != "other name@repo" {
		t.Errorf("the name of another workspace gives %+v, %v", w, err)
	}
}

// repaired repairs a workflow and checks what was done; a second try does
// nothing.
func repaired(t *testing.T, l *store.Ledger, r store.RepairRequest, want lifecycle.Repair) store.Workflow {
	t.Helper()
	before, err := l.WorkflowHistories(t.Context(), "/repo")
	must(t, err)
	for i, want := range []lifecycle.Repair{want, lifecycle.RepairNone} {
		h, done, err := l.RepairWorkflow(t.Context(), r)
		must(t, err)
		if done != want {
			t.Errorf("try %d on %s does %s, want %s", i+1, r.ID, done, want)
		}
		if i == 0 && h.LastEventMS != before[0].LastEventMS {
			t.Errorf("it was decided by %+v, not %+v", h, before[0])
		}
	}
	w, err := l.Workflow(t.Context(), r.ID)
	must(t, err)
	return w
}

const longAfter = 1000 + lifecycle.StaleAfterMS + 1

func TestAnAbandonedWorkflowIsClosed(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/ledger.db"
	l := storetest.Open(t, path)
	beginReview(t, l, "w", "", 500)
	advanceTo(t, l, "w", "reviews", 1000)
	at := storetest.At(longAfter - 1)
	repaired(t, l, store.RepairRequest{ID: "w", At: at}, lifecycle.RepairNone)
	w := repaired(t, l, store.RepairRequest{ID: "w", At: storetest.At(longAfter)}, lifecycle.RepairStale)
	if w.Status != lifecycle.WorkflowLost || w.Phase != "reviews" || w.CloseReason != "session_auto_closed_stale" {
		t.Errorf("it is %+v", w)
	}
	storetest.Replay(t, storetest.Raw(t, path), "w")
}

func TestAbandonedCompleteWorkIsComplete(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "w", "", 500)
	completeRound(t, l, "w", 1000)
	w := repaired(t, l, store.RepairRequest{ID: "w", At: storetest.At(longAfter)}, lifecycle.RepairStale)
	if w.Status != lifecycle.WorkflowSucceeded || w.Completeness() != lifecycle.CompletenessComplete {
		t.Errorf("it is %+v", w)
	}
}

// A live run keeps its work open for as long as it lives.
func TestWorkUnderWayIsNotAbandoned(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beginReview(t, l, "w0", "u1", 500)
	beginReview(t, l, "w", "u1", 1000)
	late := store.RepairRequest{ID: "w", At: storetest.At(3000 + lifecycle.StaleAfterMS)}
	repaired(t, l, late, lifecycle.RepairNone)
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 2500)))
	repaired(t, l, late, lifecycle.RepairStale)
}

// Closed without any event to account for it, as no version of ours writes: the
// guard is taken away to get there.
func TestClosedWithoutAnEvent(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind         lifecycle.Kind
		report       int
		want         lifecycle.Repair
		completeness lifecycle.Completeness
	}{
		{lifecycle.KindReview, 1, lifecycle.RepairRound, lifecycle.CompletenessComplete},
		{lifecycle.KindMap, 1, lifecycle.RepairMap, lifecycle.CompletenessComplete},
		{lifecycle.KindReview, 0, lifecycle.RepairGrandfather, lifecycle.CompletenessClosedWithoutArtifact},
		{lifecycle.KindMap, 2, lifecycle.RepairGrandfather, lifecycle.CompletenessClosedWithoutArtifact},
	}
	for _, tt := range tests {
		path := t.TempDir() + "/ledger.db"
		l := storetest.Open(t, path)
		_, _, err := l.BeginWorkflow(t.Context(), store.Begin{ID: "w", Kind: tt.kind, Workspace: "/repo", At: storetest.At(500)})
		must(t, err)
		for _, query := range []string{
			`DROP TRIGGER workflows_close`,
			`UPDATE workflows SET status = 'succeeded', ended_at = 1000, revision = revision + 1`,
		} {
			_, err := storetest.Raw(t, path).ExecContext(t.Context(), query)
			must(t, err)
		}
		w := repaired(t, l, store.RepairRequest{ID: "w", ReportRound: tt.report, At: storetest.At(1000)}, tt.want)
		if w.Completeness() != tt.completeness {
			t.Errorf("%s: it is %s, want %s", tt.want, w.Completeness(), tt.completeness)
		}
	}
}

// Giving up is a decision, and no file overrules it.
func TestAReasonStands(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "w", "", 500)
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", Abort: true, At: storetest.At(1000)})
	must(t, err)
	repaired(t, l, store.RepairRequest{ID: "w", ReportRound: 1, At: storetest.At(longAfter)}, lifecycle.RepairNone)
	_, _, err = l.RepairWorkflow(t.Context(), store.RepairRequest{ID: "nothing"})
	wantError(t, err, store.ErrNotFound)
}
