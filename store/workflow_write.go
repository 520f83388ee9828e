package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// AdvanceWorkflow moves an open workflow to a phase, or to the first phase of a
// later round. A move its kind does not know is a *lifecycle.PhaseError; a
// closed workflow and an earlier round are ErrInvariant.
func (l *Ledger) AdvanceWorkflow(ctx context.Context, a Advance) (w Workflow, err error) {
	err = l.changeOpen(ctx, "advance workflow", a.ID, &w, func(tx *sql.Tx) error {
		return advance(ctx, tx, w, a)
	})
	return w, err
}

func advance(ctx context.Context, tx *sql.Tx, w Workflow, a Advance) error {
	round := a.Round
	if round == 0 {
		round = w.Round
	}
	if round < w.Round {
		return fmt.Errorf("%w: it is in round %d, which does not go back to %d", ErrInvariant, w.Round, round)
	}
	if a.Phase == lifecycle.PhaseComplete && w.Phase != a.Phase && !w.HasArtifact {
		return fmt.Errorf("%w: recording the result of round %d completes it", ErrInvariant, w.Round)
	}
	if err := lifecycle.CheckAdvance(w.Kind, w.Phase, a.Phase, round != w.Round); err != nil {
		return err
	}
	if round != w.Round {
		if err := noteWorkflow(ctx, tx, w.ID, lifecycle.EventRoundStarted, a.Phase, round, a.At, nil); err != nil {
			return err
		}
	}
	return move(ctx, tx, w.ID, a.Phase, round, a.At)
}

// move writes the phase and its event.
func move(ctx context.Context, tx *sql.Tx, id string, phase lifecycle.Phase, round int, at Instant) error {
	if err := noteWorkflow(ctx, tx, id, lifecycle.EventPhaseTransition, phase, round, at, nil); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE workflows SET phase = ?, round = ?, revision = revision + 1,
		updated_at = max(updated_at, ?) WHERE id = ?`, string(phase), round, at.WallMS, id)
	return err
}

// CompleteRound records that a round has its artifact and moves the workflow to
// its last phase, and to the round when it is a later one. It does not close the
// workflow. A round completed before stays as it is (already). An earlier round
// than the present one, a phase other than synthesis, a closed workflow and a
// payload that is no JSON are ErrInvariant.
func (l *Ledger) CompleteRound(ctx context.Context, c CompleteRound) (w Workflow, already bool, err error) {
	err = l.change(ctx, "complete round of workflow", c.ID, &w, func(tx *sql.Tx) error {
		already, err = completeRound(ctx, tx, w, c)
		return err
	})
	return w, already, err
}

// phaseBeforeComplete is where both kinds produce their artifact.
const phaseBeforeComplete = lifecycle.Phase("synthesis")

func completeRound(ctx context.Context, tx *sql.Tx, w Workflow, c CompleteRound) (already bool, err error) {
	round := c.Round
	if round == 0 {
		round = w.Round
	}
	completion := lifecycle.CompletionEvent(w.Kind)
	already, err = exists(ctx, tx, `SELECT 1 FROM events WHERE workflow_id = ? AND type = ? AND round = ?`, w.ID, string(completion), round)
	if err != nil || already {
		return already, err
	}
	switch {
	case w.Status.Closed():
		return false, closed(w)
	case round < w.Round:
		return false, fmt.Errorf("%w: it is in round %d, which does not go back to %d", ErrInvariant, w.Round, round)
	case w.Phase != phaseBeforeComplete:
		return false, fmt.Errorf("%w: round %d is in phase %s; only %s completes it", ErrInvariant, round, w.Phase, phaseBeforeComplete)
	case c.Payload != nil && !json.Valid(c.Payload):
		return false, fmt.Errorf("%w: the artifact's data is no JSON", ErrInvariant)
	}
	if err := noteWorkflow(ctx, tx, w.ID, completion, phaseBeforeComplete, round, c.At, c.Payload); err != nil {
		return false, err
	}
	return false, move(ctx, tx, w.ID, lifecycle.PhaseComplete, round, c.At)
}

// FinishWorkflow closes a workflow: as succeeded when its round has its
// artifact, as failed when it is aborted. Executions that still work on it are
// asked to stop, except the closing one and those it was started in. A workflow
// already closed stays as it is (already); a missing artifact without Abort is
// ErrInvariant.
func (l *Ledger) FinishWorkflow(ctx context.Context, f FinishWorkflow) (w Workflow, already bool, err error) {
	err = l.change(ctx, "finish workflow", f.ID, &w, func(tx *sql.Tx) error {
		already = w.Status.Closed()
		switch {
		case already:
			return nil
		case f.Abort:
			return closeWorkflow(ctx, tx, w, closing{
				status: lifecycle.WorkflowFailed, reason: lifecycle.EventSessionAborted, phase: w.Phase, uid: f.UID, at: f.At,
			})
		case !w.HasArtifact:
			return fmt.Errorf("%w: round %d has no %s event; complete the round first, or finish it with abort",
				ErrInvariant, w.Round, lifecycle.CompletionEvent(w.Kind))
		}
		return closeWorkflow(ctx, tx, w, closing{
			status: lifecycle.WorkflowSucceeded, reason: lifecycle.EventSessionClosed, phase: lifecycle.PhaseComplete, uid: f.UID, at: f.At,
		})
	})
	return w, already, err
}

// closing is how a workflow is closed.
type closing struct {
	status lifecycle.WorkflowStatus
	// reason is the event that allows it.
	reason lifecycle.EventType
	// phase is where it is left. Work that was given up keeps the phase it had
	// reached; complete work is left complete.
	phase lifecycle.Phase
	// uid is the execution that closes it, empty for none.
	uid string
	// payload is kept with the reason: a JSON object, or nil.
	payload []byte
	at      Instant
}

// closeWorkflow asks the others to stop and writes the reason before the row,
// which the ledger refuses to close otherwise.
func closeWorkflow(ctx context.Context, tx *sql.Tx, w Workflow, c closing) error {
	if err := stopDependents(ctx, tx, w.ID, c.uid, c.at); err != nil {
		return err
	}
	if w.Kind == lifecycle.KindFlow {
		c.phase = ""
	}
	err := note(ctx, tx, Event{
		UID: c.uid, WorkflowID: w.ID, Type: c.reason, Phase: c.phase, Round: w.Round, AtMS: c.at.WallMS, Payload: c.payload,
	})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE workflows SET status = ?, phase = ?, close_reason = ?, closed_by_uid = ?,
			revision = revision + 1, updated_at = max(updated_at, ?), ended_at = max(created_at, ?) WHERE id = ?`,
		string(c.status), text(c.phase), string(c.reason), text(c.uid), c.at.WallMS, c.at.WallMS, w.ID)
	return err
}

