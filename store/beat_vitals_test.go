package store_test

import (
	"encoding/json"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

func TestBeatCarriesVitalsAndTellsOfTheSession(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	generation, err := l.Announce(t.Context(), storetest.Announcement("run", 100, 1_000))
	must(t, err)
	beat := func(v *store.Vitals) store.BeatAnswer {
		t.Helper()
		answer, err := l.Beat(t.Context(), store.Beat{UID: "run", Generation: generation, At: storetest.At(1_000), Vitals: v})
		must(t, err)
		return answer
	}
	stored := func() string {
		t.Helper()
		e, err := l.Execution(t.Context(), "run")
		must(t, err)
		b, err := json.Marshal(e.Vitals)
		must(t, err)
		return string(b)
	}
	if answer := beat(nil); answer != (store.BeatAnswer{}) || stored() != "null" {
		t.Errorf("%+v, %s: nothing is known", answer, stored())
	}
	saw := &store.Vitals{
		BusyMS: new(int64(7)), GrewMS: new(int64(0)), Turn: "yes", Waiting: true, LimitedUntilMS: 9, Dead: "192.0.2.1:443", Alarm: "stalled",
	}
	beat(saw)
	const want = `{"busy_ms":7,"grew_ms":0,"turn":"yes","waiting":true,"limited_until_ms":9,"dead":"192.0.2.1:443","alarm":"stalled"}`
	if got := stored(); got != want {
		t.Errorf("stored %s, want %s", got, want)
	}
	if beat(nil); stored() != want {
		t.Errorf("a beat without left %s", stored())
	}
	_, err = l.Report(t.Context(), store.SessionReport{
		UID: "run", At: storetest.At(2_000), Event: lifecycle.SessionEvent{Type: lifecycle.SessionEventTurnStarted, Turn: "t"},
	})
	must(t, err)
	answer := beat(nil)
	if answer.Session != lifecycle.SessionRunning || !answer.TurnOpen || answer.SessionAtMS != storetest.At(2_000).WallMS || answer.Revision != 0 {
		t.Errorf("%+v: a turn runs", answer)
	}
	for _, step := range []struct {
		at    int64
		event lifecycle.SessionEvent
		since int64
	}{
		{3_000, lifecycle.SessionEvent{Type: lifecycle.SessionEventState, State: lifecycle.SessionWordWaiting}, storetest.At(3_000).WallMS},
		{4_000, lifecycle.SessionEvent{Type: lifecycle.SessionEventTurnCompleted, Turn: "t"}, 0},
	} {
		_, err = l.Report(t.Context(), store.SessionReport{UID: "run", At: storetest.At(step.at), Event: step.event})
		must(t, err)
		e, err := l.Execution(t.Context(), "run")
		must(t, err)
		if answer := beat(nil); answer.AwaitsUserMS != step.since || e.AwaitsUserMS != step.since {
			t.Errorf("after %+v it waits since %d, and %d for readers, want %d", step.event, answer.AwaitsUserMS, e.AwaitsUserMS, step.since)
		}
	}
}

// TestEarlierWrappersBeatOn: the statement of the release before vitals still does its
// work, and leaves them alone.
func TestEarlierWrappersBeatOn(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	generation, err := l.Announce(t.Context(), storetest.Announcement("run", 100, 1_000))
	must(t, err)
	_, err = raw(t, l.Path(), "").ExecContext(t.Context(), `UPDATE executions SET beats = beats + 1, last_beat_wall = ?, last_beat_awake = ?,
		last_beat_boot = ?, suspended_ms = max(suspended_ms, ?), last_activity = COALESCE(?, last_activity),
		descendants = COALESCE(?, descendants)
		WHERE uid = ? AND generation = ? AND "end" = 'running' RETURNING stop_requested`, 5, 5, "boot", 0, nil, nil, "run", generation)
	must(t, err)
	e, err := l.Execution(t.Context(), "run")
	must(t, err)
	if e.Beats != 1 || e.Vitals != nil {
		t.Errorf("%d beats, %+v", e.Beats, e.Vitals)
	}
}
