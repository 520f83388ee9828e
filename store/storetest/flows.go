package storetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// CheckFlows holds every flow, from a raw connection and in one moment, against its
// history and its children, and fails the test at what no rule allows. It returns
// how many flows have ended, and how many there are.
func CheckFlows(tb testing.TB, db *sql.DB) (ended, all int) {
	tb.Helper()
	ended, all, err := flowsHold(tb.Context(), db)
	if err != nil {
		tb.Fatal(err)
	}
	return ended, all
}

func flowsHold(ctx context.Context, db *sql.DB) (ended, all int, err error) {
	// One transaction is one moment: what others write meanwhile is not seen.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	flows, err := flowRows(ctx, tx)
	if err != nil {
		return 0, 0, err
	}
	for _, f := range flows {
		h := flowHistory{flowRow: f, seen: map[string]string{}}
		if err := h.replay(ctx, tx); err != nil {
			return 0, 0, fmt.Errorf("flow %s: %w", f.id, err)
		}
		if err := h.hold(); err != nil {
			return 0, 0, fmt.Errorf("flow %s, %+v: %w", f.id, f, err)
		}
		if f.ended {
			ended++
		}
	}
	return ended, len(flows), nil
}

// flowRow is a flow with what is true of its children now.
type flowRow struct {
	id, status       string
	revision         int64
	asked, ended     bool
	live, over, lost int
	// unasked are live children that nobody asked to stop and nobody spared;
	// strangers are children of another workspace; running counts those that run.
	unasked, strangers, running int
}

func flowRows(ctx context.Context, tx *sql.Tx) (found []flowRow, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, status, revision, cancel_requested_at IS NOT NULL, ended_at IS NOT NULL,
			(SELECT count(*) FROM executions x WHERE x.flow_id = w.id AND ended_at IS NULL),
			(SELECT count(*) FROM executions x WHERE x.flow_id = w.id AND ended_at IS NOT NULL),
			(SELECT count(*) FROM executions x WHERE x.flow_id = w.id AND "end" = 'lost'),
			(SELECT count(*) FROM executions x WHERE x.flow_id = w.id AND ended_at IS NULL AND stop_requested IS NULL AND uid IS NOT w.closed_by_uid),
			(SELECT count(*) FROM executions x WHERE x.flow_id = w.id AND x.workspace <> w.workspace),
			(SELECT count(*) FROM executions x WHERE x.flow_id = w.id AND x."end" = 'running')
		FROM workflows w WHERE kind = 'flow'`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var f flowRow
		if err := rows.Scan(&f.id, &f.status, &f.revision, &f.asked, &f.ended, &f.live, &f.over, &f.lost, &f.unasked, &f.strangers, &f.running); err != nil {
			return nil, err
		}
		found = append(found, f)
	}
	return found, rows.Err()
}

// flowHistory is where the events of a flow and of its children lead.
type flowHistory struct {
	flowRow
	state   string
	changes int64
	intents int
	endings int
	limit   int
	// seen is the last that was told of each child.
	seen map[string]string
}

// replay follows the events in the order in which they were written.
func (h *flowHistory) replay(ctx context.Context, tx *sql.Tx) (err error) {
	rows, err := tx.QueryContext(ctx, `SELECT seq, type, COALESCE(uid, ''), COALESCE(payload, '{}') FROM events
		WHERE (workflow_id = ?1 AND type IN ('flow_state', 'flow_cancel_requested'))
			OR (uid IN (SELECT uid FROM executions WHERE flow_id = ?1) AND type LIKE 'execution_%') ORDER BY seq`, h.id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var seq int64
		var t, uid, payload string
		if err := rows.Scan(&seq, &t, &uid, &payload); err != nil {
			return err
		}
		if err := h.follow(lifecycle.EventType(t), uid, payload); err != nil {
			return fmt.Errorf("event %d, %s of %q, %s: %w", seq, t, uid, payload, err)
		}
	}
	return rows.Err()
}

// follow takes one event, or says which rule forbids it.
func (h *flowHistory) follow(t lifecycle.EventType, uid, payload string) error {
	switch t { //nolint:exhaustive // no other is read
	case lifecycle.EventFlowState:
		return h.step(payload)
	case lifecycle.EventFlowCancelRequested:
		h.intents++
		if h.endings > 0 {
			return errors.New("it had ended")
		}
	case lifecycle.EventAnnounced:
		if h.intents > 0 || h.endings > 0 {
			return errors.New("it was committed after the wish to cancel, or after the end")
		}
		return h.child(uid, "", string(t))
	case lifecycle.EventEnded, lifecycle.EventNotStarted, lifecycle.EventLost:
		return h.child(uid, string(lifecycle.EventAnnounced), string(t))
	case lifecycle.EventLateTruth:
		return h.child(uid, string(lifecycle.EventLost), string(t))
	}
	return nil
}

// child takes an event of a child that must follow another.
func (h *flowHistory) child(uid, after, what string) error {
	if h.seen[uid] != after {
		return fmt.Errorf("it follows %q", h.seen[uid])
	}
	h.seen[uid] = what
	return nil
}

// step takes a change of state.
func (h *flowHistory) step(payload string) error {
	var s struct {
		From, To lifecycle.WorkflowStatus
		Limit    int `json:"max_parallel"`
	}
	if err := json.Unmarshal([]byte(payload), &s); err != nil {
		return err
	}
	h.changes++
	first := h.changes == 1
	if first {
		h.limit = s.Limit
	}
	from := h.state
	h.state = string(s.To)
	if s.To.Closed() {
		h.endings++
	}
	switch {
	case string(s.From) != from:
		return fmt.Errorf("it was %q", from)
	case first != (from == ""), !first && !lifecycle.LegalFlowStep(s.From, s.To):
		return errors.New("no such step")
	case h.intents > 0 && s.To != lifecycle.WorkflowCancelled, h.intents == 0 && s.To == lifecycle.WorkflowCancelled:
		return errors.New("a wish to cancel leads to cancelled, and nothing else does")
	case h.endings > 1:
		return errors.New("it ended twice")
	}
	return nil
}

// hold holds the row against the history.
func (h *flowHistory) hold() error {
	open := !h.ended
	for _, rule := range []struct {
		broken bool
		what   string
	}{
		{h.state != h.status, "its history leads to " + h.state},
		{h.revision != h.changes+int64(h.intents), "its revision is not the number of its changes"},
		{h.asked != (h.intents == 1) || h.intents > 1, "the wish to cancel stands once in row and history"},
		{h.ended != (h.endings == 1), "it has not ended once"},
		{h.asked && open && h.live == 0, "it was asked to end, nothing of it runs, and it has not ended"},
		{h.status == "cancelled" && h.live > 0, "it is cancelled and something of it runs"},
		{(h.asked || h.ended) && h.unasked > 0, "something of it was not asked to stop"},
		{h.status == "running" && h.live == 0 && h.over > 0 && h.lost == h.over, "all of it was lost and it is left running"},
		{h.strangers > 0, "a run of it belongs to another workspace"},
		{h.limit > 0 && h.running > h.limit, "more of it runs than may"},
		{h.status == "queued" && (h.live > 0 || h.over > h.lost), "it is queued and has runs"},
		{len(h.seen) != h.live+h.over, "a run of it was never announced"},
	} {
		if rule.broken {
			return errors.New(rule.what)
		}
	}
	return nil
}
