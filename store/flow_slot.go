package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// SlotRequest asks for a queued execution to be launched.
type SlotRequest struct {
	UID        string
	Generation int64
	// Limit is how many children of the flow may run at once, this one included;
	// the flow's own limit holds besides. 0 means that only the flow's counts.
	Limit int
	// NowMS is the present, in wall-clock UTC milliseconds: what waits for a later
	// time takes no slot and is in nobody's way.
	NowMS int64
}

// SlotAnswer says how a queued execution stands.
type SlotAnswer struct {
	// Taken: it runs now, and is to be launched.
	Taken bool
	// Ahead counts the children that run, and those queued before it.
	Ahead int
	// Limit is how many may run at once.
	Limit int
	// NotBeforeMS is the time it waits for; 0 when it waits for none, or no longer.
	NotBeforeMS int64
	// StopRequested names who asked for its end; zero when nobody did.
	StopRequested lifecycle.StoppedBy
	// End is what its row says.
	End lifecycle.ProcessEnd
}

// Waiting is how many others have to end before one of those that are left makes
// room for it.
func (a SlotAnswer) Waiting() int { return max(a.Ahead-a.Limit, 0) }

// TakeSlot lets a queued execution run if its turn has come: fewer children of its
// flow than the limit run or were queued before it, its time has come, nobody asked
// it to stop, and the flow neither ended nor was asked to. It is one guarded update, so that of
// many wrappers that wait only as many go on as there are slots. A row that is gone
// is ErrNotFound.
func (l *Ledger) TakeSlot(ctx context.Context, r SlotRequest) (a SlotAnswer, err error) {
	// The look costs no lock: most of those who wait are not next.
	if a, err = l.slotOf(ctx, r); err != nil || a.End != lifecycle.EndQueued || a.StopRequested != "" || a.NotBeforeMS != 0 || a.Ahead >= a.Limit {
		return a, l.failed("queue execution", r.UID, err)
	}
	err = l.write(ctx, "launch queued execution", r.UID, func(tx *sql.Tx) error {
		a.Taken, err = one(ctx, tx, `UPDATE executions AS e SET "end" = 'running'
			WHERE uid = ?2 AND generation = ?3 AND "end" = 'queued' AND stop_requested IS NULL AND `+ahead+` < ?4
			AND NOT EXISTS (SELECT 1 FROM workflows w WHERE w.id = e.flow_id AND (w.ended_at IS NOT NULL OR w.cancel_requested_at IS NOT NULL))`,
			r.NowMS, r.UID, r.Generation, a.Limit)
		return err
	})
	if a.Taken {
		a.End = lifecycle.EndRunning
	}
	return a, err
}

// ahead counts the children of e's flow that run, and those queued before e whose
// time has come; the present is the first parameter.
const ahead = `(SELECT count(*) FROM executions x WHERE x.flow_id = e.flow_id AND x.ended_at IS NULL
	AND (x."end" = 'running' OR x.n < e.n AND COALESCE(x.not_before, 0) <= ?1))`

// slotOf looks at a queued execution.
func (l *Ledger) slotOf(ctx context.Context, r SlotRequest) (a SlotAnswer, err error) {
	var stop sql.NullString
	var own sql.NullInt64
	err = l.db.QueryRowContext(ctx, `SELECT "end", stop_requested, `+ahead+`, (`+limitOf+`e.flow_id ORDER BY l.seq LIMIT 1),
			iif(not_before > ?1, not_before, 0)
		FROM executions e WHERE uid = ?2`, r.NowMS, r.UID).Scan(&a.End, &stop, &a.Ahead, &own, &a.NotBeforeMS)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	a.StopRequested = lifecycle.StoppedBy(stop.String)
	a.Limit = r.Limit
	if own.Valid && (a.Limit == 0 || int(own.Int64) < a.Limit) {
		a.Limit = int(own.Int64)
	}
	if a.Limit == 0 {
		a.Limit = 1
	}
	return a, err
}

// limitOf reads the limit a flow was created with; its id follows.
const limitOf = `SELECT json_extract(l.payload, '$.max_parallel') FROM events l WHERE l.type = 'flow_state' AND l.workflow_id = `

// aheadMost bounds how many of those queued before an execution are looked at.
const aheadMost = 32

// QueueAhead lists what an execution of a flow waits for: the children that run,
// and the nearest of those queued before it; the youngest first.
func (l *Ledger) QueueAhead(ctx context.Context, uid string) ([]Execution, error) {
	found, err := l.executions(ctx, selectExecution+`
		WHERE ended_at IS NULL AND flow_id = (SELECT flow_id FROM executions WHERE uid = ?1) AND uid <> ?1 AND ("end" = 'running'
			OR n IN (SELECT q.n FROM executions q JOIN executions o ON q.flow_id = o.flow_id AND q.n < o.n
				WHERE o.uid = ?1 AND q.ended_at IS NULL AND q."end" = 'queued' ORDER BY q.n DESC LIMIT ?2))
		ORDER BY n DESC`, uid, aheadMost)
	return found, l.failed("read the queue ahead of execution", uid, err)
}
