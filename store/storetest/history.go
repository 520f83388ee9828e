package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	// The driver, registered by its import.
	_ "modernc.org/sqlite"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Raw opens the file at path behind the ledger's back, for one connection, and
// closes it with the test.
func Raw(tb testing.TB, path string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// History is where the events of a workflow lead, when each is judged by the
// rules alone.
type History struct {
	Kind  lifecycle.Kind
	Phase lifecycle.Phase
	Round int
	// Begun and Open: it exists, and is not closed.
	Begun, Open bool
	// Completed are the rounds with a completion event.
	Completed map[int]bool
	// Closings counts how often it was closed.
	Closings int
	// due is the phase the next event must be a move to, empty for any.
	due lifecycle.Phase
}

// Replay reads the events of a workflow from a raw connection and follows them
// through the graph of its kind. It fails the test at the first that no rule
// allows, and when the row says something else than its history.
func Replay(tb testing.TB, db *sql.DB, id string) History {
	tb.Helper()
	h := History{Completed: map[int]bool{}}
	var phase, status string
	var round int
	var closed bool
	err := db.QueryRowContext(tb.Context(), `SELECT kind, phase, round, status, ended_at IS NOT NULL FROM workflows WHERE id = ?`, id).
		Scan(&h.Kind, &phase, &round, &status, &closed)
	if err != nil {
		tb.Fatalf("workflow %s: %v", id, err)
	}
	events, err := eventsOf(tb.Context(), db, id)
	if err != nil {
		tb.Fatalf("workflow %s: %v", id, err)
	}
	for _, e := range events {
		if err := h.follow(e); err != nil {
			tb.Fatalf("workflow %s, event %d, %s %s %d: %v", id, e.seq, e.what, e.phase, e.round, err)
		}
	}
	if h.due != "" || string(h.Phase) != phase || h.Round != round || h.Open == closed {
		tb.Fatalf("workflow %s is %s in round %d, phase %s; its history leads to %+v", id, status, round, phase, h)
	}
	return h
}

// eventsOf reads the events that move a workflow.
func eventsOf(ctx context.Context, db *sql.DB, id string) (events []event, err error) {
	rows, err := db.QueryContext(ctx, `SELECT seq, type, COALESCE(phase, ''), COALESCE(round, 0) FROM events
		WHERE workflow_id = ? AND type NOT IN ('workflow_linked', 'stop_requested') ORDER BY seq`, id)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e event
		if err := rows.Scan(&e.seq, &e.what, &e.phase, &e.round); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// event is one step of a history.
type event struct {
	seq   int64
	what  lifecycle.EventType
	phase lifecycle.Phase
	round int
}

// is says whether the step is one of these.
func (e event) is(words ...lifecycle.EventType) bool { return slices.Contains(words, e.what) }

// follow takes one step, or says why it is none.
func (h *History) follow(e event) error {
	if h.due != "" && (e.what != lifecycle.EventPhaseTransition || e.phase != h.due || e.round != h.Round) {
		return fmt.Errorf("a move to %s was due", h.due)
	}
	if !h.Begun && e.what != lifecycle.EventSessionCreated && e.what != lifecycle.EventSessionSynced {
		return errors.New("nothing was begun")
	}
	switch {
	case e.is(lifecycle.EventSessionCreated, lifecycle.EventSessionResumed, lifecycle.EventRoundStarted):
		return h.begin(e)
	case e.is(lifecycle.EventPhaseTransition):
		return h.move(e)
	case e.is(lifecycle.EventRoundCompleted, lifecycle.EventMapCompleted):
		return h.complete(e)
	case e.is(lifecycle.EventSessionSynced):
		h.Begun, h.Open, h.Phase, h.Round = true, true, e.phase, e.round
		return h.shut(e, true)
	case e.is(lifecycle.EventSessionClosed):
		h.Phase = lifecycle.PhaseComplete
		return h.shut(e, h.Completed[h.Round])
	case e.is(lifecycle.EventSessionAborted, lifecycle.EventSessionAutoClosedStale):
		return h.shut(e, true)
	default:
		return errors.New("no event of a workflow")
	}
}

// begin starts a round: the first, one after another that is over, or a later
// one by naming it, which a move to its first phase must follow.
func (h *History) begin(e event) error {
	over := !h.Open || h.Completed[h.Round]
	last := 0
	for r := range h.Completed {
		last = max(last, r)
	}
	switch {
	case e.phase != lifecycle.FirstPhase(h.Kind):
		return errors.New("a round starts elsewhere")
	case e.what == lifecycle.EventSessionCreated && (h.Begun || e.round != 1):
		return errors.New("it was begun before")
	case e.what == lifecycle.EventSessionResumed && (h.Open || e.round > h.Round):
		return errors.New("nothing to resume")
	case e.what == lifecycle.EventRoundStarted && e.round <= h.Round:
		return errors.New("not a later round")
	case e.what == lifecycle.EventRoundStarted && !h.Open && e.round != last+1:
		return fmt.Errorf("the next round is %d", last+1)
	}
	if e.what == lifecycle.EventRoundStarted && !over {
		h.due = e.phase
	}
	h.Begun, h.Open, h.Phase, h.Round = true, true, e.phase, e.round
	return nil
}

// move enters a phase along an edge of the graph.
func (h *History) move(e event) error {
	switch {
	case !h.Open:
		return errors.New("it is closed")
	case e.round != h.Round:
		return errors.New("of another round")
	case e.phase == lifecycle.PhaseComplete && !h.Completed[h.Round]:
		return errors.New("its round is not complete")
	}
	from := h.Phase
	h.Phase, h.due = e.phase, ""
	return lifecycle.CheckAdvance(h.Kind, from, e.phase, false)
}

// complete records a round, which a move to the last phase must follow.
func (h *History) complete(e event) error {
	switch {
	case !h.Open || h.Phase != "synthesis" || e.phase != h.Phase:
		return errors.New("only an open synthesis is completed")
	case e.what != lifecycle.CompletionEvent(h.Kind):
		return errors.New("of another kind")
	case e.round < h.Round || h.Completed[e.round]:
		return errors.New("an earlier round, or one completed before")
	}
	h.Round, h.due, h.Completed[e.round] = e.round, lifecycle.PhaseComplete, true
	return nil
}

// shut closes it.
func (h *History) shut(e event, allowed bool) error {
	if !h.Open || !allowed || e.round != h.Round {
		return errors.New("it cannot be closed so")
	}
	h.Open, h.Closings = false, h.Closings+1
	return nil
}