// dependents are the live executions that are asked to stop when workflow ?1 is
// closed by execution ?2: those linked to it, and those that took it up besides
// and work on nothing else that is open. The closer and the executions it was
// started in are spared: stopping one of them would stop the closer.
const dependents = `SELECT x.uid FROM executions x JOIN workflows w ON w.id = ?1
	WHERE x.ended_at IS NULL AND x.stop_requested IS NULL AND ` + atWork + `
	AND (x.workflow_id = w.id OR x.flow_id = w.id OR NOT EXISTS (SELECT 1 FROM workflows o WHERE o.id <> w.id AND o.ended_at IS NULL
		AND (o.id = x.workflow_id OR EXISTS (SELECT 1 FROM events l WHERE l.uid = x.uid AND l.workflow_id = o.id AND l.type = 'workflow_linked'))))
	AND x.uid NOT IN (` + withAncestors + `)`

// stopDependents asks the executions of a workflow to stop that go on beside the
// one that closes it, and notes why.
func stopDependents(ctx context.Context, tx *sql.Tx, id, closer string, at Instant) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO events (uid, workflow_id, type, at, payload)
		SELECT uid, ?1, 'stop_requested', ?3, json_object('by', 'parent', 'reason', 'parent-closed', 'closed_by', nullif(?2, ''))
		FROM (`+dependents+`)`, id, closer, at.WallMS)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE executions SET stop_requested = 'parent', stop_requested_at = ?3
		WHERE uid IN (`+dependents+`)`, id, closer, at.WallMS)
	return err
}

// change reads a workflow into w under the write lock, runs fn, and reads it
// again as fn left it.
func (l *Ledger) change(ctx context.Context, what, id string, w *Workflow, fn func(*sql.Tx) error) error {
	return l.write(ctx, what, id, func(tx *sql.Tx) (err error) {
		if *w, err = findWorkflow(ctx, tx, id); err != nil {
			return err
		}
		if err = fn(tx); err != nil {
			return err
		}
		*w, err = findWorkflow(ctx, tx, id)
		return err
	})
}

// changeOpen is change for a workflow that must not be closed.
func (l *Ledger) changeOpen(ctx context.Context, what, id string, w *Workflow, fn func(*sql.Tx) error) error {
	return l.change(ctx, what, id, w, func(tx *sql.Tx) error {
		if w.Status.Closed() {
			return closed(*w)
		}
		return fn(tx)
	})
}

// closed says that a workflow takes no more changes, and what would.
func closed(w Workflow) error {
	return fmt.Errorf("%w: it is closed (%s); begin it again first", ErrInvariant, w.Status)
}

// noteWorkflow writes an event of a workflow.
func noteWorkflow(ctx context.Context, tx *sql.Tx, id string, t lifecycle.EventType, phase lifecycle.Phase, round int, at Instant, payload []byte) error {
	return note(ctx, tx, Event{WorkflowID: id, Type: t, Phase: phase, Round: round, AtMS: at.WallMS, Payload: payload})
}
