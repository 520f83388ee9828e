package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Import is a workflow found on disk that no row tells of.
type Import struct {
	// ID names it; ScopedID is the name it takes when another workspace uses ID.
	ID, ScopedID string
	Kind         lifecycle.Kind
	Branch       string
	Workspace    string
	// SessionDir is where it was found.
	SessionDir string
	// Phase and Round are how far its files say it got.
	Phase lifecycle.Phase
	Round int
	At    Instant
}

// ImportWorkflow writes down a workflow that was found on disk, closed: files
// are no work under way. One that has a row, by its name or its directory, is
// left alone (imported is false).
func (l *Ledger) ImportWorkflow(ctx context.Context, i Import) (w Workflow, imported bool, err error) {
	err = l.write(ctx, "import workflow", i.ID, func(tx *sql.Tx) error {
		b := Begin{ID: i.ID, ScopedID: i.ScopedID, Workspace: i.Workspace}
		if w, err = place(ctx, tx, &b); !errors.Is(err, ErrNotFound) {
			return err
		}
		known, err := exists(ctx, tx, `SELECT 1 FROM workflows WHERE workspace = ? AND session_dir = ?`, i.Workspace, i.SessionDir)
		if err != nil || known {
			return err
		}
		i.ID, imported = b.ID, true
		if err := importWorkflow(ctx, tx, i); err != nil {
			return err
		}
		w, err = findWorkflow(ctx, tx, i.ID)
		return err
	})
	return w, imported && err == nil, err
}

// syncedFrom is what the event of an import says, as Open Code Review has it.
const syncedFrom = `{"source":"filesystem_backfill"}`

// importWorkflow writes the row open, since no row begins closed, and closes it.
func importWorkflow(ctx context.Context, tx *sql.Tx, i Import) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO workflows (id, kind, workspace, branch, session_dir, goal, owner, status, phase,
			round, revision, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, ?5, '', '', 'running', ?6, ?7, 1, ?8, ?8)`,
		i.ID, string(i.Kind), i.Workspace, i.Branch, i.SessionDir, string(i.Phase), i.Round, i.At.WallMS)
	if err != nil {
		return err
	}
	w, err := findWorkflow(ctx, tx, i.ID)
	if err != nil {
		return err
	}
	return closeWorkflow(ctx, tx, w, closing{
		status: lifecycle.WorkflowLost, reason: lifecycle.EventSessionSynced, phase: i.Phase, payload: []byte(syncedFrom), at: i.At,
	})
}
