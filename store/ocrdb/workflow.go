package ocrdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Workflow is one of the product's sessions, as one execution or nobody in
// particular sees it.
type Workflow struct {
	ID     string
	Kind   lifecycle.Kind
	Branch string
	// Closed is the product's status; it says nothing of the work.
	Closed bool
	Phase  lifecycle.Phase
	// PhaseNumber is the product's own number of the phase, from 1.
	PhaseNumber int
	// Round is the review round or map run this view is about, from 1, and
	// CurrentRound the one the workflow is in.
	Round        int
	CurrentRound int
	// HasArtifact: Round has its completion event.
	HasArtifact bool
	// InFlight counts the unfinished executions of the workflow, the one that
	// asks left out. 0 for a past round.
	InFlight int
	// Completeness is how far Round got, by the product's own rule. For a past
	// round, closed means that it was when the next one began.
	Completeness lifecycle.Completeness
	SessionDir   string
	// StartedMS and UpdatedMS are wall-clock UTC milliseconds, 0 when unreadable.
	StartedMS int64
	UpdatedMS int64
}

// Ask says which workflows are meant, and for whom. Its zero value means all of
// them, newest first, for nobody in particular.
type Ask struct {
	// ID picks one workflow; empty for any.
	ID string
	// Active leaves out closed ones.
	Active bool
	// SinceMS leaves out what was last changed before this wall time.
	SinceMS int64
	// Except is the uid whose unfinished row does not count as in flight: that
	// of the execution that asks.
	Except string
	// Round judges that round instead of the current one; 0 is the current one.
	Round int
}

// WorkflowOf reads the workflow that the product has linked to an execution,
// the execution itself not counted as in flight. ok is false when none is
// linked; before schema 11 there are no links. An error that wraps
// ErrUnreadable means that nothing is known, which is not the same.
func (h Host) WorkflowOf(ctx context.Context, uid string) (w Workflow, ok bool, err error) {
	var found []Workflow
	err = h.view(ctx, func(ctx context.Context, q queryer, s schema) error {
		found = nil
		if !s.executions["workflow_id"] || !s.executions["uid"] {
			return nil
		}
		var id sql.NullString
		err := q.QueryRowContext(ctx, "SELECT workflow_id FROM command_executions WHERE uid = ?", uid).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !id.Valid {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
		found, err = workflows(ctx, q, s, Ask{ID: id.String, Except: uid})
		if err == nil && len(found) == 0 {
			return fmt.Errorf("%w: linked workflow %s is not there", ErrUnreadable, id.String)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		return Workflow{}, false, h.failed("read workflow of "+uid, err)
	}
	return found[0], true, nil
}

// Workflows reads the workflows that are meant, the one changed last first.
func (h Host) Workflows(ctx context.Context, a Ask) (list []Workflow, err error) {
	err = h.view(ctx, func(ctx context.Context, q queryer, s schema) (err error) {
		list, err = workflows(ctx, q, s, a)
		return err
	})
	return list, h.failed("read workflows", err)
}

// workflows reads sessions and judges each.
func workflows(ctx context.Context, q queryer, s schema, a Ask) (list []Workflow, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		w, err := scanWorkflow(rows)
		if err == nil && w.UpdatedMS >= a.SinceMS {
			list = append(list, w)
		}
		return err
	}, `SELECT id, workflow_type, branch, status, current_phase, phase_number, current_round, current_map_run,
			session_dir, started_at, updated_at FROM sessions
		WHERE (?1 = '' OR id = ?1) AND (NOT ?2 OR status = 'active')
		ORDER BY julianday(updated_at) DESC, rowid DESC`, a.ID, a.Active)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if err := judge(ctx, q, s, &list[i], a); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// scanWorkflow reads one session.
func scanWorkflow(rows *sql.Rows) (w Workflow, err error) {
	var status string
	var started, updated sql.NullString
	var round, run int
	err = rows.Scan(&w.ID, &w.Kind, &w.Branch, &status, &w.Phase, &w.PhaseNumber, &round, &run, &w.SessionDir, &started, &updated)
	w.Closed = status == "closed"
	w.CurrentRound = round
	if w.Kind == lifecycle.KindMap {
		w.CurrentRound = run
	}
	w.StartedMS, w.UpdatedMS = millis(started.String), millis(updated.String)
	return w, err
}

// judge fills in what is asked about a workflow's round.
func judge(ctx context.Context, q queryer, s schema, w *Workflow, a Ask) error {
	w.Round = w.CurrentRound
	if a.Round > 0 && a.Round != w.CurrentRound {
		return judgePast(ctx, q, w, a.Round)
	}
	if err := judgeArtifact(ctx, q, s, w); err != nil {
		return err
	}
	if s.executions["workflow_id"] {
		err := q.QueryRowContext(ctx, `SELECT count(*) FROM command_executions
			WHERE workflow_id = ? AND finished_at IS NULL AND uid IS NOT ?`, w.ID, text(a.Except)).Scan(&w.InFlight)
		if err != nil {
			return unreadable(err)
		}
	}
	w.Completeness = lifecycle.CompletenessOf(w.Closed, w.HasArtifact, w.InFlight > 0)
	return nil
}

// judgeArtifact asks the product's own view, or its events where it has none.
// The view's last word counts every unfinished row, also that of the execution
// that asks, and so only its facts are taken.
func judgeArtifact(ctx context.Context, q queryer, s schema, w *Workflow) error {
	if s.view {
		return unreadable(q.QueryRowContext(ctx, `SELECT marked_closed, has_terminal_artifact
			FROM session_completeness WHERE session_id = ?`, w.ID).Scan(&w.Closed, &w.HasArtifact))
	}
	return unreadable(q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM orchestration_events
		WHERE session_id = ? AND event_type = ? AND round = ?)`,
		w.ID, string(lifecycle.CompletionEvent(w.Kind)), w.CurrentRound).Scan(&w.HasArtifact))
}

// judgePast judges a round that is over, by the events.
func judgePast(ctx context.Context, q queryer, w *Workflow, round int) error {
	events, err := eventsOf(ctx, q, w.ID)
	if err != nil {
		return err
	}
	at := roundsOf(events)[round]
	w.Round, w.Closed, w.HasArtifact, w.InFlight = round, at.closed, at.artifact, 0
	w.Phase, w.PhaseNumber = at.phase, lifecycle.PhaseNumber(w.Kind, at.phase)
	w.Completeness = lifecycle.CompletenessOf(w.Closed, w.HasArtifact, false)
	return nil
}
