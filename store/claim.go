package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// OccupiedError says that another execution, which has not ended, is at an agent's
// session. It is an ErrConflict.
type OccupiedError struct {
	// UID is that execution.
	UID string
	// PID is its command's process, or its wrapper's while there is no command.
	PID int
	// Waiting: it waits for the time of its launch.
	Waiting bool
}

// Error names the execution and the process.
func (e *OccupiedError) Error() string {
	what := "is at it already"
	if e.Waiting {
		what = "waits to go on with it already"
	}
	return fmt.Sprintf("%v: run %s %s (process %d)", ErrConflict, e.UID, what, e.PID)
}

// Unwrap gives ErrConflict.
func (*OccupiedError) Unwrap() error { return ErrConflict }

// Claim is Announce for an execution that goes on with an agent's session, of which
// at most one does at a time: of all that claim the session at once, one gets it.
// The others, and everybody while any execution at that session has not ended, get
// an *OccupiedError. Session may be empty when it has no name; then only those
// count that go on with the same execution.
func (l *Ledger) Claim(ctx context.Context, a Announcement, session string) error {
	return l.write(ctx, "claim the session of execution", a.ResumedFrom, func(tx *sql.Tx) error {
		if err := vacant(ctx, tx, a, session); err != nil {
			return err
		}
		_, _, err := announce(ctx, tx, a)
		return err
	})
}

// vacant is an *OccupiedError when somebody else is at the session that an execution
// is to go on with; one that goes on with none has no need of any.
func vacant(ctx context.Context, tx *sql.Tx, a Announcement, session string) error {
	if a.ResumedFrom == "" {
		return nil
	}
	by, err := occupant(ctx, tx, a.UID, a.ResumedFrom, session)
	if err == nil && by != nil {
		return by
	}
	return err
}

// Occupant is who would have a claim to a session refused, nil for nobody.
func (l *Ledger) Occupant(ctx context.Context, resumedFrom, session string) (*OccupiedError, error) {
	by, err := occupant(ctx, l.db, "", resumedFrom, session)
	return by, l.failed("look for who is at the session of execution", resumedFrom, err)
}

// SuccessorOf reads the newest execution that goes on with the work of another and did
// not fall away before its launch; ErrNotFound when there is none.
func (l *Ledger) SuccessorOf(ctx context.Context, uid string) (Execution, error) {
	found, err := l.executions(ctx, selectExecution+` WHERE resumed_from = ? AND "end" <> 'not-started' ORDER BY n DESC LIMIT 1`, uid)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Execution{}, l.failed("read what went on with execution", uid, err)
	}
	return found[0], nil
}

// occupant is an execution other than uid that has not ended and is at a session,
// or goes on with the same execution; nil when there is none. A session is also
// taken by who names it on the command line.
func occupant(ctx context.Context, q rowQuerier, uid, resumedFrom, session string) (*OccupiedError, error) {
	var by OccupiedError
	err := q.QueryRowContext(ctx, `SELECT uid, COALESCE(child_pid, wrapper_pid), not_before IS NOT NULL AND child_pid IS NULL
		FROM executions o WHERE ended_at IS NULL AND uid <> ?1 AND (uid = ?2 OR resumed_from = ?2 OR ?3 <> '' AND (
			agent_session_id = ?3
			OR resumed_from IN (SELECT uid FROM executions WHERE agent_session_id = ?3)
			OR EXISTS (SELECT 1 FROM json_each(o.command) WHERE value = ?3)))
		ORDER BY n LIMIT 1`, uid, resumedFrom, session).Scan(&by.UID, &by.PID, &by.Waiting)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	if err != nil {
		return nil, err
	}
	return &by, nil
}
