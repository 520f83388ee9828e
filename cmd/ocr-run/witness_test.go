package main

import (
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// TestEndedByStranger: an agent that says it was interrupted was not, by its user,
// when another signal ended it that nobody we know of sent.
func TestEndedByStranger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  store.Ending
		want bool
	}{
		{"TERM", store.Ending{Signal: new(15)}, true},
		{"TERM, reported as a code", store.Ending{ExitCode: new(143)}, true},
		{"INT", store.Ending{Signal: new(2)}, false},
		{"INT, reported as a code", store.Ending{ExitCode: new(130)}, false},
		{"our own TERM", store.Ending{Signal: new(15), StoppedBy: lifecycle.StoppedByUser}, false},
		{"an exit", store.Ending{ExitCode: new(1)}, false},
		{"an HTTP status as a code", store.Ending{ExitCode: new(173)}, false},
		{"a lost run", store.Ending{}, false},
	} {
		if got := endedByStranger(&c.end); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestSinceByTheClockAsItIs: what a run wrote after its clock was set back is found.
func TestSinceByTheClockAsItIs(t *testing.T) {
	t.Parallel()
	began := clock.Reading{Wall: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Awake: time.Hour, Suspended: time.Minute}
	s := &witness{began: began}
	for name, c := range map[string]struct{ wall, back time.Duration }{
		"as it was": {30 * time.Minute, 0}, "kept right": {30*time.Minute - time.Second/2, 0},
		"set back": {-30 * time.Minute, time.Hour}, "set on": {3 * time.Hour, 0},
	} {
		now := clock.Reading{Wall: began.Wall.Add(c.wall), Awake: began.Awake + 20*time.Minute, Suspended: began.Suspended + 10*time.Minute}
		if got := s.since(now); !got.Equal(began.Wall.Add(-c.back)) {
			t.Errorf("%s: since %v", name, got)
		}
	}
}

// A turn that broke off in trouble is not completed, whatever the agent's hooks say of
// it; text may be of an earlier one.
func TestAHookDoesNotOutvoteTheRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		seen agent.Evidence
		want lifecycle.TurnState
	}{
		{agent.Evidence{Source: agent.SourceRecord, Turn: agent.TurnOpen, Points: agent.CauseDisconnect}, lifecycle.TurnInterrupted},
		{agent.Evidence{Source: agent.SourceRecord, Turn: agent.TurnOpen}, lifecycle.TurnCompleted},
		{agent.Evidence{Source: agent.SourceText, Turn: agent.TurnOpen, Points: agent.CauseDisconnect}, lifecycle.TurnCompleted},
		{agent.Evidence{Source: agent.SourceRecord, Turn: agent.TurnInterrupted, Points: agent.CauseUser}, lifecycle.TurnInterrupted},
		{agent.Evidence{Source: agent.SourceJSON, Turn: agent.TurnFailed}, lifecycle.TurnError},
	} {
		facts := lifecycle.Facts{Turn: lifecycle.TurnCompleted, Evidence: []lifecycle.Evidence{evidenceOf(test.seen, 1)}}
		if got := facts.LastTurn(); got != test.want {
			t.Errorf("%+v beside a completed turn: %q, want %q", test.seen, got, test.want)
		}
	}
}
