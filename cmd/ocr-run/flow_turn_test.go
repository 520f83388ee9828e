package main

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor"
)

// Whoever waits settles, those at the end of the line more rarely.
func TestEverybodySettles(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for waiting := range 2000 {
		d := turnSettles(waiting)
		if d < last || d < turnSettle || d > turnSettleLongest {
			t.Fatalf("with %d to wait for: every %s, after %s", waiting, d, last)
		}
		last = d
	}
}

// A signal means to a run that waits for its turn what it means to one that waits
// for its time.
func TestWhatCallsOffAQueuedRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sig      os.Signal
		onHangup supervisor.HangupPolicy
		by       lifecycle.StoppedBy
	}{
		{unix.SIGINT, supervisor.HangupStop, lifecycle.StoppedByUser},
		{unix.SIGQUIT, supervisor.HangupStop, lifecycle.StoppedByUser},
		{unix.SIGTERM, supervisor.HangupKeep, lifecycle.StoppedByUser},
		{unix.SIGHUP, supervisor.HangupStop, lifecycle.StoppedByTerminal},
		{unix.SIGHUP, supervisor.HangupKeep, lifecycle.StoppedByNobody},
		{unix.SIGUSR1, supervisor.HangupStop, lifecycle.StoppedByNobody},
	} {
		turn := &turn{cfg: supervisor.Config{OnHangup: c.onHangup, Signals: make(chan os.Signal, 1)}}
		turn.cfg.Signals <- c.sig
		off := turn.pause(t.Context(), 0)
		if (off == nil) != (c.by == lifecycle.StoppedByNobody) || off != nil && off.by != c.by {
			t.Errorf("%s with %s: %+v, want %q", c.sig, c.onHangup, off, c.by)
		}
	}
}
