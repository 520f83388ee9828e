package store

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// busyError is what SQLite says while another process writes.
func busyError(t *testing.T) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	var ledgers [2]*Ledger
	for i := range ledgers {
		l, err := Open(t.Context(), Config{Path: path, BusyTimeout: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		ledgers[i] = l
	}
	tx, err := ledgers[0].db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	_, busy := ledgers[1].db.BeginTx(t.Context(), nil)
	if !hasCode(busy, codeBusy) {
		t.Fatalf("a locked ledger says %v", busy)
	}
	return busy
}

// What SQLite waits by itself, in slices, is part of the patience.
func TestPatienceIsKept(t *testing.T) {
	t.Parallel()
	busy := busyError(t)
	for _, c := range []struct {
		busy, patience, slice time.Duration
		least, most           time.Duration
	}{
		{300 * time.Millisecond, time.Hour, busySlice, 300 * time.Millisecond, 310 * time.Millisecond},
		{300 * time.Millisecond, 300 * time.Millisecond, 0, 250 * time.Millisecond, 300 * time.Millisecond},
		{300 * time.Millisecond, 300 * time.Millisecond / retryShare, busySlice, busySlice, busySlice},
		{5 * time.Second, 2 * time.Second, busySlice, 1950 * time.Millisecond, 2050 * time.Millisecond},
		{10 * time.Millisecond, time.Hour, 10 * time.Millisecond, 10 * time.Millisecond, 10 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			l := &Ledger{busy: c.busy}
			err := l.patiently(calm{t.Context(), c.patience}, func() error {
				time.Sleep(c.slice)
				return busy
			})
			if waited := time.Since(began); err == nil || waited < c.least || waited > c.most {
				t.Errorf("a ledger that waits %v, asked for %v, waited %v in slices of %v", c.busy, c.patience, waited, c.slice)
			}
		})
	}
}

// A spool that another process takes in is waited for as the ledger is.
func TestPatienceIsForTheSpoolToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := (&Ledger{busy: time.Second}).patiently(t.Context(), func() error {
			if tries++; tries < 3 {
				return ErrBusy
			}
			return nil
		})
		if err != nil || tries != 3 {
			t.Errorf("after %d tries: %v", tries, err)
		}
	})
}
