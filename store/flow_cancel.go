package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// FlowCancel asks for a flow to end.
type FlowCancel struct {
	ID string
	// Owner is whom it must belong to; empty for anybody.
	Owner string
	// Detail says why, for a person.
	Detail string
	// UID is the execution that asks; empty for none. It is not spared.
	UID string
	At  Instant
}

// FlowCancelAnswer is what became of the wish.
type FlowCancelAnswer struct {
	// Flow is the flow as it is now.
	Flow Flow
	// Before: it had ended before.
	Before bool
	// Asked: it had been asked to end before.
	Asked bool
	// Stopping are the children asked to stop now; others had been before.
	Stopping []string
	// Refused is why nothing was done; empty when it was.
	Refused lifecycle.FlowRefusal
}

// CancelFlow writes down that a flow is to end, and asks everything that runs in
// it to stop, in one transaction: an execution is committed before it and is asked,
// or after it and is refused. The wish is written whatever the revision, once, and
// nothing takes it back. A flow in which nothing runs is cancelled with that. Of
// one that has ended the live children are asked to stop all the same.
func (l *Ledger) CancelFlow(ctx context.Context, c FlowCancel) (a FlowCancelAnswer, err error) {
	err = l.write(ctx, "cancel flow", c.ID, func(tx *sql.Tx) error {
		a.Flow, err = findFlow(ctx, tx, c.ID)
		if errors.Is(err, ErrNotFound) {
			a.Refused = lifecycle.FlowNotFound
			return nil
		}
		if err != nil {
			return err
		}
		a.Refused = lifecycle.CheckCancel(a.Flow.facts(), lifecycle.FlowAsk{Owner: c.Owner})
		if a.Refused != "" {
			return nil
		}
		a.Before, a.Asked = a.Flow.Status.Closed(), a.Flow.CancelRequestedAtMS != 0
		return cancelFlow(ctx, tx, c, &a)
	})
	a.Refused = failedTo(a.Refused, err)
	return a, err
}

// cancelFlow does it, and reads the flow again.
func cancelFlow(ctx context.Context, tx *sql.Tx, c FlowCancel, a *FlowCancelAnswer) error {
	first, err := one(ctx, tx, `UPDATE workflows SET cancel_requested_at = max(?1, created_at), revision = revision + 1,
			updated_at = max(updated_at, ?1) WHERE id = ?2 AND cancel_requested_at IS NULL AND ended_at IS NULL`, c.At.WallMS, c.ID)
	if err == nil && first {
		err = noteIntent(ctx, tx, c)
	}
	if err == nil {
		a.Stopping, err = stopChildren(ctx, tx, c)
	}
	if err == nil {
		_, err = settleFlow(ctx, tx, c.ID, change{uid: c.UID, at: c.At})
	}
	if err == nil {
		a.Flow, err = findFlow(ctx, tx, c.ID)
	}
	return err
}

// noteIntent tells of the wish.
func noteIntent(ctx context.Context, tx *sql.Tx, c FlowCancel) error {
	payload, err := encode(struct {
		Detail string `json:"detail,omitempty"`
	}{c.Detail})
	if err != nil {
		return err
	}
	return note(ctx, tx, Event{
		UID: c.UID, WorkflowID: c.ID, Type: lifecycle.EventFlowCancelRequested, AtMS: c.At.WallMS, Payload: payload,
	})
}

// stopChildren asks every live child that was not asked before.
func stopChildren(ctx context.Context, tx *sql.Tx, c FlowCancel) (uids []string, err error) {
	uids, err = names(ctx, tx, `SELECT uid FROM executions WHERE flow_id = ?1 AND ended_at IS NULL AND stop_requested IS NULL ORDER BY n`, c.ID)
	if err != nil || len(uids) == 0 {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO events (uid, workflow_id, type, at, payload)
		SELECT uid, ?1, 'stop_requested', ?2, json_object('by', 'user', 'reason', 'flow-cancelled')
		FROM executions WHERE flow_id = ?1 AND ended_at IS NULL AND stop_requested IS NULL`, c.ID, c.At.WallMS)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE executions SET stop_requested = 'user', stop_requested_at = ?2
		WHERE flow_id = ?1 AND ended_at IS NULL AND stop_requested IS NULL`, c.ID, c.At.WallMS)
	return uids, err
}
