package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// TestTheLastBeatIsRemembered: it is the one in the row, or nobody's.
func TestTheLastBeatIsRemembered(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	want := func(ms int64) {
		t.Helper()
		l, err := d.Ledger(t.Context())
		must(t, err)
		if got, row := d.LastBeat(), execution(t, l, "u1").LastBeat; got != row || got.WallMS != ms {
			t.Errorf("the last beat is %+v, in the row %+v, want one at %d", got, row, ms)
		}
	}
	d.live(t)
	want(1000)
	d.beat(t)
	want(5000)
	d.remove(t)
	_, err := d.Append(t.Context(), store.Event{UID: "u1", Type: lifecycle.EventSlept, AtMS: 6000})
	must(t, err)
	if got := d.LastBeat(); got != (store.Instant{}) {
		t.Errorf("the last beat is %+v after it was lost", got)
	}
	other := store.NewRecorder(store.RecorderConfig{Open: d.open})
	defer func() { must(t, other.Close()) }()
	later := storetest.Announcement("u1", 100, 7000)
	_, err = other.Announce(t.Context(), later)
	must(t, err)
	if got := other.LastBeat(); got != (store.Instant{}) {
		t.Errorf("the last beat is %+v, by an announcement of a row that stood already", got)
	}
}

// Who must know what waits of one run does not take it for nothing that another process
// is taking in.
func TestTheFactsOfOneRunAreTakenIn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	l, err := d.open(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	must(t, store.IngestRun(t.Context(), l, d.spool, "u1"))
	d.away.Store(true)
	d.live(t)
	lock, err := os.Create(filepath.Join(d.spool, ".lock"))
	must(t, err)
	must(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))
	wantError(t, store.IngestRun(t.Context(), l, d.spool, "u1"), store.ErrBusy)
	must(t, lock.Close())
	must(t, store.IngestRun(t.Context(), l, d.spool, "u1"))
	d.wantSpool(t)
	if e := execution(t, l, "u1"); e.StartedAtMS != 2000 {
		t.Errorf("row is %+v", e)
	}
}
