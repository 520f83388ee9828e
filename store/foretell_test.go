package store_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// told is an event of a session, as somebody tells it.
func told(t lifecycle.SessionEventType, turn string, atMS int64) store.SessionReport {
	return store.SessionReport{UID: "u1", At: storetest.At(atMS), Event: lifecycle.SessionEvent{Type: t, Turn: turn}}
}

// TestTheLastTurnIsForetold: what is told of a run's turns while the ledger is away,
// by others and at any point, counts as it will once it is taken in.
func TestTheLastTurnIsForetold(t *testing.T) {
	t.Parallel()
	const enough = 30 // each opens the ledger several times
	states := append(lifecycle.SessionStateWords(), "", "completed", "failed", "cancelled")
	d := newDesk(t)
	l := storetest.Open(t, d.path)
	var runs int
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > enough {
			return
		}
		uid := "u" + strconv.Itoa(runs)
		own := store.NewRecorder(store.RecorderConfig{SpoolDir: d.spool, Open: d.open})
		defer func() { must(t, own.Close()) }()
		_, err := own.Announce(t.Context(), storetest.Announcement(uid, 100+runs, 1000))
		must(t, err)
		others := store.NewRecorder(store.RecorderConfig{SpoolDir: d.spool, Timeout: time.Millisecond, Open: d.open})
		n := rapid.IntRange(0, 10).Draw(rt, "events")
		lockedFrom := rapid.IntRange(0, n).Draw(rt, "locked from")
		for i := range n {
			d.away.Store(i >= lockedFrom)
			r := told(rapid.SampledFrom(lifecycle.SessionEventTypes()).Draw(rt, "type"),
				rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "turn"), 5000+int64(i))
			r.UID = uid
			r.Event.State = rapid.SampledFrom(states).Draw(rt, "state")
			r.Event.Session = rapid.SampledFrom([]string{"", "", "s"}).Draw(rt, "session")
			r.ExternalID = rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(rt, "external id")
			if rapid.Bool().Draw(rt, "said") {
				r.SaidMS = 5000 + int64(rapid.IntRange(0, 10).Draw(rt, "said at"))
			}
			_, _, err := others.Report(t.Context(), r)
			must(t, err)
		}
		must(t, others.Close())
		release := func() {}
		if d.away.Swap(false) {
			release = hold(t, d.path)
		}
		must(t, finish(t.Context(), own, storetest.Exit(uid, 0, 9000)))
		foretold, err := own.LastTurn(t.Context(), uid)
		must(t, err)
		session := own.Session(t.Context(), uid)
		release()
		_, err = store.IngestSpool(t.Context(), l, d.spool)
		must(t, err)
		if got := execution(t, l, uid).AgentSessionID; got != session {
			rt.Errorf("its session is %q, and was to be %q", got, session)
		}
		if got := execution(t, l, uid).Turn; got != foretold {
			rt.Errorf("the last turn is %s, and was to be %s", got, foretold)
		}
		if again, err := own.LastTurn(t.Context(), uid); err != nil || again != foretold {
			rt.Errorf("afterwards it is %s, %v", again, err)
		}
	})
}

// TestAnEndDoesNotOvertakeWhatWasTold: an end that is written before what others have
// put into the spool would make them late.
func TestAnEndDoesNotOvertakeWhatWasTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.live(t)
	others := store.NewRecorder(store.RecorderConfig{SpoolDir: d.spool, Open: d.open})
	d.away.Store(true)
	_, deferred, err := others.Report(t.Context(), told(lifecycle.SessionEventTurnStarted, "1", 6000))
	must(t, err)
	if !deferred {
		t.Fatal("it did not go to the spool")
	}
	d.away.Store(false)
	lock := filepath.Join(d.spool, ".lock")
	must(t, os.Mkdir(lock, 0o700)) // nobody can take anything in
	d.finish(t)
	must(t, os.Remove(lock))
	if turn, err := d.LastTurn(t.Context(), "u1"); err != nil || turn != lifecycle.TurnInterrupted {
		t.Errorf("the last turn is %s, %v", turn, err)
	}
	l := d.takeIn(t, 3)
	if e := execution(t, l, "u1"); e.Turn != lifecycle.TurnInterrupted || e.Process.End != lifecycle.EndExited {
		t.Errorf("the run is %+v", e)
	}
}

// TestWhatCannotBeReadIsNotForetold: with no way to know what came before, or what
// was told, nobody says how it stands.
func TestWhatCannotBeReadIsNotForetold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.away.Store(true)
	d.live(t)
	_, _, err := d.Report(t.Context(), told(lifecycle.SessionEventTurnStarted, "1", 6000))
	must(t, err)
	if turn, err := d.LastTurn(t.Context(), "u1"); err != nil || turn != lifecycle.TurnInterrupted {
		t.Errorf("of a run that is in the spool alone the last turn is %s, %v", turn, err)
	}
	d.away.Store(false)
	d.beat(t)
	_, _, err = d.Report(t.Context(), told(lifecycle.SessionEventTurnCompleted, "1", 7000))
	must(t, err)
	must(t, d.Close())
	d.away.Store(true)
	if turn, err := d.LastTurn(t.Context(), "u1"); err != nil || turn != lifecycle.TurnNone {
		t.Errorf("with nothing told it is %s, %v", turn, err)
	}
	_, _, err = d.Report(t.Context(), told(lifecycle.SessionEventTurnCompleted, "1", 7000))
	must(t, err)
	if turn, err := d.LastTurn(t.Context(), "u1"); err == nil {
		t.Errorf("without the ledger it is %s", turn)
	}
	d.away.Store(false)
	must(t, os.Mkdir(filepath.Join(d.spool, "u1.jsonl.taken"), 0o700))
	if turn, err := d.LastTurn(t.Context(), "u1"); err == nil {
		t.Errorf("without the spool it is %s", turn)
	}
}
