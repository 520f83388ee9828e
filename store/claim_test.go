package store_test

import (
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// continuing is an execution that goes on with another one.
func continuing(uid, from string, pid int, at int64) store.Announcement {
	a := storetest.Announcement(uid, pid, at)
	a.ResumedFrom = from
	return a
}

// endedAt announces and ends an execution at a session.
func endedAt(t *testing.T, l *store.Ledger, uid, session string, at int64) {
	t.Helper()
	announce(t, l, uid, 100)
	end := storetest.Exit(uid, 1, at+1)
	end.AgentSessionID = session
	_, err := l.Finish(t.Context(), end)
	must(t, err)
}

func TestOneOfManyGetsTheSession(t *testing.T) {
	t.Parallel()
	for name, claim := range map[string]func(*store.Ledger, store.Announcement) error{
		"alone": func(l *store.Ledger, a store.Announcement) error { return l.Claim(t.Context(), a, "session") },
		"in a flow": func(l *store.Ledger, a store.Announcement) error {
			a.FlowID = "f"
			res, err := l.RunInFlow(t.Context(), store.FlowRun{Announcement: a, Session: "session"})
			if res.Created != (err == nil) || res.Refused != "" {
				t.Errorf("created %v, refused %q, %v", res.Created, res.Refused, err)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oneOfMany(t, claim)
		})
	}
}

// oneOfMany has many claim a session at once.
func oneOfMany(t *testing.T, claim func(*store.Ledger, store.Announcement) error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := storetest.Open(t, path)
	_, _, _, err := l.CreateFlow(t.Context(), store.NewFlow{ID: "f", Workspace: "/w", Owner: "me", At: storetest.At(50)})
	must(t, err)
	endedAt(t, l, "first", "session", 100)
	const many = 8
	errs := make([]error, many)
	var wg sync.WaitGroup
	for i := range many {
		own := storetest.Open(t, path)
		wg.Go(func() { errs[i] = claim(own, continuing("next"+strconv.Itoa(i), "first", 5000+i, 200)) })
	}
	wg.Wait()
	var won []string
	for i, err := range errs {
		if err == nil {
			won = append(won, "next"+strconv.Itoa(i))
		}
	}
	if len(won) != 1 || execution(t, l, won[0]).ResumedFrom != "first" {
		t.Fatalf("%q won: %v", won, errs)
	}
	for _, err := range errs {
		by, ok := errors.AsType[*store.OccupiedError](err)
		if err != nil && (!ok || by.UID != won[0] || by.PID == 0 || !errors.Is(err, store.ErrConflict)) {
			t.Errorf("refused with %v", err)
		}
	}
}

func TestWhoIsAtASession(t *testing.T) {
	t.Parallel()
	typed := storetest.Announcement("typed", 4712, 300)
	typed.Command = []string{"agent", "--resume", "session"}
	waits := continuing("waits", "other", 4711, 300)
	waits.NotBeforeMS, waits.WaitsFor = 5000, store.WaitLimit
	for name, c := range map[string]struct {
		by   store.Announcement
		free bool
	}{
		"goes on with the same run":          {by: continuing("x", "first", 4711, 300)},
		"goes on with one of that session":   {by: continuing("x", "second", 4711, 300)},
		"names it on the command line":       {by: typed},
		"is at another session":              {by: continuing("x", "other", 4711, 300), free: true},
		"waits for its launch":               {by: waits, free: true},
		"has nothing to do with any of them": {by: storetest.Announcement("x", 4712, 300), free: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := storetest.Open(t, filepath.Join(t.TempDir(), "ledger.db"))
			endedAt(t, l, "first", "session", 100)
			endedAt(t, l, "second", "session", 110)
			endedAt(t, l, "other", "another", 120)
			_, err := l.Announce(t.Context(), c.by)
			must(t, err)
			by, err := l.Occupant(t.Context(), "first", "session")
			must(t, err)
			if (by == nil) != c.free {
				t.Errorf("occupied by %v", by)
			}
			if err := l.Claim(t.Context(), continuing("next", "first", 4711, 400), "session"); (err == nil) != c.free {
				t.Errorf("claim: %v", err)
			}
		})
	}
}

func TestWhoWaitsHasTheSession(t *testing.T) {
	t.Parallel()
	l := storetest.Open(t, filepath.Join(t.TempDir(), "ledger.db"))
	endedAt(t, l, "first", "", 100)
	a := continuing("next", "first", 4711, 200)
	a.NotBeforeMS, a.WaitsFor = 5000, store.WaitPause
	must(t, l.Claim(t.Context(), a, ""))
	if e := execution(t, l, "next"); !e.Waiting() || e.NotBeforeMS != 5000 || e.WaitsFor != store.WaitPause {
		t.Errorf("%+v", e)
	}
	by, err := l.Occupant(t.Context(), "first", "")
	must(t, err)
	if by == nil || !by.Waiting || by.UID != "next" {
		t.Errorf("occupied by %+v", by)
	}
	// Whose it is may announce it again, as its launch does.
	generation, err := l.Announce(t.Context(), a)
	if err != nil || generation != 1 {
		t.Errorf("generation %d, %v", generation, err)
	}
	if err := l.Claim(t.Context(), continuing("third", "next", 4711, 300), ""); err == nil {
		t.Error("a run that has not ended was gone on with")
	}
}

func TestSuccessorOf(t *testing.T) {
	t.Parallel()
	l := storetest.Open(t, filepath.Join(t.TempDir(), "ledger.db"))
	endedAt(t, l, "first", "session", 100)
	is := func(want string) {
		t.Helper()
		e, err := l.SuccessorOf(t.Context(), "first")
		if e.UID != want || want == "" && !errors.Is(err, store.ErrNotFound) || want != "" && err != nil {
			t.Errorf("%q, %v; want %q", e.UID, err, want)
		}
	}
	is("")
	for i, uid := range []string{"second", "third"} {
		must(t, l.Claim(t.Context(), continuing(uid, "first", 5000+i, 200), "session"))
		is(uid)
		end := storetest.Exit(uid, 1, 300)
		if uid == "third" {
			end.End, end.ExitCode = lifecycle.EndNotStarted, new(125)
		}
		_, err := l.Finish(t.Context(), end)
		must(t, err)
	}
	is("second")
}
