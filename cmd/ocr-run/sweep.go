package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
)

// sweepEvery is how often a start also sweeps. Runs come in bursts, and one
// sweep in five minutes keeps the ledger true without a service.
const sweepEvery = 5 * time.Minute

// spoolDir is where facts wait that the ledger did not take; empty without a
// state directory.
func spoolDir(stateDir string) string {
	if stateDir == "" {
		return ""
	}
	return filepath.Join(stateDir, "spool")
}

// sweep settles, in the background of a run, what earlier runs left open, and
// removes what they left lying about. It ends with the command; close waits for
// it.
func (w *wrapping) sweep(ctx context.Context) {
	if w.stateDir == "" || !due(filepath.Join(w.stateDir, "swept"), w.env.clock.Now().Wall) {
		return
	}
	w.background.Go(func() {
		l, err := w.journal.Ledger(ctx)
		if err == nil {
			err = errors.Join(w.env.settle(ctx, l, w.stateDir), w.env.settleHosts(ctx, l))
		}
		now := w.env.clock.Now().Wall
		err = errors.Join(err, runfile.SweepUnfinished(w.stateDir, now), runfile.SweepCompanions(w.stateDir, now))
		if err != nil && ctx.Err() == nil {
			w.log.Warn().Err(err).Msg("sweep")
		}
	})
}

// settle brings the ledger up to date with what the system says.
func (e environment) settle(ctx context.Context, l *store.Ledger, stateDir string) error {
	_, err := reaper.Settle(ctx, l, spoolDir(stateDir), e.observer())
	return err
}

// due says whether the last sweep is long enough ago, or lies in the future of
// a clock that was set back, and marks a new one.
func due(mark string, now time.Time) bool {
	if info, err := os.Stat(mark); err == nil {
		if age := now.Sub(info.ModTime()); age >= 0 && age < sweepEvery {
			return false
		}
	}
	f, err := os.OpenFile(mark, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	_, _ = f.Chmod(0o600), f.Close() // a umask may have taken from it what it is opened with
	return os.Chtimes(mark, now, now) == nil
}
