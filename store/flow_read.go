package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// selectFlow reads workflows of any kind as scanFlow takes them; a condition of the
// caller's, beginning with AND, follows. The last change and the limit come from the
// history, and the counts from the children: neither is stored a second time.
const selectFlow = `SELECT w.id, w.kind, w.workspace, w.goal, w.owner, w.status, w.revision, w.begun_by_uid, w.closed_by_uid,
		w.cancel_requested_at, w.created_at, w.updated_at, w.ended_at,
		s.payload, s.at, (` + limitOf + `w.id ORDER BY l.seq LIMIT 1),
		(SELECT json_array(sum("end" = 'queued'), sum("end" = 'running'), sum(ended_at IS NOT NULL), sum("end" = 'lost'))
			FROM executions x WHERE x.flow_id = w.id)
	FROM workflows w
	LEFT JOIN events s ON s.seq = (SELECT max(seq) FROM events WHERE workflow_id = w.id AND type = 'flow_state')
	WHERE TRUE`

// Flow reads one flow; ErrNotFound when there is no flow of that name.
func (l *Ledger) Flow(ctx context.Context, id string) (Flow, error) {
	f, err := findFlow(ctx, l.db, id)
	if err == nil && f.Kind != lifecycle.KindFlow {
		err = ErrNotFound
	}
	return f, l.failed("read flow", id, err)
}

// FlowFilter selects flows. Its zero value selects everything.
type FlowFilter struct {
	// Open keeps those that have not ended, and those in which something still runs.
	Open      bool
	Workspace string
	// Limit is the most rows returned, newest first; 0 means all.
	Limit int
}

// Flows lists flows, newest first.
func (l *Ledger) Flows(ctx context.Context, f FlowFilter) ([]Flow, error) {
	found, err := l.flows(ctx, ` AND (NOT ?1 OR w.ended_at IS NULL OR EXISTS (SELECT 1 FROM executions x WHERE x.flow_id = w.id AND x.ended_at IS NULL)) AND (?2 = '' OR w.workspace = ?2)
		ORDER BY w.created_at DESC, w.rowid DESC LIMIT ?3`, f.Open, f.Workspace, unlimited(f.Limit))
	return found, l.failed("read flows of", l.path, err)
}

// FlowExecutions lists the children of a flow, oldest first.
func (l *Ledger) FlowExecutions(ctx context.Context, id string) ([]Execution, error) {
	found, err := l.executions(ctx, selectExecution+` WHERE flow_id = ? ORDER BY n`, id)
	return found, l.failed("read executions of flow", id, err)
}

// FlowOf is the flow an execution is part of: its own, or that of the nearest
// execution it was started in. ErrNotFound when there is none.
func (l *Ledger) FlowOf(ctx context.Context, uid string) (id string, err error) {
	err = l.db.QueryRowContext(ctx, `WITH RECURSIVE line (uid, depth) AS (SELECT ?1, 0
			UNION SELECT e.parent_uid, depth + 1 FROM executions e JOIN line ON e.uid = line.uid
				WHERE e.parent_uid IS NOT NULL AND depth < 100)
		SELECT flow_id FROM executions JOIN line USING (uid) WHERE flow_id IS NOT NULL ORDER BY depth LIMIT 1`, uid).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return id, l.failed("find flow of execution", uid, err)
}

// ResolveFlow finds the flow somebody means by name: the exact id, or else a prefix
// or suffix only one flow has. Several are an *AmbiguousError, none ErrNotFound.
func (l *Ledger) ResolveFlow(ctx context.Context, name string) (id string, err error) {
	found, err := names(ctx, l.db, `SELECT id FROM workflows WHERE kind = 'flow' AND ?1 <> ''
		AND (substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1)
		ORDER BY id = ?1 DESC, created_at DESC LIMIT ?2`, name, maxCandidates)
	switch {
	case err != nil:
	case len(found) == 0:
		err = ErrNotFound
	case len(found) == 1 || found[0] == name:
		return found[0], nil
	default:
		err = &AmbiguousError{What: "flow", Name: name, Candidates: found}
	}
	return "", l.failed("find flow", name, err)
}

// findFlow reads a workflow of any kind as a flow, or ErrNotFound.
func findFlow(ctx context.Context, q querier, id string) (Flow, error) {
	found, err := readFlows(ctx, q, selectFlow+` AND w.id = ?`, id)
	switch {
	case err != nil:
		return Flow{}, err
	case len(found) == 0:
		return Flow{}, ErrNotFound
	default:
		return found[0], nil
	}
}

// flows reads flows only.
func (l *Ledger) flows(ctx context.Context, rest string, args ...any) ([]Flow, error) {
	return readFlows(ctx, l.db, selectFlow+` AND w.kind = 'flow'`+rest, args...)
}

func readFlows(ctx context.Context, q querier, query string, args ...any) (found []Flow, err error) {
	return readAll(ctx, q, scanFlow, query, args...)
}

func scanFlow(rows *sql.Rows) (Flow, error) {
	var f Flow
	var begun, closed, payload sql.NullString
	var counts string
	var cancel, ended, at, limit sql.NullInt64
	err := rows.Scan(&f.ID, &f.Kind, &f.Workspace, &f.Goal, &f.Owner, &f.Status, &f.Revision, &begun, &closed,
		&cancel, &f.CreatedAtMS, &f.UpdatedAtMS, &ended, &payload, &at, &limit, &counts)
	f.BegunByUID, f.ClosedByUID = begun.String, closed.String
	f.CancelRequestedAtMS, f.EndedAtMS, f.WhyAtMS, f.MaxParallel = cancel.Int64, ended.Int64, at.Int64, int(limit.Int64)
	if err != nil {
		return f, err
	}
	var n [4]int // null, of no children, leaves it as it is
	err = json.Unmarshal([]byte(counts), &n)
	f.Queued, f.Running, f.Ended, f.Lost = n[0], n[1], n[2], n[3]
	if err != nil || !payload.Valid {
		return f, err
	}
	var s flowState
	err = json.Unmarshal([]byte(payload.String), &s)
	f.Why, f.Detail = s.Why, s.Detail
	return f, err
}

// noteFlow writes the event of a change.
func noteFlow(ctx context.Context, tx *sql.Tx, id, uid string, at Instant, s flowState) error {
	payload, err := encode(s)
	if err != nil {
		return err
	}
	return note(ctx, tx, Event{UID: uid, WorkflowID: id, Type: lifecycle.EventFlowState, AtMS: at.WallMS, Payload: payload})
}

// Below lists the executions that were started in others, one in the other, oldest
// first, without those themselves.
func (l *Ledger) Below(ctx context.Context, uids ...string) ([]Execution, error) {
	found, err := l.executions(ctx, `WITH RECURSIVE family (uid) AS (SELECT value FROM json_each(?1)
			UNION SELECT e.uid FROM executions e JOIN family ON e.parent_uid = family.uid)
		`+selectExecution+` WHERE uid IN (SELECT uid FROM family) AND uid NOT IN (SELECT value FROM json_each(?1)) ORDER BY n`, list(uids))
	return found, l.failed("read executions of", l.path, err)
}
