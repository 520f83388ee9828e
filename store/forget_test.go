package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// ended writes a run that ended at ms; begins names the workflow it begins, empty
// for none.
func ended(t *testing.T, l *store.Ledger, uid, begins string, ms int64) {
	t.Helper()
	a := storetest.Announcement(uid, int(ms), ms-10)
	if _, err := l.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := l.Launched(t.Context(), storetest.Launch(uid, int(ms)+500_000, ms-9)); err != nil {
		t.Fatal(err)
	}
	if begins != "" {
		b := store.Begin{ID: begins, Kind: lifecycle.KindReview, Branch: "b", Workspace: "/repo", UID: uid, At: storetest.At(ms - 5)}
		if _, _, err := l.BeginWorkflow(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Finish(t.Context(), storetest.Exit(uid, 0, ms)); err != nil {
		t.Fatal(err)
	}
}

// aborted closes a workflow at ms.
func aborted(t *testing.T, l *store.Ledger, id string, ms int64) {
	t.Helper()
	if _, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: id, Abort: true, At: storetest.At(ms)}); err != nil {
		t.Fatal(err)
	}
}

// remembered says whether a run is in the ledger.
func remembered(t *testing.T, l *store.Ledger, uid string) bool {
	t.Helper()
	_, err := l.Execution(t.Context(), uid)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// Old runs go with all that is about them, and whatever somebody still needs stays.
func TestForget(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	ended(t, l, "old", "", 1000)
	ended(t, l, "old-with-work", "closed", 1100)
	aborted(t, l, "closed", 1200)
	ended(t, l, "old-with-open-work", "open", 1300)
	ended(t, l, "old-closed-late", "late", 1400)
	aborted(t, l, "late", 6000)
	ended(t, l, "spared", "", 1500)
	ended(t, l, "parent", "", 1600)
	child := storetest.Announcement("child", 77, 1601)
	child.ParentUID = "parent"
	if _, err := l.Announce(t.Context(), child); err != nil {
		t.Fatal(err)
	}
	ended(t, l, "new", "", 7000)

	const before = 5000
	want := store.Forgotten{Executions: 2, Workflows: 1}
	if got, err := l.Forgettable(t.Context(), before, []string{"spared"}); err != nil || got != want {
		t.Errorf("forgettable %+v, %v", got, err)
	}
	if got, err := l.Forget(t.Context(), before, []string{"spared"}); err != nil || got != want {
		t.Errorf("forgotten %+v, %v", got, err)
	}
	for uid, stays := range map[string]bool{
		"old": false, "old-with-work": false, "old-with-open-work": true, "old-closed-late": true, "spared": true, "parent": true, "child": true, "new": true,
	} {
		if remembered(t, l, uid) != stays {
			t.Errorf("%s: known %v", uid, !stays)
		}
	}
	if _, err := l.Workflow(t.Context(), "closed"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the closed workflow: %v", err)
	}
	for _, f := range []store.EventFilter{{UID: "old"}, {WorkflowID: "closed"}} {
		if events, err := l.Events(t.Context(), f); err != nil || len(events) != 0 {
			t.Errorf("%d events are left of %+v, %v", len(events), f, err)
		}
	}
	if got, err := l.Forget(t.Context(), before, []string{"spared"}); err != nil || got != (store.Forgotten{}) {
		t.Errorf("the second time: %+v, %v", got, err)
	}
	if err := store.Check(context.WithoutCancel(t.Context()), l.Path()); err != nil {
		t.Error(err)
	}
	guarded(t, l.Path())
}

// guarded checks that nothing can be deleted in any other way.
func guarded(t *testing.T, path string) {
	t.Helper()
	db := raw(t, path, "")
	for _, table := range []string{"executions", "workflows", "events", "turns"} {
		var guards int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? AND sql LIKE '%BEFORE DELETE%'`, table).Scan(&guards)
		if err != nil || guards != 1 {
			t.Errorf("%s has %d guards, %v", table, guards, err)
		}
	}
	for _, table := range []string{"executions", "events"} {
		if _, err := db.ExecContext(t.Context(), `DELETE FROM `+table); err == nil {
			t.Errorf("%s can be deleted from", table)
		}
	}
}

// More than fits into one transaction is forgotten in several.
func TestForgetMany(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	const n = 520
	for i := range n {
		e := storetest.Exit(fmt.Sprint("u", i), 0, 1000)
		e.End, e.ExitCode = lifecycle.EndNotStarted, new(127)
		if _, err := l.Announce(t.Context(), storetest.Announcement(e.UID, i+1, 990)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Finish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := l.Forget(t.Context(), 5000, nil); err != nil || got.Executions != n {
		t.Errorf("%+v, %v", got, err)
	}
}
