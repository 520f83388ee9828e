package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// PendTurn writes down that a turn was asked for and has not begun. A turn
// already pending is replaced. An ended execution is ErrInvariant.
func (l *Ledger) PendTurn(ctx context.Context, uid string, at Instant) error {
	return l.write(ctx, "record pending turn of execution", uid, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO turns (uid, state, requested_at) VALUES (?, 'pending', ?)
			ON CONFLICT (uid) WHERE state = 'pending' DO UPDATE SET requested_at = excluded.requested_at`, uid, at.WallMS)
		if err != nil {
			return err
		}
		return note(ctx, tx, Event{UID: uid, Type: lifecycle.EventTurnPending, AtMS: at.WallMS})
	})
}

// StartTurn writes down that a turn runs, and the session with it. It takes over
// the pending turn when there is one. Starting a turn twice changes nothing;
// while another turn runs it is ErrConflict.
func (l *Ledger) StartTurn(ctx context.Context, uid, turnID string, at Instant) error {
	return l.write(ctx, "start turn of execution", uid, func(tx *sql.Tx) error {
		return startTurn(ctx, tx, uid, turnID, at)
	})
}

func startTurn(ctx context.Context, tx *sql.Tx, uid, turnID string, at Instant) error {
	running, err := runningTurn(ctx, tx, uid)
	switch {
	case err != nil:
		return err
	case running == turnID:
		return nil
	case running != "":
		return fmt.Errorf("%w: turn %s is still running", ErrConflict, running)
	}
	if err := setSession(ctx, tx, uid, lifecycle.SessionRunning, at); err != nil {
		return err
	}
	adopted, err := one(ctx, tx, `UPDATE turns SET id = ?, state = 'running', started_at = max(requested_at, ?)
		WHERE uid = ? AND state = 'pending'`, turnID, at.WallMS, uid)
	if err == nil && !adopted {
		_, err = tx.ExecContext(ctx, `INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES (?, ?, 'running', ?, ?)`,
			uid, turnID, at.WallMS, at.WallMS)
	}
	if err != nil {
		return err
	}
	return note(ctx, tx, Event{UID: uid, TurnID: turnID, Type: lifecycle.EventTurnStarted, AtMS: at.WallMS})
}

// SettleTurn writes down how a turn ended, and the session with it. A turn whose
// start was never seen is written whole, unless another turn runs (ErrConflict).
// A turn already settled stays as it is.
func (l *Ledger) SettleTurn(ctx context.Context, uid, turnID string, state lifecycle.TurnState, at Instant) error {
	return l.write(ctx, "settle turn of execution", uid, func(tx *sql.Tx) error {
		return settleTurn(ctx, tx, uid, turnID, state, at)
	})
}

func settleTurn(ctx context.Context, tx *sql.Tx, uid, turnID string, state lifecycle.TurnState, at Instant) error {
	if !state.Settled() {
		return fmt.Errorf("%w: a turn does not settle as %q", ErrInvariant, state)
	}
	running, err := runningTurn(ctx, tx, uid)
	if err != nil {
		return err
	}
	if running != "" && running != turnID {
		return fmt.Errorf("%w: turn %s is running, not %s", ErrConflict, running, turnID)
	}
	changed, err := one(ctx, tx, `INSERT INTO turns (uid, id, state, requested_at, started_at, ended_at) VALUES (?1, ?2, ?3, ?4, ?4, ?4)
		ON CONFLICT (uid, id) DO UPDATE SET state = excluded.state, ended_at = max(started_at, excluded.ended_at)
		WHERE turns.state = 'running'`, uid, turnID, string(state), at.WallMS)
	if err != nil || !changed {
		return err
	}
	if err := setSession(ctx, tx, uid, sessionAfter(state), at); err != nil {
		return err
	}
	return note(ctx, tx, Event{
		UID: uid, TurnID: turnID, Type: lifecycle.EventTurnSettled, AtMS: at.WallMS,
		Payload: []byte(`{"state":"` + string(state) + `"}`),
	})
}

// sessionAfter is the session's state once a turn has settled.
func sessionAfter(state lifecycle.TurnState) lifecycle.SessionStatus {
	switch state {
	case lifecycle.TurnError:
		return lifecycle.SessionError
	case lifecycle.TurnInterrupted:
		return lifecycle.SessionInterrupted
	case lifecycle.TurnCompleted, lifecycle.TurnNone, lifecycle.TurnPending, lifecycle.TurnRunning:
		return lifecycle.SessionReady
	}
	return lifecycle.SessionReady
}

// SetSession writes the state of the agent's session. Leaving the states that
// may hold a turn settles the running one. An ended execution is ErrConflict.
func (l *Ledger) SetSession(ctx context.Context, uid string, s lifecycle.SessionStatus, at Instant) error {
	return l.write(ctx, "set session of execution", uid, func(tx *sql.Tx) error {
		if err := setSession(ctx, tx, uid, s, at); err != nil {
			return err
		}
		return note(ctx, tx, Event{
			UID: uid, Type: lifecycle.EventSessionState, AtMS: at.WallMS,
			Payload: []byte(`{"status":"` + string(s) + `"}`),
		})
	})
}

func setSession(ctx context.Context, tx *sql.Tx, uid string, s lifecycle.SessionStatus, at Instant) error {
	changed, err := one(ctx, tx, `UPDATE executions SET session_status = ?, session_at = ? WHERE uid = ? AND ended_at IS NULL`,
		string(s), at.WallMS, uid)
	if err != nil || changed {
		return err
	}
	row, err := findOwner(ctx, tx, uid)
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: it has ended (%s)", ErrConflict, row.end)
}

// runningTurn is the id of the turn that runs, or "".
func runningTurn(ctx context.Context, tx *sql.Tx, uid string) (string, error) {
	var id string
	err := tx.QueryRowContext(ctx, `SELECT id FROM turns WHERE uid = ? AND state = 'running'`, uid).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// interruptTurns settles every open turn of an execution whose process ended:
// interrupted work is unfinished work.
func interruptTurns(ctx context.Context, tx *sql.Tx, uid string, at Instant) error {
	_, err := tx.ExecContext(ctx, `UPDATE turns SET state = 'interrupted', ended_at = max(?, COALESCE(started_at, requested_at))
		WHERE uid = ? AND state IN ('pending', 'running')`, at.WallMS, uid)
	return err
}
