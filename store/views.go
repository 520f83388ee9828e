package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// workflowView is the worst workflow of those the execution works on, or nil.
func (l *Ledger) workflowView(ctx context.Context, r *row) (*WorkflowView, error) {
	if r.hosted != nil && r.hosted.Lost {
		return r.hosted, nil // written only where no other decides
	}
	// The first workflow taken up is always the linked one.
	if r.WorkflowID == "" {
		if r.hosted != nil {
			r.hosted.Hosted = true
		}
		return r.hosted, nil
	}
	ids, err := l.workflowsOf(ctx, r.UID)
	if err != nil {
		return nil, err
	}
	var worst *WorkflowView
	for _, id := range ids {
		v, err := l.judged(ctx, id, r.UID, r.rounds[id])
		if err != nil {
			return nil, err
		}
		if worst == nil || lifecycle.Worse(worst.Completeness, v.Completeness) != worst.Completeness {
			worst = &v
		}
	}
	return worst, nil
}

// workflowsOf lists the workflows an execution works on, in the order it took
// them up: the linked one, and those it began besides.
func (l *Ledger) workflowsOf(ctx context.Context, uid string) ([]string, error) {
	return l.ids(ctx, `SELECT w.id FROM workflows w LEFT JOIN
			(SELECT workflow_id AS id, max(seq) AS seq FROM events WHERE uid = ?1 AND type = 'workflow_linked' GROUP BY workflow_id) linked
			ON linked.id = w.id
		WHERE linked.id IS NOT NULL OR w.id = (SELECT workflow_id FROM executions WHERE uid = ?1)
		ORDER BY linked.seq`, uid)
}

// endedBy lists the workflows that an execution had to do with and that take no link any
// more.
func (l *Ledger) endedBy(ctx context.Context, uid string) ([]string, error) {
	return l.ids(ctx, `SELECT id FROM workflows WHERE kind <> 'flow' AND (ended_at IS NOT NULL OR cancel_requested_at IS NOT NULL)
		AND id IN (SELECT workflow_id FROM events WHERE uid = ?1)`, uid)
}

// ids are the answers to a query for names.
func (l *Ledger) ids(ctx context.Context, query string, args ...any) (ids []string, err error) {
	rows, err := l.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// judged is a workflow as the execution uid left it: in the round it ended in,
// or in the present one when it has not ended (round 0). The round counts as
// closed when the workflow is closed in it, or was: closing writes an event.
func (l *Ledger) judged(ctx context.Context, id, uid string, round int) (WorkflowView, error) {
	var closed, artifact, inFlight bool
	v := WorkflowView{ID: id}
	var phase sql.NullString
	err := l.db.QueryRowContext(ctx, `WITH judged AS (SELECT *, CASE ?3 WHEN 0 THEN round ELSE ?3 END AS r FROM workflows WHERE id = ?1)
		SELECT kind, CASE r WHEN round THEN phase ELSE (SELECT phase FROM events WHERE workflow_id = ?1 AND events.round = r
				AND phase IS NOT NULL ORDER BY seq DESC LIMIT 1) END, r,
			(r = round AND ended_at IS NOT NULL) OR (r <> round AND EXISTS (SELECT 1 FROM events WHERE workflow_id = ?1 AND events.round = r
				AND type IN ('session_closed', 'session_aborted', 'session_auto_closed_stale', 'session_synced', 'session_legacy_import'))),
			EXISTS (SELECT 1 FROM events WHERE workflow_id = ?1 AND events.round = r
				AND type = CASE kind WHEN 'review' THEN 'round_completed' ELSE 'map_completed' END),
			r = round AND EXISTS (SELECT 1 FROM executions x WHERE x.ended_at IS NULL AND x.uid <> ?2 AND `+atWork+`)
		FROM judged w`, id, uid, round).Scan(&v.Kind, &phase, &v.Round, &closed, &artifact, &inFlight)
	v.Phase = lifecycle.Phase(phase.String)
	v.Completeness = lifecycle.CompletenessOf(closed, artifact, inFlight)
	return v, err
}
