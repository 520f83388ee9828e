package ocrdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

const (
	// lastRenameEra is the newest schema whose programs load the whole file and
	// rename a new one over it; later ones use SQLite as it is meant.
	lastRenameEra = 11
	// lastKnown is the newest schema we know to be written as we write.
	lastKnown = 15
	// firstWithUID is the first schema whose rows can be told apart by uid.
	firstWithUID = 9
)

// schema is what a database says about itself. Nothing is assumed from its
// version but how its file is written.
type schema struct {
	version int
	// executions are the columns of command_executions.
	executions map[string]bool
	// view: session_completeness is there.
	view bool
}

// queryer is a connection or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schemaOf reads everything we need to know before we ask or write anything, in
// one question: it is asked before every other.
func schemaOf(ctx context.Context, q queryer) (s schema, err error) {
	s.executions = map[string]bool{}
	err = each(ctx, q, func(rows *sql.Rows) error {
		var column, view string
		err := rows.Scan(&s.version, &column, &view)
		s.executions[column], s.view = true, view != ""
		return err
	}, `SELECT (SELECT coalesce(max(version), 0) FROM schema_version), name,
			coalesce((SELECT name FROM sqlite_master WHERE type = 'view' AND name = 'session_completeness'), '')
		FROM pragma_table_info('command_executions')`)
	if err == nil && len(s.executions) == 0 {
		err = fmt.Errorf("%w: there is no table command_executions", ErrUnreadable)
	}
	return s, err
}

// writable says why a row of ours cannot be written, nil when it can.
func (s schema) writable() error {
	switch {
	case s.version > lastKnown:
		return fmt.Errorf("schema %d, known up to %d; a newer ocr-run may know it: %w", s.version, lastKnown, ErrTooNew)
	case s.version < firstWithUID || !s.executions["uid"] || !s.executions["command"] || !s.executions["started_at"]:
		return fmt.Errorf("schema %d, rows have a uid from %d: %w", s.version, firstWithUID, ErrTooOld)
	}
	return nil
}

// each runs fn on every row of a query.
func each(ctx context.Context, q queryer, fn func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return unreadable(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return unreadable(err)
		}
	}
	return rows.Err()
}

// unreadable marks an error that comes from the shape of the database, such as
// a missing table or a text where a number belongs: everything that is not
// another program in the way, and not the caller giving up.
func unreadable(err error) error {
	if err == nil || inTheWay(err) || errors.Is(err, sql.ErrNoRows) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreadable, err)
}
