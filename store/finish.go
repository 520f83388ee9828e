package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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
	l.folding.await(foldWait)
	err = l.write(ctx, "finish execution", e.UID, func(tx *sql.Tx) error {
		alone, err = finish(ctx, tx, e, &l.compiled)
		return err
	})
	return alone && err == nil, err
}

// finish decides what the ending means for the row as it is. What is compiled, if
// anything, is used.
func finish(ctx context.Context, tx *sql.Tx, e Ending, c *compiled) (alone bool, err error) {
	if !e.End.Over() {
		return false, fmt.Errorf("%w: %q is no end", ErrInvariant, e.End)
	}
	if alone, err := endAlone(ctx, tx, e, c); alone || err != nil {
		return alone, err
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
		alone, err = !row.linked && !row.turned, end(ctx, tx, e, row)
	case row.end == lifecycle.EndLost && e.End != lifecycle.EndLost:
		err = learnEnd(ctx, tx, e)
	default:
		return false, nil
	}
	if err == nil {
		// Whoever writes an end, in whatever way, settles the flow with it.
		_, err = settleFlow(ctx, tx, row.flow, change{uid: e.UID, at: e.At})
	}
	return alone, err
}

// Foresee makes ready what the end of a short run will take, while the run still lasts:
// Finish has less to do then, for which somebody waits. In the background it sees to the
// log, for whoever opens the ledger next; Close waits for that. It writes nothing new,
// and its failure changes nothing.
func (l *Ledger) Foresee(ctx context.Context) error {
	for _, query := range []string{endAloneQuery(true), noteQuery(2)} {
		//nolint:sqlclosecheck // it is kept for as long as the ledger is open
		if _, err := l.compiled.statement(ctx, l.db, query); err != nil {
			return l.failed("prepare for the end of a run in", l.path, err)
		}
	}
	return l.failed("fold the log of", l.path, l.fold(ctx))
}

// endAloneQuery ends a live row without a workflow, a flow and a turn; launched
// as well if that is not written yet.
func endAloneQuery(launch bool) string {
	set, guard := endSet, ""
	if launch {
		set, guard = launchSet+", "+endSet, " AND started_at IS NULL"
	}
	return `UPDATE executions SET ` + set + ` WHERE uid = ? AND generation = ? AND "end" = 'running'
		AND workflow_id IS NULL AND flow_id IS NULL AND NOT EXISTS (SELECT 1 FROM turns WHERE uid = executions.uid)` + guard
}

// endAlone is the short way of most runs: a live row without a workflow, a flow
// and a turn takes its end, and its launch if that is not written yet, in one
// statement. It says whether this was one; every statement not made is time the
// user does not wait.
func endAlone(ctx context.Context, tx *sql.Tx, e Ending, c *compiled) (bool, error) {
	ended, err := endNote(endEvent(e.End), e)
	if err != nil {
		return false, err
	}
	notes, startMS := []Event{ended}, e.At.WallMS
	var args []any
	if launch := e.Launch; launch != nil {
		notes, startMS, args = []Event{startNote(*launch), ended}, launch.At.WallMS, launchValues(*launch)
	}
	values, err := endValues(e, startMS, nil, nil)
	if err != nil {
		return false, err
	}
	alone, err := changedOne(c.exec(ctx, tx, endAloneQuery(e.Launch != nil),
		append(append(args, values...), e.UID, e.Generation)...))
	if err != nil || !alone {
		return false, err
	}
	_, err = c.exec(ctx, tx, noteQuery(len(notes)), noteValues(notes)...)
	return true, err
}

// openRow is what has to be settled with a row: turned says that it ever had a
// turn, turns that one of them is open.
type openRow struct {
	generation            int64
	end                   lifecycle.ProcessEnd
	linked, turned, turns bool
	flow                  string // empty for none
}

