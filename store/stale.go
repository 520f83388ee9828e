package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// OpenHistories lists the workflows that are not closed, of every workspace and
// kind, flows included, oldest first.
func (l *Ledger) OpenHistories(ctx context.Context) ([]WorkflowHistory, error) {
	open, err := workflows(ctx, l.db, selectWorkflow+` WHERE ended_at IS NULL ORDER BY created_at, w.rowid`)
	if err != nil {
		return nil, l.failed("read workflows of", l.path, err)
	}
	found := make([]WorkflowHistory, 0, len(open))
	for _, w := range open {
		h, err := historyOf(ctx, l.db, w)
		if err != nil {
			return nil, l.failed("read history of workflow", w.ID, err)
		}
		found = append(found, h)
	}
	return found, nil
}

// Stale says whether nobody works on the workflow and nothing has happened to it
// for a week. A flow may wait for a person for longer, and never is.
func (h WorkflowHistory) Stale(at Instant) bool {
	return h.Kind != lifecycle.KindFlow && lifecycle.RepairFor(h.Facts(false, at)) == lifecycle.RepairStale
}

// CloseStale closes a workflow that is stale, the event that says so first. Whether
// it is, is decided anew under the write lock; one that is not, or that is closed
// already, is left alone (done is false).
func (l *Ledger) CloseStale(ctx context.Context, id string, at Instant) (done bool, err error) {
	err = l.write(ctx, "close stale workflow", id, func(tx *sql.Tx) error {
		w, err := findWorkflow(ctx, tx, id)
		if err != nil {
			return err
		}
		h, err := historyOf(ctx, tx, w)
		if err != nil || !h.Stale(at) {
			return err
		}
		done = true
		return repair(ctx, tx, w, lifecycle.RepairStale, at)
	})
	return done && err == nil, err
}

// Stuck is a request to end something that has not ended.
type Stuck struct {
	// UID is the execution that was asked, WorkflowID the workflow; one is empty.
	UID, WorkflowID string
	// By is who asked.
	By lifecycle.StoppedBy
	// SinceMS is the wall time of the request.
	SinceMS int64
}

// StuckRequests lists the requests to end that are older than a wall time, in
// milliseconds, and that have not come to anything.
func (l *Ledger) StuckRequests(ctx context.Context, beforeMS int64) (found []Stuck, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT uid, '', stop_requested, stop_requested_at FROM executions
			WHERE ended_at IS NULL AND stop_requested_at < ?1
		UNION ALL SELECT '', id, '', cancel_requested_at FROM workflows WHERE ended_at IS NULL AND cancel_requested_at < ?1`, beforeMS)
	if err != nil {
		return nil, l.failed("read requests of", l.path, err)
	}
	defer func() { err = l.failed("read requests of", l.path, errors.Join(err, rows.Close())) }()
	for rows.Next() {
		var s Stuck
		if err := rows.Scan(&s.UID, &s.WorkflowID, &s.By, &s.SinceMS); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, rows.Err()
}

// SpoolState says how many executions have facts waiting in a spool directory,
// and how many have facts there that no ledger took. A directory that does not
// exist holds nothing.
func SpoolState(dir string) (waiting, rejected int, err error) {
	s := spool{dir: dir}
	names, err := s.waiting()
	if err != nil {
		return 0, 0, err
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, fmt.Errorf("read spool %s: %w", dir, err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), rejectedSuffix) {
			rejected++
		}
	}
	return len(names), rejected, nil
}
