package store_test

import (
	"errors"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// A process is named once, by what became of it last, and each news is an event.
func TestRecordLeftovers(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	a, b := store.Leftover{PID: 1, StartTicks: 10, Command: "a"}, store.Leftover{PID: 2, StartTicks: 20, Command: "b"}
	if _, err := l.Announce(t.Context(), storetest.Announcement("u", 9, 1)); err != nil {
		t.Fatal(err)
	}
	record := func(now store.Leftovers) error { return l.RecordLeftovers(t.Context(), "u", now, storetest.At(5)) }
	if err := record(store.Leftovers{Stopped: []store.Leftover{a}}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("of a live run: %v", err)
	}
	end := store.Ending{UID: "u", Generation: 1, End: lifecycle.EndLost, At: storetest.At(2), AwakeMS: -1}
	end.Leftovers.Remaining = []store.Leftover{a, b}
	if _, err := l.Finish(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	a.Signal = "SIGTERM"
	for range 2 {
		if err := record(store.Leftovers{Stopped: []store.Leftover{a}, Remaining: []store.Leftover{b}}); err != nil {
			t.Fatal(err)
		}
	}
	e, err := l.Execution(t.Context(), "u")
	if err != nil || len(e.Leftovers.Stopped) != 1 || len(e.Leftovers.Remaining) != 1 || len(e.Leftovers.Kept) != 0 || e.Leftovers.Stopped[0] != a {
		t.Errorf("%+v, %v", e.Leftovers, err)
	}
	events, err := l.Events(t.Context(), store.EventFilter{UID: "u"})
	n := 0
	for _, ev := range events {
		if ev.Type == lifecycle.EventLeftoverStopped {
			n++
		}
		if ev.Type == lifecycle.EventLeftoverRemains {
			t.Errorf("no news was told: %s", ev.Payload)
		}
	}
	if n != 1 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
	if err := l.RecordLeftovers(t.Context(), "nobody", store.Leftovers{}, storetest.At(5)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

// Only what nobody has touched for a week is stale, decided at the moment of
// closing, and requests that came to nothing are found.
func TestStaleAndStuck(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	const week = lifecycle.StaleAfterMS
	begin := store.Begin{ID: "w", Kind: lifecycle.KindReview, Branch: "b", Workspace: "/repo", At: storetest.At(1000)}
	if _, _, err := l.BeginWorkflow(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64]bool{1000: false, 1000 + week: false} {
		if done, err := l.CloseStale(t.Context(), "w", storetest.At(at)); done != want || err != nil {
			t.Errorf("at %d: %v, %v", at, done, err)
		}
	}
	open, err := l.OpenHistories(t.Context())
	if err != nil || len(open) != 1 || open[0].Stale(storetest.At(1000+week)) || !open[0].Stale(storetest.At(1001+week)) {
		t.Errorf("%+v, %v", open, err)
	}
	for _, want := range []bool{true, false} {
		if done, err := l.CloseStale(t.Context(), "w", storetest.At(1001+week)); done != want || err != nil {
			t.Errorf("closing: %v, %v, want %v", done, err, want)
		}
	}
	if _, err := l.Announce(t.Context(), storetest.Announcement("u", 9, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.RequestStop(t.Context(), "u", lifecycle.StoppedByUser, storetest.At(100)); err != nil {
		t.Fatal(err)
	}
	if found, err := l.StuckRequests(t.Context(), 100); err != nil || len(found) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	want := store.Stuck{UID: "u", By: lifecycle.StoppedByUser, SinceMS: 100}
	if found, err := l.StuckRequests(t.Context(), 101); err != nil || len(found) != 1 || found[0] != want {
		t.Errorf("%+v, %v", found, err)
	}
}