// findOpen reads the row of uid, or ErrNotFound.
func findOpen(ctx context.Context, tx *sql.Tx, uid string) (openRow, error) {
	var o openRow
	err := tx.QueryRowContext(ctx, `SELECT generation, "end", workflow_id IS NOT NULL, COALESCE(flow_id, ''),
			EXISTS (SELECT 1 FROM turns WHERE uid = ?1),
			EXISTS (SELECT 1 FROM turns WHERE uid = ?1 AND state IN ('pending', 'running'))
		FROM executions WHERE uid = ?1`, uid).Scan(&o.generation, &o.end, &o.linked, &o.flow, &o.turned, &o.turns)
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
	if row.turned {
		if e.Evidence, err = withReported(ctx, tx, e); err != nil {
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
	return settleEnd(ctx, tx, endEvent(e.End), e, round, others)
}

// withReported is the evidence of an end with what was said, as it happened, of the
// last turn not being completed, unless the evidence says the same already.
func withReported(ctx context.Context, tx *sql.Tx, e Ending) ([]lifecycle.Evidence, error) {
	said := lifecycle.Evidence{Source: lifecycle.SourceHook}
	err := tx.QueryRowContext(ctx, `SELECT payload ->> 'detail', at FROM events WHERE uid = ?1 AND payload ->> 'detail' <> ''
			AND (type = 'turn_settled' AND payload ->> 'state' <> 'completed' OR type = 'session_state' AND payload ->> 'status' = 'error')
			AND seq > COALESCE((SELECT max(seq) FROM events WHERE uid = ?1 AND type IN ('turn_pending', 'turn_started')), 0)
		ORDER BY seq DESC LIMIT 1`, e.UID).Scan(&said.Detail, &said.AtMS)
	known := slices.ContainsFunc(e.Evidence, func(old lifecycle.Evidence) bool { return strings.Contains(old.Detail, said.Detail) })
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return e.Evidence, nil
	case err != nil, known:
		return e.Evidence, err
	}
	return append(slices.Clone(e.Evidence), said), nil
}

// learnEnd replaces a lost end by the real one. What the row already says about
// rounds and requests stays; why it was given up as lost was not so.
func learnEnd(ctx context.Context, tx *sql.Tx, e Ending) (err error) {
	if _, err := tx.ExecContext(ctx, `UPDATE executions SET evidence = NULL WHERE uid = ?`, e.UID); err != nil {
		return err
	}
	if e.Evidence, err = withReported(ctx, tx, e); err != nil {
		return err
	}
	return settleEnd(ctx, tx, lifecycle.EventLateTruth, e, nil, nil)
}

// settleEnd is the terminal write with its event.
func settleEnd(ctx context.Context, tx *sql.Tx, t lifecycle.EventType, e Ending, round, others any) error {
	if err := writeEnd(ctx, tx, e, round, others); err != nil {
		return err
	}
	n, err := endNote(t, e)
	if err != nil {
		return err
	}
	return note(ctx, tx, n)
}

// writeEnd writes the terminal row.
func writeEnd(ctx context.Context, tx *sql.Tx, e Ending, round, others any) error {
	args, err := endValues(e, e.At.WallMS, round, others)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE executions SET `+endSet+` WHERE uid = ?`, append(args, e.UID)...)
	return err
}

// endSet are the columns of an end. Instants are clamped, so that a clock that
// was set back harms nobody; what is not known leaves what is there.
const endSet = `"end" = ?, exit_code = ?, signal = ?, core_dumped = ?, stopped_by = ?, stop_failed = ?,
	ended_at = max(?, ?, COALESCE(started_at, created_at)), session_status = ?, session_at = ?,
	stopped_since = NULL, awake_ms = COALESCE(?, awake_ms), suspended_ms = max(?, suspended_ms),
	round_at_end = COALESCE(round_at_end, ?), other_rounds = COALESCE(other_rounds, ?),
	evidence = COALESCE(?, evidence), leftovers = COALESCE(?, leftovers), resume = COALESCE(?, resume),
	agent_session_id = COALESCE(?, agent_session_id), host_workflow = COALESCE(?, host_workflow),
	degraded = max(degraded, ?)`

// endValues are the values for endSet. startMS is when the run started if the
// row does not say it yet.
func endValues(e Ending, startMS int64, round, others any) ([]any, error) {
	evidence, err := object(e.Evidence)
	if err != nil {
		return nil, err
	}
	resume, err := object(e.Resume)
	if err != nil {
		return nil, err
	}
	if e.Resume != nil && resume == nil {
		resume = "[]"
	}
	leftovers, err := leftoversJSON(e.Leftovers)
	if err != nil {
		return nil, err
	}
	hosted, err := workflowJSON(e.HostWorkflow)
	if err != nil {
		return nil, err
	}
	return []any{
		string(e.End), optional(e.ExitCode), optional(e.Signal), e.CoreDumped, text(e.StoppedBy), e.StopFailed,
		e.At.WallMS, startMS, string(sessionAtEnd(e.End)), e.At.WallMS,
		known(e.AwakeMS), e.SuspendedMS, round, others, evidence, leftovers, resume,
		text(e.AgentSessionID), hosted, e.Degraded,
	}, nil
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

// endNote is the event of an end with the facts of the exit.
func endNote(t lifecycle.EventType, e Ending) (Event, error) {
	payload, err := json.Marshal(struct {
		End       lifecycle.ProcessEnd `json:"end"`
		ExitCode  *int                 `json:"exit_code,omitempty"`
		Signal    *int                 `json:"signal,omitempty"`
		StoppedBy lifecycle.StoppedBy  `json:"stopped_by,omitempty"`
	}{e.End, e.ExitCode, e.Signal, e.StoppedBy})
	return Event{UID: e.UID, Type: t, AtMS: e.At.WallMS, Payload: payload}, err
}

// workflowJSON is null when there is none.
func workflowJSON(v *WorkflowView) (any, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
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
