package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// selectWorkflow reads rows in the order scanWorkflow takes them.
const selectWorkflow = `SELECT id, kind, workspace, branch, goal, owner, status, phase, round, revision, session_dir,
	created_at, updated_at, ended_at, close_reason,
	EXISTS (SELECT 1 FROM events e WHERE e.workflow_id = w.id AND e.round = w.round
		AND e.type = CASE w.kind WHEN 'review' THEN 'round_completed' ELSE 'map_completed' END),
	(SELECT count(*) FROM executions x WHERE x.ended_at IS NULL AND ` + atWork + `)
	FROM workflows w`

// atWork says whether an execution x works on a workflow w: it is linked to it,
// or has taken it up besides.
const atWork = `(x.workflow_id = w.id OR x.flow_id = w.id OR EXISTS (SELECT 1 FROM events l
	WHERE l.uid = x.uid AND l.workflow_id = w.id AND l.type = 'workflow_linked'))`

// withAncestors are the execution ?2 and those it was started in, one in the
// other.
const withAncestors = `WITH RECURSIVE line (uid) AS (SELECT ?2
	UNION SELECT parent_uid FROM executions JOIN line USING (uid) WHERE parent_uid IS NOT NULL) SELECT uid FROM line`

// querier is what reads from a ledger, inside a transaction or outside.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Workflow reads one workflow; ErrNotFound when there is none.
func (l *Ledger) Workflow(ctx context.Context, id string) (Workflow, error) {
	w, err := findWorkflow(ctx, l.db, id)
	return w, l.failed("read workflow", id, err)
}

// WorkflowOf reads the workflow an execution works on: of several the open one
// it took up last, or the last when none is open. ErrNotFound when it works on
// none.
func (l *Ledger) WorkflowOf(ctx context.Context, uid string) (Workflow, error) {
	ids, err := l.workflowsOf(ctx, uid)
	if err == nil && len(ids) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Workflow{}, l.failed("find workflow of execution", uid, err)
	}
	var last Workflow
	for _, id := range ids {
		w, err := findWorkflow(ctx, l.db, id)
		if err != nil {
			return Workflow{}, l.failed("read workflow", id, err)
		}
		if !w.Status.Closed() || last.ID == "" || last.Status.Closed() {
			last = w
		}
	}
	return last, nil
}

// OthersAtWork counts the executions that have not ended and work on the
// workflow, without the one that asks and those it was started in, which wait
// for it.
func (l *Ledger) OthersAtWork(ctx context.Context, id, uid string) (n int, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT count(*) FROM executions x JOIN workflows w ON w.id = ?1
		WHERE x.ended_at IS NULL AND `+atWork+` AND x.uid NOT IN (`+withAncestors+`)`, id, uid).Scan(&n)
	return n, l.failed("read workflow", id, err)
}

// Completion says whether a round is complete, and what was recorded with that;
// nil when nothing was.
func (l *Ledger) Completion(ctx context.Context, id string, round int) (payload []byte, complete bool, err error) {
	var text sql.NullString
	err = l.db.QueryRowContext(ctx, `SELECT payload FROM events WHERE workflow_id = ? AND round = ?
		AND type IN ('round_completed', 'map_completed') ORDER BY seq LIMIT 1`, id, round).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if text.Valid {
		payload = []byte(text.String)
	}
	return payload, err == nil, l.failed("read completion of workflow", id, err)
}

// OpenWorkflows lists the workflows of a workspace that are not closed, newest
// first; of every workspace when it is empty.
func (l *Ledger) OpenWorkflows(ctx context.Context, workspace string) ([]Workflow, error) {
	found, err := workflows(ctx, l.db, selectWorkflow+` WHERE ended_at IS NULL AND (?1 = '' OR workspace = ?1)
		ORDER BY created_at DESC, w.rowid DESC`, workspace)
	return found, l.failed("read workflows of", l.path, err)
}

// Workflows lists the workflows of a workspace, newest first and at most limit;
// of every workspace when it is empty, all of them when limit is 0.
func (l *Ledger) Workflows(ctx context.Context, workspace string, limit int) ([]Workflow, error) {
	found, err := workflows(ctx, l.db, selectWorkflow+` WHERE ?1 = '' OR workspace = ?1
		ORDER BY created_at DESC, w.rowid DESC LIMIT ?2`, workspace, unlimited(limit))
	return found, l.failed("read workflows of", l.path, err)
}

// findWorkflow reads one row, or ErrNotFound.
func findWorkflow(ctx context.Context, q querier, id string) (Workflow, error) {
	found, err := workflows(ctx, q, selectWorkflow+` WHERE id = ?`, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Workflow{}, err
	}
	return found[0], nil
}

func workflows(ctx context.Context, q querier, query string, args ...any) (found []Workflow, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		w, err := scanWorkflow(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, w)
	}
	return found, rows.Err()
}

func scanWorkflow(rows *sql.Rows) (Workflow, error) {
	var w Workflow
	var phase, reason sql.NullString
	var ended sql.NullInt64
	err := rows.Scan(&w.ID, &w.Kind, &w.Workspace, &w.Branch, &w.Goal, &w.Owner, &w.Status, &phase, &w.Round, &w.Revision, &w.SessionDir,
		&w.CreatedAtMS, &w.UpdatedAtMS, &ended, &reason, &w.HasArtifact, &w.InFlight)
	w.Phase, w.CloseReason, w.EndedAtMS = lifecycle.Phase(phase.String), reason.String, ended.Int64
	return w, err
}
