package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Beat writes the wrapper's proof of life: one statement, and no event. The
// answer says who asked for the run to end, or why there was no row to write
// to; neither is an error.
func (l *Ledger) Beat(ctx context.Context, b Beat) (BeatAnswer, error) {
	descendants, err := object(b.Descendants)
	if err != nil {
		return BeatAnswer{}, l.failed("record beat of execution", b.UID, err)
	}
	if b.Descendants != nil && descendants == nil {
		descendants = "[]"
	}
	vitals, err := vitalsJSON(b.Vitals)
	if err != nil {
		return BeatAnswer{}, l.failed("record beat of execution", b.UID, err)
	}
	var answer BeatAnswer
	err = l.patiently(ctx, func() error {
		beat, err := l.compiled.statement(ctx, l.db, beatQuery) //nolint:sqlclosecheck // it is used for as long as the ledger is open
		if err != nil {
			return err
		}
		return beat.QueryRowContext(ctx, b.At.WallMS, b.At.AwakeMS, b.At.BootID, b.SuspendedMS, number(b.LastActivityMS), descendants, vitals, b.UID, b.Generation).
			Scan(&answer.StopRequested, &answer.Session, &answer.SessionAtMS, &answer.TurnOpen, &answer.Revision, &answer.AwaitsUserMS)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return l.unwritten(ctx, b)
	}
	if err != nil {
		return BeatAnswer{}, l.failed("record beat of execution", b.UID, err)
	}
	return answer, nil
}

// LastBeat is the last beat that stands in the row, its announcement counting as the
// first; zero when that is not known.
func (r *Recorder) LastBeat() Instant {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beaten
}

// beatQuery is the one statement that is made again and again for as long as a
// wrapper lives.
const beatQuery = `UPDATE executions SET beats = beats + 1, last_beat_wall = ?, last_beat_awake = ?,
		last_beat_boot = ?, suspended_ms = max(suspended_ms, ?), last_activity = COALESCE(?, last_activity),
		descendants = COALESCE(?, descendants), vitals = COALESCE(?, vitals)
	WHERE uid = ? AND generation = ? AND ended_at IS NULL
	RETURNING COALESCE(stop_requested, ''), COALESCE(session_status, ''), COALESCE(session_at, 0),
		EXISTS (SELECT 1 FROM turns WHERE uid = executions.uid AND state IN ('pending', 'running')),
		COALESCE((SELECT revision FROM workflows WHERE id = executions.workflow_id), 0),
		CASE WHEN session_status IS NULL THEN 0 ELSE COALESCE((` + awaitsUser + `executions.uid ORDER BY v.seq DESC LIMIT 1), 0) END`

// vitalsJSON is what goes into the column; null leaves it as it is.
func vitalsJSON(v *Vitals) (any, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// unwritten says why a beat found no row to write to.
func (l *Ledger) unwritten(ctx context.Context, b Beat) (BeatAnswer, error) {
	var generation int64
	var end lifecycle.ProcessEnd
	err := l.db.QueryRowContext(ctx, `SELECT generation, "end" FROM executions WHERE uid = ?`, b.UID).Scan(&generation, &end)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return BeatAnswer{Missing: true}, nil
	case err != nil:
		return BeatAnswer{}, l.failed("record beat of execution", b.UID, err)
	case generation > b.Generation:
		return BeatAnswer{Fenced: true}, nil
	case end.Over():
		return BeatAnswer{Over: true}, nil
	default:
		return BeatAnswer{}, l.failed("record beat of execution", b.UID,
			fmt.Errorf("%w: the row is %s in generation %d", ErrConflict, end, generation))
	}
}

// Suspend writes down that job control stopped the run, by the given signal.
// Doing it twice changes nothing, nor does it for a run that has ended.
func (l *Ledger) Suspend(ctx context.Context, uid string, gen int64, at Instant, signal int) error {
	return l.write(ctx, "record suspension of execution", uid, func(tx *sql.Tx) error {
		return suspend(ctx, tx, uid, gen, at, signal)
	})
}

func suspend(ctx context.Context, tx *sql.Tx, uid string, gen int64, at Instant, signal int) error {
	changed, err := one(ctx, tx, `UPDATE executions SET stopped_since = ?
		WHERE uid = ? AND generation = ? AND ended_at IS NULL AND stopped_since IS NULL`, at.WallMS, uid, gen)
	if err != nil {
		return err
	}
	if !changed {
		return fenced(ctx, tx, uid, gen)
	}
	return noteExecution(ctx, tx, lifecycle.EventSuspended, uid, at.WallMS, []byte(`{"signal":`+strconv.Itoa(signal)+`}`))
}

// Continue writes down that a suspended run goes on. Doing it twice changes
// nothing, nor does it for a run that has ended.
func (l *Ledger) Continue(ctx context.Context, uid string, gen int64, at Instant) error {
	return l.write(ctx, "record continuation of execution", uid, func(tx *sql.Tx) error {
		return resume(ctx, tx, uid, gen, at)
	})
}

func resume(ctx context.Context, tx *sql.Tx, uid string, gen int64, at Instant) error {
	changed, err := one(ctx, tx, `UPDATE executions SET stopped_since = NULL
		WHERE uid = ? AND generation = ? AND ended_at IS NULL AND stopped_since IS NOT NULL`, uid, gen)
	if err != nil {
		return err
	}
	if !changed {
		return fenced(ctx, tx, uid, gen)
	}
	return noteExecution(ctx, tx, lifecycle.EventContinued, uid, at.WallMS, nil)
}

// fenced says whether a write that changed nothing came from a wrapper that no
// longer owns the row (ErrFenced) or has none (ErrNotFound).
func fenced(ctx context.Context, tx *sql.Tx, uid string, gen int64) error {
	row, err := findOwner(ctx, tx, uid)
	if err != nil {
		return err
	}
	return checkGeneration(row.generation, gen)
}

// checkGeneration refuses a writer that a newer one has replaced.
func checkGeneration(stored, given int64) error {
	switch {
	case given < stored:
		return fmt.Errorf("%w: generation %d owns the row, not %d", ErrFenced, stored, given)
	case given > stored:
		return fmt.Errorf("%w: generation %d was never announced, the row is in %d", ErrConflict, given, stored)
	default:
		return nil
	}
}

// RequestStop asks the wrapper of a live execution to end it. The request is
// sticky: a second one changes nothing and is accepted. It is not accepted when
// the execution has ended. An unknown uid is ErrNotFound.
func (l *Ledger) RequestStop(ctx context.Context, uid string, by lifecycle.StoppedBy, at Instant) (accepted bool, err error) {
	err = l.write(ctx, "request stop of execution", uid, func(tx *sql.Tx) error {
		accepted, err = requestStop(ctx, tx, uid, by, at)
		return err
	})
	return accepted, err
}

func requestStop(ctx context.Context, tx *sql.Tx, uid string, by lifecycle.StoppedBy, at Instant) (bool, error) {
	changed, err := one(ctx, tx, `UPDATE executions SET stop_requested = ?, stop_requested_at = ?
		WHERE uid = ? AND ended_at IS NULL AND stop_requested IS NULL`, string(by), at.WallMS, uid)
	if err != nil {
		return false, err
	}
	if changed {
		return true, noteExecution(ctx, tx, lifecycle.EventStopRequested, uid, at.WallMS, []byte(`{"by":"`+string(by)+`"}`))
	}
	row, err := findOwner(ctx, tx, uid)
	return err == nil && !row.end.Over(), err
}
