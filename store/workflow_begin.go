package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// KindError says that a workflow is of another kind than it was asked to be. It
// wraps ErrInvariant.
type KindError struct {
	// ID is the workflow's.
	ID string
	// Have is its kind, Want the one that was asked for.
	Have, Want lifecycle.Kind
}

// Error names both kinds.
func (e *KindError) Error() string {
	return fmt.Sprintf("workflow %s is a %s, not a %s", e.ID, e.Have, e.Want)
}

// Unwrap makes errors.Is(err, ErrInvariant) hold.
func (e *KindError) Unwrap() error { return ErrInvariant }

// BeginWorkflow starts a workflow, or opens one again.
//
// A new one starts in round 1. One that is closed, or whose round is complete,
// is opened again in its first phase: in the round after the last completed one,
// or in its own round when none was completed. A round still under way, a
// cancelled workflow, and a flow (which is never begun) are ErrInvariant, another
// kind than the workflow's is a *KindError. With such an error the workflow is
// returned as it is, if there is one.
func (l *Ledger) BeginWorkflow(ctx context.Context, b Begin) (w Workflow, result BeginResult, err error) {
	err = l.write(ctx, "begin workflow", b.ID, func(tx *sql.Tx) error {
		if w, result, err = begin(ctx, tx, &b); err != nil {
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

// begin creates the row or opens it again, and gives the row as it was.
func begin(ctx context.Context, tx *sql.Tx, b *Begin) (Workflow, BeginResult, error) {
	if b.ID == "" || lifecycle.FirstPhase(b.Kind) == "" {
		return Workflow{}, BeginResult{}, fmt.Errorf("%w: only a review or a map with an id is begun, not a %q", ErrInvariant, b.Kind)
	}
	w, err := place(ctx, tx, b)
	switch {
	case errors.Is(err, ErrNotFound):
		return w, BeginResult{Created: true}, create(ctx, tx, *b)
	case err != nil:
		return w, BeginResult{}, err
	case w.Kind != b.Kind:
		return w, BeginResult{}, &KindError{ID: w.ID, Have: w.Kind, Want: b.Kind}
	case w.Status == lifecycle.WorkflowCancelled:
		return w, BeginResult{}, fmt.Errorf("%w: it was cancelled; begin another", ErrInvariant)
	case !w.Status.Closed() && !w.HasArtifact:
		return w, BeginResult{}, fmt.Errorf("%w: round %d is under way in phase %s; go on from there, or finish it with abort", ErrInvariant, w.Round, w.Phase)
	}
	result, err := reopen(ctx, tx, w, *b)
	return w, result, err
}

// place finds the row a Begin is about, under the write lock: two workspaces
// that begin the same name at once get a row each.
func place(ctx context.Context, tx *sql.Tx, b *Begin) (Workflow, error) {
	w, err := findWorkflow(ctx, tx, b.ID)
	if err != nil || b.ScopedID == "" || w.Workspace == b.Workspace {
		return w, err
	}
	b.ID = b.ScopedID
	return findWorkflow(ctx, tx, b.ID)
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
		Payload: b.Payload,
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
		Phase: lifecycle.FirstPhase(w.Kind), Round: round, AtMS: b.At.WallMS, Payload: b.Payload,
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
// none was completed. It is read from events alone: a directory proves nothing,
// but taking one in as complete was an event.
func nextRound(ctx context.Context, tx *sql.Tx, w Workflow) (int, error) {
	var completed sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT max(round) FROM events
			WHERE workflow_id = ? AND (type = ? OR (type = 'session_synced' AND phase = 'complete'))`,
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
