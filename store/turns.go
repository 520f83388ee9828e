package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// SessionReport is one event of an agent's session, as it came in.
type SessionReport struct {
	// UID is the execution the agent runs in; required.
	UID string `json:"uid"`
	// Generation is the one the source belongs to; 0 when it does not know.
	Generation int64 `json:"generation,omitempty"`
	// ExternalID is the source's id for the event, applied at most once per
	// execution; empty when it has none.
	ExternalID string                 `json:"external_id,omitempty"`
	Event      lifecycle.SessionEvent `json:"event"`
	// SaidMS is when it happened by the source's own word, in wall-clock UTC
	// milliseconds. With 0 events happen in the order they come in.
	SaidMS int64 `json:"said_ms,omitempty"`
	// Detail says more, for a person.
	Detail string  `json:"detail,omitempty"`
	At     Instant `json:"at"`
}

// happenedMS is when the event happened, which is not in the future.
func (r SessionReport) happenedMS() int64 {
	if r.SaidMS == 0 {
		return r.At.WallMS
	}
	return min(r.SaidMS, r.At.WallMS)
}

// SessionAnswer says what a report did, and how things stand now.
type SessionAnswer struct {
	// Refused is why it was not applied; empty when it was.
	Refused lifecycle.SessionRefusal
	// Status is the session's state, empty while nothing is known.
	Status lifecycle.SessionStatus
	// Turn is the last turn, the pending one without a name; TurnNone as its
	// state when there is none.
	Turn lifecycle.TurnChange
}

// Report takes in one event of an agent's session: in one transaction it decides
// what the event does to the session and its turns, and does it. An event that
// does nothing (repeated, late, of another session, of another generation) is no
// error; the answer says why. An unknown execution is ErrNotFound.
func (l *Ledger) Report(ctx context.Context, r SessionReport) (answer SessionAnswer, err error) {
	err = l.write(ctx, "report "+string(r.Event.Type)+" to execution", r.UID, func(tx *sql.Tx) error {
		answer, err = report(ctx, tx, r)
		return err
	})
	return answer, err
}

func report(ctx context.Context, tx *sql.Tx, r SessionReport) (SessionAnswer, error) {
	view, refused, err := sessionView(ctx, tx, r)
	if err != nil {
		return SessionAnswer{}, err
	}
	step := lifecycle.SessionStep{Refused: refused}
	if refused == "" {
		step = lifecycle.Receive(view, r.Event)
	}
	if step.Refused == "" {
		if err := take(ctx, tx, r, view, step); err != nil {
			return SessionAnswer{}, err
		}
	}
	answer, err := sessionNow(ctx, tx, r.UID)
	answer.Refused = step.Refused
	return answer, err
}

// sessionView reads what is known when a report comes in, and refuses it where no
// rule about sessions has to be asked.
func sessionView(ctx context.Context, tx *sql.Tx, r SessionReport) (v lifecycle.SessionView, refused lifecycle.SessionRefusal, err error) {
	var generation, lastMS int64
	var applied bool
	err = tx.QueryRowContext(ctx, `SELECT generation, ended_at IS NOT NULL, COALESCE(session_status, ''), COALESCE(agent_session_id, ''),
			COALESCE((SELECT id FROM turns WHERE uid = ?1 AND state = 'running'), ''),
			EXISTS (SELECT 1 FROM turns WHERE uid = ?1 AND state = 'pending'),
			(SELECT count(*) FROM turns WHERE uid = ?1),
			COALESCE((SELECT state FROM turns WHERE uid = ?1 AND id = ?2), 'none'),
			max(COALESCE(session_at, 0), COALESCE((SELECT max(COALESCE(ended_at, started_at, requested_at)) FROM turns WHERE uid = ?1), 0)),
			EXISTS (SELECT 1 FROM events WHERE uid = ?1 AND ext_id = ?3)
		FROM executions WHERE uid = ?1`, r.UID, r.Event.Turn, r.ExternalID).
		Scan(&generation, &v.Over, &v.Status, &v.Session, &v.Active, &v.Pending, &v.Turns, &v.Named, &lastMS, &applied)
	v.Stale = r.SaidMS != 0 && r.SaidMS < lastMS
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return v, "", ErrNotFound
	case err != nil:
		return v, "", err
	case r.Generation != 0 && r.Generation != generation:
		return v, lifecycle.RefusedFenced, nil
	case applied:
		return v, lifecycle.RefusedDuplicate, nil
	default:
		return v, "", nil
	}
}

// sessionNow reads how things stand.
func sessionNow(ctx context.Context, tx *sql.Tx, uid string) (a SessionAnswer, err error) {
	err = tx.QueryRowContext(ctx, `SELECT COALESCE(session_status, ''), COALESCE(t.id, ''), COALESCE(t.state, 'none')
		FROM executions e LEFT JOIN turns t ON t.n = (SELECT max(n) FROM turns WHERE uid = e.uid) WHERE e.uid = ?`, uid).
		Scan(&a.Status, &a.Turn.ID, &a.Turn.To)
	return a, err
}

