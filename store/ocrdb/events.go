package ocrdb

import (
	"context"
	"database/sql"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Event is one line of a workflow's history, as the product wrote it.
type Event struct {
	ID    int64
	Type  lifecycle.EventType
	Phase lifecycle.Phase
	// PhaseNumber and Round are 0 where the product wrote none; Round is the
	// review round or the map run.
	PhaseNumber int
	Round       int
	// Metadata is JSON; empty for none.
	Metadata string
	// AtMS is wall-clock UTC milliseconds, 0 when unreadable.
	AtMS int64
}

// Events reads the history of a workflow in its order. One that is not there has
// none.
func (h Host) Events(ctx context.Context, id string) (list []Event, err error) {
	err = h.view(ctx, func(ctx context.Context, q queryer, _ schema) error {
		list = nil
		return each(ctx, q, func(rows *sql.Rows) error {
			var e Event
			var phase, metadata, at sql.NullString
			var number, round sql.NullInt64
			err := rows.Scan(&e.ID, &e.Type, &phase, &number, &round, &metadata, &at)
			e.Phase, e.PhaseNumber, e.Round = lifecycle.Phase(phase.String), int(number.Int64), int(round.Int64)
			e.Metadata, e.AtMS = metadata.String, millis(at.String)
			list = append(list, e)
			return err
		}, "SELECT id, event_type, phase, phase_number, round, metadata, created_at FROM orchestration_events WHERE session_id = ? ORDER BY id", id)
	})
	return list, h.failed("read events of "+id, err)
}
