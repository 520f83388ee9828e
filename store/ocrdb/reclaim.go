package ocrdb

import (
	"context"
	"database/sql"
	"errors"
)

// reclaimNote is what a row says that was closed because nobody was left to.
const reclaimNote = "ocr-run: lost, its wrapper is gone"

// Reclaim ends, as orphaned, those unfinished rows of ours whose runs the
// caller knows to be dead, and returns their uids. The product cannot: it only
// ever takes rows whose pid it can look at, and an unfinished row keeps its
// workflow waiting. A uid without such a row, or with another program's, is
// left alone.
func (h Host) Reclaim(ctx context.Context, dead []string, nowMS int64) (reclaimed []string, err error) {
	var errs []error
	for _, uid := range dead {
		e, ok, err := h.Execution(ctx, uid)
		if err == nil && (!ok || !e.Ours || !e.Unfinished()) {
			continue
		}
		if err == nil {
			err = h.reclaim(ctx, e, nowMS)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		reclaimed = append(reclaimed, uid)
	}
	return reclaimed, errors.Join(errs...)
}

// reclaim ends one row and sees that it stands.
func (h Host) reclaim(ctx context.Context, e Execution, nowMS int64) error {
	at := max(nowMS, e.StartedMS)
	for range asserts {
		err := h.change(ctx, func(ctx context.Context, tx *sql.Tx, s schema) (bool, error) {
			set := &columns{schema: s}
			set.add("exit_code", "exit_code = ?", exitOrphaned)
			set.add("finished_at", "finished_at = ?", stamp(at))
			set.add("notes", "notes = coalesce(nullif(notes, '') || char(10), '') || ?", reclaimNote)
			return set.update(ctx, tx, unfinished, e.UID, e.ID)
		})
		if err != nil {
			return h.failed("reclaim "+e.UID, err)
		}
		now, ok, err := h.Execution(ctx, e.UID)
		if err != nil {
			return err
		}
		if ok && !now.Unfinished() {
			h.logReclaimed(e, at)
			return nil
		}
	}
	return h.failed("reclaim "+e.UID, ErrNotStanding)
}

// logReclaimed notes the end in the command log.
func (h Host) logReclaimed(e Execution, atMS int64) {
	_ = h.appendLog(logEntry{ // a copy for emergencies
		UID: e.UID, DBID: e.ID, Command: e.Command, Args: argsText(e.Args), ExitCode: new(exitOrphaned),
		StartedAt: stamp(e.StartedMS), FinishedAt: new(stamp(atMS)), Event: "finish",
	})
}
