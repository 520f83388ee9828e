package store

import (
	"context"
	"database/sql"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// WorkflowHistory is a workflow with what its events say about it.
type WorkflowHistory struct {
	Workflow
	// HasReason: an event allowed it to be closed without its artifact.
	HasReason bool
	// LastEventMS is the wall time of its youngest event; that of its creation
	// when it has none.
	LastEventMS int64
}

// Facts are what a repair of the workflow is decided by. report says whether the
// report of its current round is on disk.
func (h WorkflowHistory) Facts(report bool, at Instant) lifecycle.RepairFacts {
	return lifecycle.RepairFacts{
		Kind: h.Kind, Closed: h.Status.Closed(), Artifact: h.HasArtifact, Reason: h.HasReason,
		Report: report, InFlight: h.InFlight > 0, QuietMS: at.WallMS - h.LastEventMS,
	}
}

// RepairRequest asks for a workflow to be repaired.
type RepairRequest struct {
	ID string
	// ReportRound is the round whose report was found on disk; 0 for none.
	ReportRound int
	At          Instant
}

// WorkflowHistories lists the reviews and maps of a workspace, newest first.
func (l *Ledger) WorkflowHistories(ctx context.Context, workspace string) ([]WorkflowHistory, error) {
	all, err := l.Workflows(ctx, workspace, 0)
	if err != nil {
		return nil, err
	}
	found := make([]WorkflowHistory, 0, len(all))
	for _, w := range all {
		if w.Kind == lifecycle.KindFlow {
			continue
		}
		h, err := historyOf(ctx, l.db, w)
		if err != nil {
			return nil, l.failed("read history of workflow", w.ID, err)
		}
		found = append(found, h)
	}
	return found, nil
}

// RepairWorkflow does what the workflow needs, which is decided anew under the
// write lock: between two looks somebody else may have repaired it, or gone on
// with it. It gives the history it was decided by, and what was done.
func (l *Ledger) RepairWorkflow(ctx context.Context, r RepairRequest) (h WorkflowHistory, done lifecycle.Repair, err error) {
	err = l.write(ctx, "repair workflow", r.ID, func(tx *sql.Tx) error {
		w, err := findWorkflow(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if h, err = historyOf(ctx, tx, w); err != nil {
			return err
		}
		done = lifecycle.RepairFor(h.Facts(r.ReportRound == w.Round, r.At))
		return repair(ctx, tx, w, done, r.At)
	})
	return h, done, err
}

// Payloads of the events that repairs write, as Open Code Review has them.
const (
	fromReview = `{"source":"reconciled","synthesized_from":"final.md"}`
	fromMap    = `{"source":"reconciled","synthesized_from":"map.md"}`
	fromNobody = `{"source":"reconciled"}`
	fromQuiet  = `{"source":"reconciled","reason":"no events past threshold; no in-flight dependents","threshold_seconds":604800}`
)

// repair writes the event a workflow lacks, and closes a stale one.
func repair(ctx context.Context, tx *sql.Tx, w Workflow, what lifecycle.Repair, at Instant) error {
	switch what {
	case lifecycle.RepairNone:
		return nil
	case lifecycle.RepairRound:
		return noteWorkflow(ctx, tx, w.ID, lifecycle.EventRoundCompleted, phaseBeforeComplete, w.Round, at, []byte(fromReview))
	case lifecycle.RepairMap:
		return noteWorkflow(ctx, tx, w.ID, lifecycle.EventMapCompleted, phaseBeforeComplete, w.Round, at, []byte(fromMap))
	case lifecycle.RepairGrandfather:
		return noteWorkflow(ctx, tx, w.ID, lifecycle.EventSessionLegacyImport, w.Phase, w.Round, at, []byte(fromNobody))
	case lifecycle.RepairStale:
		c := closing{
			status: lifecycle.WorkflowLost, reason: lifecycle.EventSessionAutoClosedStale, phase: w.Phase,
			payload: []byte(fromQuiet), at: at,
		}
		if w.HasArtifact {
			c.status, c.phase = lifecycle.WorkflowSucceeded, lifecycle.PhaseComplete
		}
		return closeWorkflow(ctx, tx, w, c)
	}
	return nil
}

// historyOf adds to a workflow what its events say.
func historyOf(ctx context.Context, q rowQuerier, w Workflow) (WorkflowHistory, error) {
	h := WorkflowHistory{Workflow: w}
	err := q.QueryRowContext(ctx, `SELECT COALESCE(max(at), ?2), COALESCE(max(type IN
			('session_aborted', 'session_auto_closed_stale', 'session_synced', 'session_legacy_import')), 0)
		FROM events WHERE workflow_id = ?1`, w.ID, w.CreatedAtMS).Scan(&h.LastEventMS, &h.HasReason)
	return h, err
}

// rowQuerier is what reads one row, inside a transaction or outside.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
