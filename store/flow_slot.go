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
}

// SlotAnswer says how a queued execution stands.
type SlotAnswer struct {
	// Taken: it runs now, and is to be launched.
	Taken bool
	// Ahead counts the children that run, and those queued before it.
	Ahead int
	// Limit is how many may run at once.
	Limit int
	// StopRequested names who asked for its end; zero when nobody did.
	StopRequested lifecycle.StoppedBy
	// End is what its row says.
	End lifecycle.ProcessEnd
}

// TakeSlot lets a queued execution run if its turn has come: fewer children of its
// flow than the limit run or were queued before it, nobody asked it to stop, and
// the flow neither ended nor was asked to. It is one guarded update, so that of
// many wrappers that wait only as many go on as there are slots. A row that is gone
// is ErrNotFound.
func (l *Ledger) TakeSlot(ctx context.Context, r SlotRequest) (a SlotAnswer, err error) {
	// The look costs no lock: most of those who wait are not next.
	if a, err = l.slotOf(ctx, r); err != nil || a.End != lifecycle.EndQueued || a.StopRequested != "" || a.Ahead >= a.Limit {
		return a, l.failed("queue execution", r.UID, err)
	}
	err = l.write(ctx, "launch queued execution", r.UID, func(tx *sql.Tx) error {
		a.Taken, err = one(ctx, tx, `UPDATE executions AS e SET "end" = 'running'
			WHERE uid = ? AND generation = ? AND "end" = 'queued' AND stop_requested IS NULL AND `+ahead+` < ?
			AND NOT EXISTS (SELECT 1 FROM workflows w WHERE w.id = e.flow_id AND (w.ended_at IS NOT NULL OR w.cancel_requested_at IS NOT NULL))`,
			r.UID, r.Generation, a.Limit)
		return err
	})
	if a.Taken {
		a.End = lifecycle.EndRunning
	}
	return a, err
}

// ahead counts the children of e's flow that run, and those queued before e.
const ahead = `(SELECT count(*) FROM executions x WHERE x.flow_id = e.flow_id AND x.ended_at IS NULL AND (x."end" = 'running' OR x.n < e.n))`

// slotOf looks at a queued execution.
func (l *Ledger) slotOf(ctx context.Context, r SlotRequest) (a SlotAnswer, err error) {
	var stop sql.NullString
	var own sql.NullInt64
	err = l.db.QueryRowContext(ctx, `SELECT "end", stop_requested, `+ahead+`, (`+limitOf+`e.flow_id ORDER BY l.seq LIMIT 1)
		FROM executions e WHERE uid = ?`, r.UID).Scan(&a.End, &stop, &a.Ahead, &own)
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
