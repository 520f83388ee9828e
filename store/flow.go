package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// CreateFlow makes a flow, or finds the one of that name that is open and of the
// same owner: the second time nothing is changed, and created is false. A name
// that means something else is refused, with the flow as it is, if it is one.
func (l *Ledger) CreateFlow(ctx context.Context, n NewFlow) (f Flow, created bool, refused lifecycle.FlowRefusal, err error) {
	err = l.write(ctx, "create flow", n.ID, func(tx *sql.Tx) error {
		f, err = findFlow(ctx, tx, n.ID)
		if !errors.Is(err, ErrNotFound) {
			_, refused = lifecycle.DecideFlow(f.facts(), lifecycle.FlowAsk{Owner: n.Owner}, lifecycle.FlowRun)
			return err
		}
		created = true
		if err := createFlow(ctx, tx, n); err != nil {
			return err
		}
		f, err = findFlow(ctx, tx, n.ID)
		return err
	})
	return f, created && err == nil, failedTo(refused, err), err
}

func createFlow(ctx context.Context, tx *sql.Tx, n NewFlow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO workflows (id, kind, workspace, branch, session_dir, goal, owner, status,
			round, revision, begun_by_uid, created_at, updated_at)
		VALUES (?1, 'flow', ?2, '', '', ?3, ?4, 'queued', 1, 1, ?5, ?6, ?6)`,
		n.ID, n.Workspace, n.Goal, n.Owner, text(n.UID), n.At.WallMS)
	if err != nil {
		return err
	}
	return noteFlow(ctx, tx, n.ID, n.UID, n.At, flowState{To: lifecycle.WorkflowQueued, Why: lifecycle.FlowCreated, MaxParallel: n.MaxParallel})
}

// RunInFlow commits an execution under a flow, before its child exists: in one
// transaction with the look at the flow that allows it, so that none is ever
// committed under one that has ended or was asked to. Workspace and limit come
// from the flow and not from the caller: under a flow with a limit the execution
// is queued, see [Ledger.TakeSlot]. One that goes on with another execution claims
// its session besides, as [Ledger.Claim] does: who does not get it gets an
// *OccupiedError, which is no refusal of the flow's.
func (l *Ledger) RunInFlow(ctx context.Context, r FlowRun) (res FlowRunResult, err error) {
	err = l.write(ctx, "run in flow", r.Announcement.FlowID, func(tx *sql.Tx) error {
		res.Flow, err = findFlow(ctx, tx, r.Announcement.FlowID)
		if errors.Is(err, ErrNotFound) {
			res.Refused = lifecycle.FlowNotFound
			return nil
		}
		if err != nil {
			return err
		}
		res.Found = true
		if _, res.Refused = lifecycle.DecideFlow(res.Flow.facts(), r.Ask, lifecycle.FlowRun); res.Refused != "" {
			return nil
		}
		a := r.Announcement
		if err := vacant(ctx, tx, a, r.Session); err != nil {
			return err
		}
		a.Workspace, a.Queued = res.Flow.Workspace, a.Queued || res.Flow.MaxParallel > 0
		if res.Generation, _, err = announce(ctx, tx, a); err != nil {
			return err
		}
		res.Announcement = a
		res.Flow, err = findFlow(ctx, tx, a.FlowID)
		return err
	})
	if _, occupied := errors.AsType[*OccupiedError](err); !occupied {
		res.Refused = failedTo(res.Refused, err)
	}
	res.Created = err == nil && res.Refused == ""
	return res, err
}

// failedTo is the refusal of a change that the ledger did not take.
func failedTo(refused lifecycle.FlowRefusal, err error) lifecycle.FlowRefusal {
	if err != nil {
		return lifecycle.FlowPersistFailed
	}
	return refused
}

// joinFlow does to a flow what a new child does to it.
func joinFlow(ctx context.Context, tx *sql.Tx, a Announcement) error {
	if a.FlowID == "" {
		return nil
	}
	f, err := findFlow(ctx, tx, a.FlowID)
	if err != nil {
		return err
	}
	step, _ := lifecycle.DecideFlow(f.facts(), lifecycle.FlowAsk{}, lifecycle.FlowRun)
	return stepFlow(ctx, tx, f, step, change{uid: a.UID, at: a.At})
}

// ChangeFlow makes a move of a flow's controller. A flow that is ended asks its
// live children to stop, in the same transaction, those spared that the controller
// runs in. A refusal comes with the flow as it is.
func (l *Ledger) ChangeFlow(ctx context.Context, c FlowChange) (f Flow, refused lifecycle.FlowRefusal, err error) {
	err = l.write(ctx, string(c.Move)+" flow", c.ID, func(tx *sql.Tx) error {
		f, err = findFlow(ctx, tx, c.ID)
		if errors.Is(err, ErrNotFound) {
			refused = lifecycle.FlowNotFound
			return nil
		}
		if err != nil {
			return err
		}
		var step lifecycle.FlowStep
		if step, refused = lifecycle.DecideFlow(f.facts(), c.Ask, c.Move); refused != "" {
			return nil
		}
		if err := stepFlow(ctx, tx, f, step, change{uid: c.UID, detail: c.Detail, at: c.At}); err != nil {
			return err
		}
		f, err = findFlow(ctx, tx, c.ID)
		return err
	})
	return f, failedTo(refused, err), err
}

// change is who changes a flow, when, and with what words.
type change struct {
	uid, detail string
	at          Instant
}

// stepFlow writes a step: the row under the revision it was decided on, the event
// that tells of it, and what follows for the children. A zero step writes nothing.
func stepFlow(ctx context.Context, tx *sql.Tx, f Flow, s lifecycle.FlowStep, c change) error {
	if s.Status == "" {
		return nil
	}
	// An end that is learned late is old; what follows from it happens now.
	c.at.WallMS = max(c.at.WallMS, f.UpdatedAtMS)
	var ended, reason any
	if s.Status.Closed() {
		if err := stopDependents(ctx, tx, f.ID, c.uid, c.at); err != nil {
			return err
		}
		ended, reason = max(c.at.WallMS, f.CancelRequestedAtMS), string(s.Why)
	}
	changed, err := one(ctx, tx, `UPDATE workflows SET status = ?, revision = revision + 1, updated_at = max(updated_at, ?),
			ended_at = ?, close_reason = ?, closed_by_uid = ? WHERE id = ? AND revision = ? AND ended_at IS NULL`,
		string(s.Status), c.at.WallMS, ended, reason, closer(s, c), f.ID, f.Revision)
	if err == nil && !changed {
		err = ErrConflict
	}
	if err != nil {
		return err
	}
	return noteFlow(ctx, tx, f.ID, c.uid, c.at, flowState{From: f.Status, To: s.Status, Why: s.Why, Detail: c.detail})
}

// closer is the execution that ends a flow. One that ends by itself is ended by
// nobody, whoever's end came last.
func closer(s lifecycle.FlowStep, c change) any {
	if s.Status.Closed() && s.Status != lifecycle.WorkflowCancelled {
		return text(c.uid)
	}
	return nil
}

// settleFlow does what is due to a flow, in the transaction of the change that
// makes it due. It says whether anything was.
func settleFlow(ctx context.Context, tx *sql.Tx, id string, c change) (bool, error) {
	if id == "" {
		return false, nil
	}
	f, err := findFlow(ctx, tx, id)
	if err != nil {
		return false, err
	}
	step := lifecycle.DueStep(f.facts())
	return step.Status != "", stepFlow(ctx, tx, f, step, c)
}

// SettleFlows does what is due to any flow, and says how many there were: none,
// unless somebody wrote to the ledger who did not know of flows. What is due is
// decided anew under the write lock.
func (l *Ledger) SettleFlows(ctx context.Context, at Instant) (n int, err error) {
	open, err := l.flows(ctx, ` AND w.ended_at IS NULL ORDER BY w.created_at`)
	if err != nil {
		return 0, l.failed("read flows of", l.path, err)
	}
	var failures []error
	for _, f := range open {
		if lifecycle.DueStep(f.facts()).Status == "" {
			continue
		}
		var done bool
		err := l.write(ctx, "settle flow", f.ID, func(tx *sql.Tx) error {
			done, err = settleFlow(ctx, tx, f.ID, change{at: at})
			return err
		})
		if done && err == nil {
			n++
		}
		failures = append(failures, err)
	}
	return n, errors.Join(failures...)
}
