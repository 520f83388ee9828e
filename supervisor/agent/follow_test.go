package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// entries of a rollout.
const (
	metaEntry    = `{"timestamp":"2026-01-31T12:00:01Z","type":"session_meta","payload":{"id":"s","cwd":"/w"}}` + "\n"
	startEntry   = `{"timestamp":"2026-01-31T12:00:02Z","type":"event_msg","payload":{"type":"task_started"}}` + "\n"
	messageEntry = `{"timestamp":"2026-01-31T12:00:03Z","type":"event_msg","payload":{"type":"agent_message","message":"x"}}` + "\n"
	endEntry     = `{"timestamp":"2026-01-31T12:00:04Z","type":"event_msg","payload":{"type":"task_complete"}}` + "\n"
)

// types are the types of events.
func types(events []Event) (all []EventType) {
	for _, e := range events {
		all = append(all, e.Type)
	}
	return all
}

func TestFollowerOfLines(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rollout-s.jsonl")
	since := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	f := codex().Follow(Record{Path: path}, since)
	if f.Grew() {
		t.Error("a record that is not there grew")
	}
	old := `{"timestamp":"2026-01-30T12:00:00Z","type":"event_msg","payload":{"type":"task_complete"}}` + "\n"
	steps := []struct {
		text string
		want []EventType
		turn Turn
	}{
		{old + metaEntry, []EventType{EventSessionStarted}, TurnUnknown},
		{startEntry[:20], nil, TurnUnknown},
		{startEntry[20:], []EventType{EventTurnStarted}, TurnOpen},
		{messageEntry, nil, TurnOpen},
		{"", nil, TurnOpen},
		{endEntry + startEntry, []EventType{EventTurnCompleted, EventTurnStarted}, TurnOpen},
		{endEntry, []EventType{EventTurnCompleted}, TurnCompleted},
	}
	var text strings.Builder
	for i, s := range steps {
		text.WriteString(s.text)
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		if s.text != "" && !f.Grew() {
			t.Errorf("step %d: it did not grow", i)
		}
		if got := types(f.Lines()); !slices.Equal(got, s.want) || f.Standing().Turn != s.turn {
			t.Errorf("step %d: %v, %q; want %v, %q", i, got, f.Standing().Turn, s.want, s.turn)
		}
	}
	if f.Grew() {
		t.Error("it grew although nobody wrote")
	}
	moves := f.Standing().Moves
	if moves == 0 {
		t.Error("nothing moved")
	}
	// Written anew: what it says is told, what happened is not told again.
	if err := os.WriteFile(path, []byte(metaEntry+startEntry), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := f.Lines(); len(got) > 0 || f.Standing().Turn != TurnOpen {
		t.Errorf("written anew: %v, %q", types(got), f.Standing().Turn)
	}
}

func TestFollowerOfRows(t *testing.T) {
	t.Parallel()
	row := func(message string) string { return `{"session":"ses_1","message":` + message + `}` }
	user, asked := row(`{"role":"user"}`), row(`{"role":"assistant"}`)
	answered, unknown := row(`{"role":"assistant","finish":"stop"}`), row(`{"role":"assistant","finish":"unknown"}`)
	f := opencode().Follow(Record{Path: "db", Query: "q"}, time.Time{})
	for i, s := range []struct {
		rows []string
		want []EventType
	}{
		{nil, nil},
		{[]string{user}, []EventType{EventSessionStarted, EventTurnStarted}},
		{[]string{user, asked}, nil},
		{[]string{user, answered}, []EventType{EventTurnCompleted}},
		{[]string{user, answered, user}, []EventType{EventTurnStarted}},
	} {
		if got := types(f.Rows(s.rows)); !slices.Equal(got, s.want) {
			t.Errorf("step %d: %v, want %v", i, got, s.want)
		}
	}
	// The oldest rows dropped out: nothing more can be told.
	rows := []string{user}
	for range runawaySpins {
		rows = append(rows, unknown)
	}
	if got := f.Rows(rows); len(got) > 0 || !f.Standing().Runaway() {
		t.Errorf("%v, runaway %v", types(got), f.Standing().Runaway())
	}
	if got := f.Rows([]string{user, `{"session":"ses_2","message":{"role":"user"}}`}); got != nil {
		t.Errorf("two sessions tell %v", types(got))
	}
}
