package reaper

import (
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// A run is idle when it has been silent for long, with no turn under way, and the
// machine's sleep is not held against it.
func TestIdling(t *testing.T) {
	t.Parallel()
	at := heartbeat.Observer{Now: store.Instant{WallMS: 100 * hourMS, AwakeMS: 50 * hourMS, BootID: "b"}}
	base := store.Execution{
		Announcement:   store.Announcement{UID: "a", BeatMS: 10_000},
		Process:        lifecycle.Process{End: lifecycle.EndRunning},
		LastBeat:       store.Instant{WallMS: at.Now.WallMS - 5000, AwakeMS: at.Now.AwakeMS - 5000, BootID: "b"},
		LastActivityMS: at.Now.WallMS - 2*hourMS,
	}
	tests := map[string]struct {
		change func(*store.Execution)
		after  time.Duration
		want   bool
	}{
		"silent for long":          {func(*store.Execution) {}, time.Hour, true},
		"not wanted":               {func(*store.Execution) {}, 0, false},
		"silent for a while":       {func(*store.Execution) {}, 3 * time.Hour, false},
		"silence not known":        {func(e *store.Execution) { e.LastActivityMS = 0 }, time.Hour, false},
		"in a turn":                {func(e *store.Execution) { e.Turn = lifecycle.TurnRunning }, time.Hour, false},
		"before a turn":            {func(e *store.Execution) { e.Turn = lifecycle.TurnPending }, time.Hour, false},
		"after a turn":             {func(e *store.Execution) { e.Turn = lifecycle.TurnCompleted }, time.Hour, true},
		"suspended by job control": {func(e *store.Execution) { e.StoppedSinceMS = 1 }, time.Hour, false},
		"asked before":             {func(e *store.Execution) { e.StopRequested = lifecycle.StoppedByUser }, time.Hour, false},
		"of another boot":          {func(e *store.Execution) { e.LastBeat.BootID = "c" }, time.Hour, false},
		"late":                     {func(e *store.Execution) { e.LastBeat.AwakeMS -= hourMS }, time.Hour, false},
		"silent because asleep":    {func(e *store.Execution) { e.SuspendedMS = hourMS }, time.Hour, false},
		"silent besides asleep":    {func(e *store.Execution) { e.SuspendedMS = hourMS - 120_000 }, time.Hour, true},
		"asleep since the last beat": {func(e *store.Execution) {
			e.LastBeat.WallMS -= 8 * hourMS
			e.LastActivityMS -= 8 * hourMS
		}, time.Hour, false},
	}
	for name, tt := range tests {
		e := base
		tt.change(&e)
		if _, got := idling(e, at, tt.after); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

const hourMS = 3_600_000

// An idle run is asked, and not ended.
func TestIdleRunIsAsked(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	at := here(t)
	announce(t, s.Ledger, s.dir, "a", me(t, at), noOne(at), at)
	if _, err := s.Ledger.Beat(t.Context(), store.Beat{UID: "a", Generation: 1, At: at.Now, LastActivityMS: at.Now.WallMS - hourMS}); err != nil {
		t.Fatal(err)
	}
	s.IdleAfter = IdleLeast
	if r := s.reap(); len(r.Runs) != 1 || r.Runs[0].Action != ActionAsk || !r.Runs[0].Done {
		t.Errorf("%+v", r.Runs)
	}
	e, err := s.Ledger.Execution(t.Context(), "a")
	if err != nil || e.StopRequested != lifecycle.StoppedByIdle || e.Process.End.Over() {
		t.Errorf("%s, %+v, %v", e.StopRequested, e.Process, err)
	}
	if r := s.reap(); len(r.Runs) != 0 {
		t.Errorf("it was asked again: %+v", r.Runs)
	}
}
