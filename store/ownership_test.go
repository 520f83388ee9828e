package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// elsewhere announces u1 as another wrapper would, pid 999, and lets it fail if it is
// to have ended.
func elsewhere(t *testing.T, path string, ended bool) *store.Ledger {
	t.Helper()
	l := storetest.Open(t, path)
	_, err := l.Announce(t.Context(), storetest.Announcement("u1", 999, 500))
	must(t, err)
	if ended {
		must(t, finish(t.Context(), l, lost("u1", 700)))
	}
	return l
}

// everything has d write each kind of fact of u1, and wants each refused.
func (d *desk) everything(t *testing.T) {
	t.Helper()
	wantError(t, d.Launched(t.Context(), storetest.Launch("u1", 102, 2000)), store.ErrNotOurs)
	_, err := d.Beat(t.Context(), store.Beat{UID: "u1", Generation: 1, At: storetest.At(5000)})
	wantError(t, err, store.ErrNotOurs)
	wantError(t, d.Suspend(t.Context(), "u1", 1, storetest.At(3000), 20), store.ErrNotOurs)
	_, err = d.Append(t.Context(), store.Event{UID: "u1", Type: lifecycle.EventSlept, AtMS: 4500})
	wantError(t, err, store.ErrNotOurs)
	wantError(t, finish(t.Context(), d, storetest.Exit("u1", 0, 9000)), store.ErrNotOurs)
	if !d.Lost() {
		t.Error("what may not be written counts as written")
	}
}

// others wants u1 to be as the other wrapper left it.
func others(t *testing.T, l *store.Ledger, end lifecycle.ProcessEnd) {
	t.Helper()
	e := execution(t, l, "u1")
	if e.Wrapper.PID != 999 || e.Process.End != end || e.Process.ExitCode != nil || e.StartedAtMS != 0 || e.Beats != 0 || e.StoppedSinceMS != 0 {
		t.Errorf("the other's row is %+v", e)
	}
	for _, what := range eventTypes(t, l, "u1") {
		if what == lifecycle.EventSlept || what == lifecycle.EventLateTruth {
			t.Errorf("the other's row has the event %s", what)
		}
	}
}

// The row of another wrapper is not touched by one that could not announce its own.
func TestARowIsOneWrappersAlone(t *testing.T) {
	t.Parallel()
	for _, end := range []lifecycle.ProcessEnd{lifecycle.EndRunning, lifecycle.EndLost} {
		d := newDesk(t)
		l := elsewhere(t, d.path, end == lifecycle.EndLost)
		_, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
		wantError(t, err, store.ErrNotOurs)
		wantError(t, err, store.ErrConflict)
		d.everything(t)
		d.wantSpool(t)
		others(t, l, end)
	}
}

// Nor by one that was announced in a ledger that is gone, when another has taken its
// uid in the new one.
func TestAReplacedLedgerMayHaveAnothersRow(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		must(t, os.Remove(d.path+suffix))
	}
	l := elsewhere(t, d.path, false)
	d.everything(t)
	others(t, l, lifecycle.EndRunning)
}

// Nor by one that could not ask when it began: whoever takes its facts in, itself or
// a sweep, at once or bit by bit.
func TestASpoolDoesNotSpeakForAnother(t *testing.T) {
	t.Parallel()
	for _, end := range []lifecycle.ProcessEnd{lifecycle.EndRunning, lifecycle.EndLost} {
		for name, sweeps := range map[string]func(l *store.Ledger, d *desk){
			"itself": func(*store.Ledger, *desk) {},
			"sweep": func(l *store.Ledger, d *desk) {
				_, err := store.IngestSpool(t.Context(), l, d.spool)
				must(t, err)
			},
		} {
			t.Run(name+" "+string(end), func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				l := elsewhere(t, d.path, end == lifecycle.EndLost)
				d.away.Store(true)
				d.live(t)
				sweeps(l, d)
				d.finish(t)
				sweeps(l, d)
				others(t, l, end)
				d.away.Store(false)
				d.everything(t)
				d.wantSpool(t, "u1.jsonl.rejected")
				others(t, l, end)
			})
		}
	}
}

// A run is known from its first fact on, wherever that is.
func TestWhoIsKnown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	want := func(known bool) {
		t.Helper()
		if d.Knows(t.Context(), "u1") != known {
			t.Errorf("known: %v", !known)
		}
	}
	d.away.Store(true)
	want(false)
	d.live(t)
	want(true)
	d.away.Store(false)
	want(true)
	d.takeIn(t, 5)
	want(true)
	d.finish(t)
	want(true)
	must(t, os.Rename(d.path, filepath.Join(t.TempDir(), "ledger.db")))
	want(false)
}
