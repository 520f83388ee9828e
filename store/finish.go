package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Finish writes the end of an execution: in one transaction it settles open
// turns, closes the session, notes the round the work had reached, and writes
// the terminal row and its event.
//
// It says whether the run is alone: it has no workflow and no turn, so that the
// ending is all there is to judge it by.
//
// Finishing twice under one generation changes nothing, with one exception: a
// row given up as lost takes the real end when it comes. An older generation
// than the row's is ErrFenced; a missing row is ErrNotFound.
func (l *Ledger) Finish(ctx context.Context, e Ending) (alone bool, err error) {
	err = l.write(ctx, "finish execution", e.UID, func(tx *sql.Tx) error {
		alone, err = finish(ctx, tx, e)
		return err
	})
	return alone && err == nil, err
}

// finish decides what the ending means for the row as it is.
func finish(ctx context.Context, tx *sql.Tx, e Ending) (alone bool, err error) {
	if !e.End.Over() {
		return false, fmt.Errorf("%w: %q is no end", ErrInvariant, e.End)
	}
	row, err := findOpen(ctx, tx, e.UID)
	if err != nil {
		return false, err
	}
	if err := checkGeneration(row.generation, e.Generation); err != nil {
		return false, err
	}
	switch {
	case !row.end.Over():
		return !row.linked && !row.turned, end(ctx, tx, e, row)
	case row.end == lifecycle.EndLost && e.End != lifecycle.EndLost:
		return false, learnEnd(ctx, tx, e)
	default:
		return false, nil
	}
}

// openRow is what has to be settled with a row: turned says that it ever had a
// turn, turns that one of them is open. Most runs have no workflow and no
// turn, and every statement not made is time the user does not wait.
type openRow struct {
	generation            int64
	end                   lifecycle.ProcessEnd
	linked, turned, turns bool
}

// findOpen reads the row of uid, or ErrNotFound.
func findOpen(ctx context.Context, tx *sql.Tx, uid string) (openRow, error) {
	var o openRow
	err := tx.QueryRowContext(ctx, `SELECT generation, "end", workflow_id IS NOT NULL,
			EXISTS (SELECT 1 FROM turns WHERE uid = ?1),
			EXISTS (SELECT 1 FROM turns WHERE uid = ?1 AND state IN ('pending', 'running'))
		FROM executions WHERE uid = ?1`, uid).Scan(&o.generation, &o.end, &o.linked, &o.turned, &o.turns)
	if errors.Is(err, sql.ErrNoRows) {
		return o, ErrNotFound
	}
	return o, err
}

// end writes the terminal row. The order matters: turns first, by hand, so that
// what the triggers would do is done on purpose; then the session with the row.
func end(ctx context.Context, tx *sql.Tx, e Ending, row openRow) (err error) {
	if e.Launch != nil {
		if err := launched(ctx, tx, *e.Launch); err != nil {
			return err
		}
	}
	if row.turns {
		if err := interruptTurns(ctx, tx, e.UID, e.At); err != nil {
			return err
		}
	}
	var round, others any
	if row.linked {
		if round, others, err = roundsReached(ctx, tx, e.UID); err != nil {
			return err
		}
	}
	if err := writeEnd(ctx, tx, e, round, others); err != nil {
		return err
	}
	return noteEnd(ctx, tx, endEvent(e.End), e)
}

// learnEnd replaces a lost end by the real one. What the row already says about
// rounds and requests stays.
func learnEnd(ctx context.Context, tx *sql.Tx, e Ending) error {
	if err := writeEnd(ctx, tx, e, nil, nil); err != nil {
		return err
	}
	return noteEnd(ctx, tx, lifecycle.EventLateTruth, e)
}

