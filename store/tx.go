package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// write runs fn holding the write lock, and commits what it did or nothing.
// Nothing inside fn may use the ledger itself: there is one connection.
func (l *Ledger) write(ctx context.Context, what, name string, fn func(*sql.Tx) error) error {
	var tx *sql.Tx
	err := l.patiently(ctx, func() (err error) {
		tx, err = l.db.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return l.failed(what, name, err)
	}
	if err := fn(tx); err != nil {
		rollback := tx.Rollback()
		if errors.Is(rollback, sql.ErrTxDone) {
			rollback = nil
		}
		return l.failed(what, name, errors.Join(err, rollback))
	}
	return l.failed(what, name, tx.Commit())
}

// failed says what could not be done to which row, and why.
func (l *Ledger) failed(what, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, name, explain(l.path, err))
}

// one runs a statement that must change exactly one row, and says whether it
// did.
func one(ctx context.Context, tx *sql.Tx, query string, args ...any) (bool, error) {
	return changedOne(tx.ExecContext(ctx, query, args...))
}

// changedOne reads the answer to a statement that must change exactly one row.
func changedOne(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// exists runs a query for one row and says whether there was any.
func exists(ctx context.Context, tx *sql.Tx, query string, args ...any) (bool, error) {
	var found int
	err := tx.QueryRowContext(ctx, query, args...).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// note writes events. One with an external id that its execution already has is
// left out.
func note(ctx context.Context, tx *sql.Tx, events ...Event) error {
	_, err := tx.ExecContext(ctx, noteQuery(len(events)), noteValues(events)...)
	return err
}

// noteQuery writes n events.
func noteQuery(n int) string {
	const row = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
	return `INSERT INTO events (ext_id, uid, workflow_id, turn_id, type, phase, round, at, payload) VALUES ` +
		strings.Repeat(row+", ", n-1) + row + ` ON CONFLICT (uid, ext_id) WHERE ext_id IS NOT NULL DO NOTHING`
}

// noteValues are the values of events for noteQuery.
func noteValues(events []Event) []any {
	args := make([]any, 0, 9*len(events))
	for _, e := range events {
		args = append(args, text(e.ExternalID), text(e.UID), text(e.WorkflowID), text(e.TurnID), string(e.Type),
			text(e.Phase), number(e.Round), e.AtMS, text(string(e.Payload)))
	}
	return args
}

// noteExecution writes an event of an execution; payload is a JSON object or nil.
func noteExecution(ctx context.Context, tx *sql.Tx, t lifecycle.EventType, uid string, atMS int64, payload []byte) error {
	return note(ctx, tx, Event{UID: uid, Type: t, AtMS: atMS, Payload: payload})
}

// text is s for a column where an empty string means unknown.
func text[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// number is n for a column where 0 means unknown.
func number[N ~int | ~int64](n N) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

// optional is *n, or null.
func optional(n *int) any {
	if n == nil {
		return nil
	}
	return *n
}

// object is v as JSON for a column where an empty list means unknown.
func object[E any](v []E) (any, error) {
	if len(v) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}
