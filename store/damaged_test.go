package store_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// damage writes over the ledger under the desk, all of which is in the file.
func (d *desk) damage(t *testing.T) {
	t.Helper()
	db := raw(t, d.path, "")
	_, err := db.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	must(t, err)
	must(t, os.WriteFile(d.path, bytes.Repeat([]byte("damage! "), 1<<14), 0o600))
}

// completenessOf is how far the work of the run got, none without any.
func completenessOf(v *store.WorkflowView) lifecycle.Completeness {
	if v == nil {
		return lifecycle.CompletenessNone
	}
	return v.Completeness
}

// TestWorkInADamagedLedger: of a run whose ledger broke under it the next ledger knows what
// the wrapper knew, which is that nobody can tell, whether there was work or not.
func TestWorkInADamagedLedger(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(*testing.T, *store.Ledger){
		"open review":     func(t *testing.T, l *store.Ledger) { t.Helper(); beginReview(t, l, "w", "u1", 2100) },
		"complete review": func(t *testing.T, l *store.Ledger) { t.Helper(); wholeReview(t, l, "w") },
		"nothing":         func(*testing.T, *store.Ledger) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, l := liveDesk(t)
			work(t, l)
			d.damage(t)
			d.finish(t)
			said := storetest.Exit("u1", 0, 9000)
			d.AddUnread(t.Context(), &said)
			d.remove(t)
			e := execution(t, d.takeIn(t, 2), "u1")
			if completenessOf(e.Workflow) != lifecycle.CompletenessUnreadable || completenessOf(said.HostWorkflow) != lifecycle.CompletenessUnreadable {
				t.Errorf("the work is %+v, the wrapper said %+v", e.Workflow, said.HostWorkflow)
			}
			wantSame(t, e.Evidence, said.Evidence)
		})
	}
}

// TestWorkInALedgerLostAfterTheEnd: an end that waits in the spool says what stood in the
// ledger, for another; the one that had the run knows better.
func TestWorkInALedgerLostAfterTheEnd(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, l *store.Ledger) { t.Helper(); beginReview(t, l, "w", "u1", 2100) }
	whole := func(t *testing.T, l *store.Ledger) { t.Helper(); wholeReview(t, l, "w") }
	for name, c := range map[string]struct {
		work func(*testing.T, *store.Ledger)
		lost bool
		want lifecycle.Completeness
	}{
		"open, lost":     {open, true, lifecycle.CompletenessUnreadable},
		"open, kept":     {open, false, lifecycle.CompletenessOpenNoArtifact},
		"complete, lost": {whole, true, lifecycle.CompletenessComplete},
		"nothing, lost":  {func(*testing.T, *store.Ledger) {}, true, lifecycle.CompletenessNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, l := liveDesk(t)
			c.work(t, l)
			free := hold(t, l.Path())
			d.finish(t)
			free()
			if c.lost {
				d.remove(t)
			}
			e := execution(t, d.takeIn(t, 2), "u1")
			if completenessOf(e.Workflow) != c.want {
				t.Errorf("the work is %+v, want %q", e.Workflow, c.want)
			}
		})
	}
}

// TestARowTakenOutBeforeTheEnd: what a run whose row is gone worked on nobody can tell, also
// where its end waits in the spool.
func TestARowTakenOutBeforeTheEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	_, err := raw(t, d.path, "").ExecContext(t.Context(), `DROP TRIGGER executions_kept; PRAGMA foreign_keys = OFF; DELETE FROM executions`)
	must(t, err)
	free := hold(t, d.path)
	d.finish(t)
	free()
	e := execution(t, d.takeIn(t, 2), "u1")
	if completenessOf(e.Workflow) != lifecycle.CompletenessUnreadable {
		t.Errorf("the work is %+v", e.Workflow)
	}
}
