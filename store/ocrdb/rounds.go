package ocrdb

import (
	"context"
	"database/sql"
	"slices"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// event is one line of a workflow's history.
type event struct {
	kind  lifecycle.EventType
	phase lifecycle.Phase
	// round is the review round or map run, 0 when the product wrote none.
	round int
	atMS  int64
}

// eventsOf reads the history of a workflow in its order.
func eventsOf(ctx context.Context, q queryer, id string) (list []event, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		var e event
		var phase, at sql.NullString
		var round sql.NullInt64
		err := rows.Scan(&e.kind, &phase, &round, &at)
		e.phase, e.round, e.atMS = lifecycle.Phase(phase.String), int(round.Int64), millis(at.String)
		list = append(list, e)
		return err
	}, "SELECT event_type, phase, round, created_at FROM orchestration_events WHERE session_id = ? ORDER BY id", id)
	return list, err
}

// roundFacts is what became of one round.
type roundFacts struct {
	phase    lifecycle.Phase
	artifact bool
	closed   bool
}

// roundsOf replays a history. The events of a close carry a round number that
// is wrong for maps, and so a close belongs to the round that was running.
func roundsOf(events []event) map[int]roundFacts {
	rounds := map[int]roundFacts{}
	now := 1
	for _, e := range events {
		now = roundAfter(now, e)
		if e.kind == lifecycle.EventRoundCompleted || e.kind == lifecycle.EventMapCompleted {
			done := rounds[e.round]
			done.artifact = true
			rounds[e.round] = done
		}
		at := rounds[now]
		at.closed = closedAfter(at.closed, e)
		if e.phase != "" {
			at.phase = e.phase
		}
		rounds[now] = at
	}
	return rounds
}

// closedAfter says whether a round is closed once an event has happened in it.
// A lease for going on with an open round is a session_resumed too, and changes
// nothing: an open round is not closed.
func closedAfter(closed bool, e event) bool {
	if e.kind == lifecycle.EventSessionClosed || slices.Contains(lifecycle.CloseReasons(), e.kind) {
		return true
	}
	return closed && e.kind != lifecycle.EventSessionResumed
}

// roundAfter is the round that runs once an event has happened. Rounds only
// grow, and only these events begin one.
func roundAfter(now int, e event) int {
	if e.kind == lifecycle.EventRoundStarted || e.kind == lifecycle.EventPhaseTransition {
		return max(now, e.round)
	}
	return now
}

// roundAt is the round that ran at a moment, 0 when the moment is not known.
func roundAt(events []event, ms int64) int {
	if ms == 0 {
		return 0
	}
	now := 1
	for _, e := range events {
		if e.atMS > ms {
			break
		}
		now = roundAfter(now, e)
	}
	return now
}
