package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Append writes one event and returns its sequence number. An event with an
// external id is applied at most once per execution: the second time returns
// the number of the first. A word outside the vocabulary, or a payload that is
// no JSON, is ErrInvariant.
func (l *Ledger) Append(ctx context.Context, e Event) (seq int64, err error) {
	err = l.write(ctx, "append event", string(e.Type), func(tx *sql.Tx) error {
		seq, err = appendEvent(ctx, tx, e)
		return err
	})
	return seq, err
}

// appendEvent inserts the event, or finds the one it repeats.
func appendEvent(ctx context.Context, tx *sql.Tx, e Event) (seq int64, err error) {
	if e.ExternalID != "" && e.UID == "" {
		return 0, fmt.Errorf("%w: an external id needs an execution", ErrInvariant)
	}
	if e.ExternalID != "" {
		err := tx.QueryRowContext(ctx, `SELECT seq FROM events WHERE uid = ? AND ext_id = ?`, e.UID, e.ExternalID).Scan(&seq)
		if !errors.Is(err, sql.ErrNoRows) {
			return seq, err
		}
	}
	if err := note(ctx, tx, e); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT last_insert_rowid()`).Scan(&seq)
	return seq, err
}

// Events lists events, oldest first.
func (l *Ledger) Events(ctx context.Context, f EventFilter) (events []Event, err error) {
	query := `SELECT seq, ext_id, uid, workflow_id, turn_id, type, phase, round, at, payload FROM events WHERE seq > ?`
	args := []any{f.AfterSeq}
	if f.UID != "" {
		query, args = query+` AND uid = ?`, append(args, f.UID)
	}
	if f.WorkflowID != "" {
		query, args = query+` AND workflow_id = ?`, append(args, f.WorkflowID)
	}
	if f.Newest {
		query = `SELECT * FROM (` + query + ` ORDER BY seq DESC LIMIT ?) ORDER BY seq`
	} else {
		query += ` ORDER BY seq LIMIT ?`
	}
	rows, err := l.db.QueryContext(ctx, query, append(args, unlimited(f.Limit))...)
	if err != nil {
		return nil, l.failed("read events of", l.path, err)
	}
	defer func() { err = l.failed("read events of", l.path, errors.Join(err, rows.Close())) }()
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

func scanEvent(rows *sql.Rows) (Event, error) {
	var e Event
	var ext, uid, workflow, turn, phase, payload sql.NullString
	var round sql.NullInt64
	err := rows.Scan(&e.Seq, &ext, &uid, &workflow, &turn, &e.Type, &phase, &round, &e.AtMS, &payload)
	e.ExternalID, e.UID, e.WorkflowID, e.TurnID = ext.String, uid.String, workflow.String, turn.String
	e.Phase, e.Round = lifecycle.Phase(phase.String), int(round.Int64)
	if payload.Valid {
		e.Payload = []byte(payload.String)
	}
	return e, err
}

// LastSeq is the sequence number of the youngest event, 0 when there is none.
func (l *Ledger) LastSeq(ctx context.Context) (seq int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT COALESCE(max(seq), 0) FROM events`).Scan(&seq)
	return seq, l.failed("read events of", l.path, err)
}

// unlimited is n as SQL has it, where -1 means no limit.
func unlimited(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}