// take does what a step says. Turns settle before the session leaves them, and
// begin once it may hold them, so that nothing is left to the triggers.
func take(ctx context.Context, tx *sql.Tx, r SessionReport, v lifecycle.SessionView, step lifecycle.SessionStep) error {
	atMS := r.happenedMS()
	for _, c := range step.Turns {
		if !c.To.Settled() {
			continue
		}
		if err := settleTurn(ctx, tx, r.UID, c, atMS); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE executions SET session_status = ?, session_at = max(COALESCE(session_at, 0), ?),
		agent_session_id = COALESCE(?, agent_session_id) WHERE uid = ?`, string(step.Status), atMS, text(r.Event.Session), r.UID); err != nil {
		return err
	}
	for _, c := range step.Turns {
		if c.To.Settled() {
			continue
		}
		if err := openTurn(ctx, tx, r.UID, c, atMS); err != nil {
			return err
		}
	}
	events, err := notesOf(r, v, step)
	if err != nil {
		return err
	}
	return note(ctx, tx, events...)
}

// openTurn begins a turn, taking over the pending one when there is one, or puts
// down that one is pending.
func openTurn(ctx context.Context, tx *sql.Tx, uid string, c lifecycle.TurnChange, atMS int64) error {
	if c.To == lifecycle.TurnPending {
		_, err := tx.ExecContext(ctx, `INSERT INTO turns (uid, state, requested_at) VALUES (?, 'pending', ?)
			ON CONFLICT (uid) WHERE state = 'pending' DO UPDATE SET requested_at = excluded.requested_at`, uid, atMS)
		return err
	}
	adopted, err := one(ctx, tx, `UPDATE turns SET id = ?, state = 'running', started_at = max(requested_at, ?)
		WHERE uid = ? AND state = 'pending'`, c.ID, atMS, uid)
	if err == nil && !adopted {
		_, err = tx.ExecContext(ctx, `INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES (?, ?, 'running', ?, ?)`,
			uid, c.ID, atMS, atMS)
	}
	return err
}

// settleTurn ends a turn: the pending one, the one that runs, or one that was
// never seen, which is written whole.
func settleTurn(ctx context.Context, tx *sql.Tx, uid string, c lifecycle.TurnChange, atMS int64) error {
	if c.ID == "" {
		_, err := tx.ExecContext(ctx, `UPDATE turns SET state = ?, ended_at = max(requested_at, ?) WHERE uid = ? AND state = 'pending'`,
			string(c.To), atMS, uid)
		return err
	}
	settled, err := one(ctx, tx, `UPDATE turns SET state = ?, ended_at = max(started_at, ?) WHERE uid = ? AND id = ? AND state = 'running'`,
		string(c.To), atMS, uid, c.ID)
	if err != nil || settled {
		return err
	}
	place, err := placeBeforePending(ctx, tx, uid)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO turns (n, uid, id, state, requested_at, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		place, uid, c.ID, string(c.To), atMS, atMS, atMS)
	return err
}

// placeBeforePending is where to put a turn that ended before the pending one
// begins: the youngest turn is the one an execution is judged by. It is null when
// there is no pending one.
func placeBeforePending(ctx context.Context, tx *sql.Tx, uid string) (any, error) {
	var place int64
	err := tx.QueryRowContext(ctx, `SELECT n FROM turns WHERE uid = ? AND state = 'pending'`, uid).Scan(&place)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE turns SET n = (SELECT max(n) + 1 FROM turns) WHERE n = ?`, place)
	return place, err
}

// sessionNote is the payload of an event about a session: what was said, and what
// follows.
type sessionNote struct {
	Event  lifecycle.SessionEventType `json:"event,omitempty"`
	State  lifecycle.TurnState        `json:"state,omitempty"`
	Status lifecycle.SessionStatus    `json:"status,omitempty"`
	Detail string                     `json:"detail,omitempty"`
	// Awaits: the agent waits for its user, in the middle of its work.
	Awaits bool `json:"awaits_user,omitempty"`
}

// notesOf are the events of a step: one for each change, or one that says that
// nothing changed. The source's id goes to the first.
func notesOf(r SessionReport, v lifecycle.SessionView, step lifecycle.SessionStep) (events []Event, err error) {
	add := func(t lifecycle.EventType, turn string, n sessionNote) {
		e := Event{UID: r.UID, TurnID: turn, Type: t, AtMS: r.happenedMS()}
		if len(events) == 0 {
			e.ExternalID, n.Event, n.Detail = r.ExternalID, r.Event.Type, r.Detail
			n.Awaits = r.Event.Type == lifecycle.SessionEventState && r.Event.State == lifecycle.SessionWordWaiting
		}
		payload, failed := json.Marshal(n)
		e.Payload, err = payload, errors.Join(err, failed)
		events = append(events, e)
	}
	for _, c := range step.Turns {
		switch c.To {
		case lifecycle.TurnPending:
			add(lifecycle.EventTurnPending, "", sessionNote{})
		case lifecycle.TurnRunning:
			add(lifecycle.EventTurnStarted, c.ID, sessionNote{})
		case lifecycle.TurnCompleted, lifecycle.TurnInterrupted, lifecycle.TurnError:
			add(lifecycle.EventTurnSettled, c.ID, sessionNote{State: c.To})
		case lifecycle.TurnNone:
			return nil, fmt.Errorf("%w: a turn does not become %q", ErrInvariant, c.To)
		}
	}
	if step.Status != v.Status || len(events) == 0 {
		add(lifecycle.EventSessionState, "", sessionNote{Status: step.Status})
	}
	return events, err
}

// interruptTurns settles every open turn of an execution whose process ended:
// interrupted work is unfinished work.
func interruptTurns(ctx context.Context, tx *sql.Tx, uid string, at Instant) error {
	_, err := tx.ExecContext(ctx, `UPDATE turns SET state = 'interrupted', ended_at = max(?, COALESCE(started_at, requested_at))
		WHERE uid = ? AND state IN ('pending', 'running')`, at.WallMS, uid)
	return err
}
