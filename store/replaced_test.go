package store_test

import (
	"os"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// TestALogThatIsRemoved: a run whose ledger is damaged in place, with all that is new in the
// log it has open, saves it, and goes on.
func TestALogThatIsRemoved(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"log removed": func(path string) error { return os.Remove(path + "-wal") },
		"log and index removed": func(path string) error {
			_ = os.Remove(path + "-shm")
			return os.Remove(path + "-wal")
		},
		"file emptied": func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, l := liveDesk(t)
			beginReview(t, l, "w", "u1", 2100)
			must(t, harm(d.path))
			if gone, err := l.Replaced(); !gone || err != nil {
				t.Errorf("it is not noticed: %v", err)
			}
			d.beat(t)
			d.finish(t)
			must(t, d.Close())
			must(t, store.Check(t.Context(), d.path))
			e := execution(t, d.takeIn(t, 0), "u1")
			if !e.Process.End.Over() || completenessOf(e.Workflow) != lifecycle.CompletenessOpenNoArtifact {
				t.Errorf("it ended %+v, the work is %+v", e.Process, e.Workflow)
			}
		})
	}
}

// TestALogThatAnotherTakesThePlaceOf: a run whose log is another's now writes nothing to the
// file any more, and says in the spool that nobody can tell what it worked on.
func TestALogThatAnotherTakesThePlaceOf(t *testing.T) {
	t.Parallel()
	d, l := liveDesk(t)
	must(t, os.Remove(d.path+"-wal"))
	must(t, os.WriteFile(d.path+"-wal", []byte("another"), 0o600))
	before, err := os.ReadFile(d.path)
	must(t, err)
	d.beatInVain(t)
	d.finish(t)
	must(t, d.Close())
	if _, err := d.Ledger(t.Context()); err == nil {
		t.Error("it is open")
	}
	after, err := os.ReadFile(d.path)
	must(t, err)
	if string(after) != string(before) || !d.Degraded() {
		t.Errorf("the file was written to, degraded %v", d.Degraded())
	}
	d.remove(t)
	must(t, l.Close()) // nothing is in its way any more
	e := execution(t, d.takeIn(t, 2), "u1")
	if completenessOf(e.Workflow) != lifecycle.CompletenessUnreadable || !e.Degraded {
		t.Errorf("the work is %+v", e.Workflow)
	}
}
