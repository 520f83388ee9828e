package supervisor

import (
	"context"
	"errors"
	"os"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// record writes the run down and then, once the command is ready, has it go. It
// does so itself: whoever waits for the command need not be woken in between.
func (r *run) record(ctx context.Context) {
	Deepen()
	r.announce(ctx)
	// Not when its launch is heard of: what it starts may be recorded by then.
	r.released = r.cfg.Clock.Now()
	ready := <-r.prepared && r.decided.CompareAndSwap(false, true)
	if ready {
		file := r.announced.RunFile
		if r.runFile == nil {
			file = "" // what lies there, if anything, is another's
		}
		// A monitor that is gone shows as the end of the reports.
		r.order(wire.MsgGo, wire.GoOrder{Generation: r.generation, RunFile: file}.Pack())
	}
	// Not before: waking whoever waits for it takes as long as the order.
	close(r.recorded)
	if ready {
		r.cfg.Journal.Foresee(ctx)
	}
}

// Announcement is what the run is announced with, by the process that calls it.
func (c Config) Announcement(at clock.Reading) store.Announcement {
	a := store.Announcement{
		UID: c.UID, ParentUID: c.ParentUID, ResumedFrom: c.ResumedFrom, WorkflowID: c.WorkflowID, FlowID: c.FlowID,
		Lineage: c.Lineage, Name: c.Name, Command: c.Command, CWD: c.Dir, Workspace: c.Workspace, Agent: c.Agent, Host: c.Host,
		Wrapper: c.identify(os.Getpid(), 0), At: heartbeat.InstantOf(at, c.BootID), BeatMS: c.Interval.Milliseconds(),
		WaitsFor: c.WaitsFor,
	}
	if !c.NotBefore.IsZero() {
		a.NotBeforeMS = c.NotBefore.UnixMilli()
	}
	if c.StateDir != "" {
		a.RunFile = runfile.Path(c.StateDir, c.UID)
	}
	return a
}

// announce writes the intent down, before the child exists. A broken ledger does
// not stop the run.
func (r *run) announce(ctx context.Context) {
	r.writeIntent(ctx)
	if r.cfg.Announced != nil {
		r.cfg.Announced(ctx)
	}
}

// writeIntent writes the row. It may stand already, written by us.
func (r *run) writeIntent(ctx context.Context) {
	c := r.cfg
	r.announced = c.Announcement(r.began)
	generation, err := c.Journal.Announce(ctx, r.announced)
	if err != nil {
		c.Log.Warn().Err(err).Msg("announce execution")
	}
	r.generation = max(generation, 1)
	if errors.Is(err, store.ErrNotOurs) {
		// No row is of this one: what the monitor records is the end of none.
		r.generation = 0
	}
	r.inLedger = err == nil && !c.Journal.Degraded()
}

// takeLease creates the run file. A row whose file is missing has a free lease,
// and a wrapper that lives: it is judged by the wrapper.
func (r *run) takeLease() {
	f := r.cfg.RunFile
	if f == nil {
		var err error
		if f, err = runfile.Create(r.cfg.StateDir, r.cfg.UID); err != nil {
			r.cfg.Log.Warn().Err(err).Msg("run without a run file")
			return
		}
	}
	r.runFile = f
}

// syncRunFile has the run file reach the disk: from then on the exit record is only
// written over what is there. The command need not wait for it; its end does. One
// that is over at once has no need of it.
func (r *run) syncRunFile() {
	if r.runFile == nil {
		return
	}
	r.syncing.Go(func() {
		if err := r.runFile.Sync(); err != nil {
			r.cfg.Log.Warn().Err(err).Msg("run file not on disk")
		}
	})
}
