package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// Nobody has to wait for a person who was asked whether to do what a sweep would: only
// the answer begins it.
func TestReapAsksWithoutLock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := filepath.Dir(b.ledger)
	const within = 20 * time.Second
	for _, c := range []struct{ name, answer, said string }{
		{"declined", "\r", "nothing was done"}, {"agreed", "y\r", "closed"},
	} {
		b.makeStale(t, c.name)
		term, err := ptytest.Start(ptytest.Config{Argv: []string{"ocr-run", "reap"}, Dir: b.dir, Env: append(b.state(t.Context(), "").Env, "TERM=dumb")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = term.Close() })
		if err := term.Expect("Do this?", within); err != nil {
			t.Fatal(err)
		}
		unlock, err := reaper.Lock(dir)
		if err != nil {
			t.Fatalf("%s: while a person is asked: %v", c.name, err)
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		if err := term.Send(c.answer); err != nil {
			t.Fatal(err)
		}
		if err := term.Expect(c.said, within); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := term.Wait(within); err != nil {
			t.Error(err)
		}
	}
}

// makeStale begins a session that nobody has touched for a month.
func (b bench) makeStale(t *testing.T, id string) {
	t.Helper()
	l, err := store.Open(t.Context(), store.Config{Path: b.ledger, BusyTimeout: busyTimeout})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := store.Instant{WallMS: clock.System().Now().Wall.Add(-30 * 24 * time.Hour).UnixMilli(), BootID: "x"}
	if _, _, err := l.BeginWorkflow(t.Context(), store.Begin{ID: id, Kind: lifecycle.KindReview, Branch: id, Workspace: b.dir, At: at}); err != nil {
		t.Fatal(err)
	}
}
