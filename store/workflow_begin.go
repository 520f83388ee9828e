package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// BeginWorkflow starts a workflow, or opens one again.
//
// A new one starts in round 1. One that is closed, or whose round is complete,
// is opened again in its first phase: in the round after the last completed one,
// or in its own round when none was completed. Another kind than the
// workflow's, a round still under way, a cancelled workflow, and a flow (which
// is never begun) are ErrInvariant.
func (l *Ledger) BeginWorkflow(ctx context.Context, b Begin) (w Workflow, result BeginResult, err error) {
	err = l.write(ctx, "begin workflow", b.ID, func(tx *sql.Tx) error {
		if result, err = begin(ctx, tx, b); err != nil {
			return err
		}
		if result.Linked, err = link(ctx, tx, b); err != nil {
			return err
		}
		w, err = findWorkflow(ctx, tx, b.ID)
		return err
	})
	return w, result, err
}

// TakeUp links an execution to an open workflow it goes on with, as beginning it
// would: a run that moves work along answers for it. An execution that is unknown
// or has ended, and a workflow that is closed, are not linked, which is no error.
func (l *Ledger) TakeUp(ctx context.Context, workflowID, uid string, at Instant) (linked bool, err error) {
	err = l.write(ctx, "take up workflow", workflowID, func(tx *sql.Tx) error {
		w, err := findWorkflow(ctx, tx, workflowID)
		if err != nil || w.Status.Closed() {
			return err
		}
		linked, err = link(ctx, tx, Begin{ID: workflowID, UID: uid, At: at})
		return err
	})
	return linked && err == nil, err
}

// begin creates the row or opens it again.
func begin(ctx context.Context, tx *sql.Tx, b Begin) (BeginResult, error) {
	if b.ID == "" || lifecycle.FirstPhase(b.Kind) == "" {
		return BeginResult{}, fmt.Errorf("%w: only a review or a map with an id is begun, not a %q", ErrInvariant, b.Kind)
	}
	w, err := findWorkflow(ctx, tx, b.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return BeginResult{Created: true}, create(ctx, tx, b)
	case err != nil:
		return BeginResult{}, err
	case w.Kind != b.Kind:
		return BeginResult{}, fmt.Errorf("%w: it is a %s, not a %s", ErrInvariant, w.Kind, b.Kind)
	case w.Status == lifecycle.WorkflowCancelled:
		return BeginResult{}, fmt.Errorf("%w: it was cancelled; begin another", ErrInvariant)
	case !w.Status.Closed() && !w.HasArtifact:
		return BeginResult{}, fmt.Errorf("%w: round %d is under way in phase %s; go on from there, or finish it with abort", ErrInvariant, w.Round, w.Phase)
	default:
		return reopen(ctx, tx, w, b)
	}
}

func create(ctx context.Context, tx *sql.Tx, b Begin) error {
	phase := lifecycle.FirstPhase(b.Kind)
	_, err := tx.ExecContext(ctx, `INSERT INTO workflows (id, kind, workspace, branch, session_dir, goal, owner, status, phase,
			round, revision, begun_by_uid, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', 'running', ?7, 1, 1, ?8, ?9, ?9)`,
		b.ID, string(b.Kind), b.Workspace, b.Branch, b.SessionDir, b.Goal, string(phase), text(b.UID), b.At.WallMS)
	if err != nil {
		return err
	}
	return note(ctx, tx, Event{
		UID: b.UID, WorkflowID: b.ID, Type: lifecycle.EventSessionCreated, Phase: phase, Round: 1, AtMS: b.At.WallMS,
	})
}

// reopen writes the event that allows it, then the row.
func reopen(ctx context.Context, tx *sql.Tx, w Workflow, b Begin) (BeginResult, error) {
	round, err := nextRound(ctx, tx, w)
	if err != nil {
		return BeginResult{}, err
	}
	result := BeginResult{Resumed: true, NewRound: round > w.Round}
	event := Event{
		UID: b.UID, WorkflowID: w.ID, Type: lifecycle.EventSessionResumed,
		Phase: lifecycle.FirstPhase(w.Kind), Round: round, AtMS: b.At.WallMS,
	}
	if result.NewRound {
		event.Type = lifecycle.EventRoundStarted
	}
	if err := note(ctx, tx, event); err != nil {
		return BeginResult{}, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE workflows SET status = 'running', phase = ?, round = ?, revision = revision + 1,
			updated_at = max(updated_at, ?), ended_at = NULL, close_reason = NULL, closed_by_uid = NULL WHERE id = ?`,
		string(event.Phase), round, b.At.WallMS, w.ID)
	return result, err
}

// nextRound is the round after the last completed one, or the present one when
// none was completed.
func nextRound(ctx context.Context, tx *sql.Tx, w Workflow) (int, error) {
	var completed sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT max(round) FROM events WHERE workflow_id = ? AND type = ?`,
		w.ID, string(lifecycle.CompletionEvent(w.Kind))).Scan(&completed)
	if err != nil || !completed.Valid {
		return w.Round, err
	}
	return int(completed.Int64) + 1, nil
}

// link makes the execution count as working on the workflow. The first workflow
// an execution takes up stays its linked one; every one leaves an event. An
// execution that is unknown or has ended is not linked, and that is no error.
func link(ctx context.Context, tx *sql.Tx, b Begin) (bool, error) {
	if b.UID == "" {
		return false, nil
	}
	live, err := one(ctx, tx, `UPDATE executions SET workflow_id = COALESCE(workflow_id, ?) WHERE uid = ? AND ended_at IS NULL`, b.ID, b.UID)
	if err != nil || !live {
		return false, err
	}
	known, err := exists(ctx, tx, `SELECT 1 FROM events WHERE uid = ? AND workflow_id = ? AND type = 'workflow_linked'`, b.UID, b.ID)
	if err != nil || known {
		return true, err
	}
	return true, note(ctx, tx, Event{UID: b.UID, WorkflowID: b.ID, Type: lifecycle.EventWorkflowLinked, AtMS: b.At.WallMS})
}