// writeEnd is the terminal write. Instants are clamped, so that a clock that
// was set back harms nobody; what is not known leaves what is there.
func writeEnd(ctx context.Context, tx *sql.Tx, e Ending, round, others any) error {
	evidence, err := object(e.Evidence)
	if err != nil {
		return err
	}
	resume, err := object(e.Resume)
	if err != nil {
		return err
	}
	leftovers, err := leftoversJSON(e.Leftovers)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE executions SET "end" = ?, exit_code = ?, signal = ?, core_dumped = ?, stopped_by = ?,
			stop_failed = ?, ended_at = max(?, COALESCE(started_at, created_at)), session_status = ?, session_at = ?,
			stopped_since = NULL, awake_ms = COALESCE(?, awake_ms), suspended_ms = max(?, suspended_ms),
			round_at_end = COALESCE(round_at_end, ?), other_rounds = COALESCE(other_rounds, ?),
			evidence = COALESCE(?, evidence), leftovers = COALESCE(?, leftovers), resume = COALESCE(?, resume),
			agent_session_id = COALESCE(?, agent_session_id), degraded = max(degraded, ?)
		WHERE uid = ?`,
		string(e.End), optional(e.ExitCode), optional(e.Signal), e.CoreDumped, text(e.StoppedBy),
		e.StopFailed, e.At.WallMS, string(sessionAtEnd(e.End)), e.At.WallMS,
		known(e.AwakeMS), e.SuspendedMS, round, others, evidence, leftovers, resume,
		text(e.AgentSessionID), e.Degraded, e.UID)
	return err
}

// known is an awake time, or null for the -1 of one nobody knows.
func known(awakeMS int64) any {
	if awakeMS < 0 {
		return nil
	}
	return awakeMS
}

// sessionAtEnd is what becomes of the agent's session when its process ends.
func sessionAtEnd(end lifecycle.ProcessEnd) lifecycle.SessionStatus {
	switch end {
	case lifecycle.EndExited, lifecycle.EndSignalled:
		return lifecycle.SessionStopped
	case lifecycle.EndNotStarted, lifecycle.EndLost, lifecycle.EndQueued, lifecycle.EndRunning:
		return lifecycle.SessionError
	}
	return lifecycle.SessionError
}

// endEvent is the event that tells of an end seen for the first time.
func endEvent(end lifecycle.ProcessEnd) lifecycle.EventType {
	switch end {
	case lifecycle.EndLost:
		return lifecycle.EventLost
	case lifecycle.EndNotStarted:
		return lifecycle.EventNotStarted
	case lifecycle.EndExited, lifecycle.EndSignalled, lifecycle.EndQueued, lifecycle.EndRunning:
		return lifecycle.EventEnded
	}
	return lifecycle.EventEnded
}

// noteEnd writes the event of an end with the facts of the exit.
func noteEnd(ctx context.Context, tx *sql.Tx, t lifecycle.EventType, e Ending) error {
	payload, err := json.Marshal(struct {
		End       lifecycle.ProcessEnd `json:"end"`
		ExitCode  *int                 `json:"exit_code,omitempty"`
		Signal    *int                 `json:"signal,omitempty"`
		StoppedBy lifecycle.StoppedBy  `json:"stopped_by,omitempty"`
	}{e.End, e.ExitCode, e.Signal, e.StoppedBy})
	if err != nil {
		return err
	}
	return noteExecution(ctx, tx, t, e.UID, e.At.WallMS, payload)
}

// leftoversJSON is null when nothing was left over.
func leftoversJSON(l Leftovers) (any, error) {
	if len(l.Stopped)+len(l.Kept)+len(l.Remaining) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(l)
	return string(b), err
}

// roundsReached reads the round of every workflow the execution works on: the
// linked one's, and those of others it began as a JSON object by id.
func roundsReached(ctx context.Context, tx *sql.Tx, uid string) (round, others any, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT w.id, w.round, w.id IS e.workflow_id FROM executions e JOIN workflows w
		ON w.id = e.workflow_id OR w.id IN (SELECT workflow_id FROM events WHERE uid = e.uid AND type = 'workflow_linked')
		WHERE e.uid = ?`, uid)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	rest := map[string]int{}
	for rows.Next() {
		var id string
		var n int
		var linked bool
		if err := rows.Scan(&id, &n, &linked); err != nil {
			return nil, nil, err
		}
		if linked {
			round = n
		} else {
			rest[id] = n
		}
	}
	if len(rest) > 0 {
		b, err := json.Marshal(rest)
		if err != nil {
			return nil, nil, err
		}
		others = string(b)
	}
	return round, others, rows.Err()
}
