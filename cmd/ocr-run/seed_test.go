package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Uids of the runs that seed writes.
const (
	seedDone    = "01975e3a-0000-7000-8000-0000aaaa0001"
	seedOpen    = "01975e3a-0000-7000-8000-0000aaaa0002"
	seedFailed  = "01975e3a-0000-7000-8000-0000aaaa0003"
	seedRunning = "01975e3a-0000-7000-8000-0000bbbb0004"
)

// seedMain fills the ledger with runs of every outcome, as if they had been
// wrapped, one hour apart. With the argument "live" it adds one that has not
// ended and whose wrapper is this process: it lives until it is interrupted.
func seedMain() {
	if err := seed(len(os.Args) > 1 && os.Args[1] == "live"); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

// seed does what seedMain says.
func seed(live bool) error {
	ctx, c := context.Background(), call{environment: processEnvironment(), verb: "seed"}
	l, err := c.openLedger(ctx)
	if err != nil {
		return err
	}
	defer l.Close()
	if live {
		return seedLive(ctx, c, l)
	}
	for i, e := range []store.Ending{
		{UID: seedDone, End: lifecycle.EndExited, ExitCode: new(0)},
		{UID: seedOpen, End: lifecycle.EndExited, ExitCode: new(0), Resume: []string{"agent", "--resume", "it's"}},
		{UID: seedFailed, End: lifecycle.EndSignalled, Signal: new(9), Evidence: []lifecycle.Evidence{
			{Source: lifecycle.SourceKernel, Detail: "oom_kill 1", Points: lifecycle.CauseOOM},
		}},
	} {
		at := c.now()
		at.WallMS -= int64(5-i) * time.Hour.Milliseconds()
		if err := seedEnded(ctx, c, l, e, at, ""); err != nil {
			return err
		}
	}
	return nil
}

// seedEnded writes a run that started at a moment and ended a minute later, in the
// project of a host or, without one, in none.
func seedEnded(ctx context.Context, c call, l *store.Ledger, e store.Ending, at store.Instant, host string) error {
	a := store.Announcement{
		UID: e.UID, Lineage: e.UID + "//" + e.UID, Name: "run-" + e.UID[len(e.UID)-1:], Command: []string{"agent", "do it"},
		CWD: c.dir, Workspace: c.workspace(), Wrapper: store.Identity{BootID: at.BootID, PID: 1 << 22, StartTicks: 1}, At: at, BeatMS: 10_000,
		Host: host,
	}
	generation, err := l.Announce(ctx, a)
	if err != nil {
		return err
	}
	child := store.Identity{BootID: at.BootID, PID: 1 << 22, StartTicks: 2}
	if err := l.Launched(ctx, store.Launch{UID: e.UID, Child: child, At: at}); err != nil {
		return err
	}
	if e.UID == seedOpen {
		if _, _, err := l.BeginWorkflow(ctx, store.Begin{ID: "open-work", Kind: lifecycle.KindReview, Branch: "b", Workspace: c.workspace(), UID: e.UID, At: at}); err != nil {
			return err
		}
	}
	e.Generation, e.At, e.AwakeMS = generation, at, 60_000
	e.At.WallMS += 60_000
	_, err = l.Finish(ctx, e)
	return err
}

// seedLive writes a run whose wrapper is this process and waits to be stopped.
func seedLive(ctx context.Context, c call, l *store.Ledger) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	self, err := proc.Self()
	if err != nil {
		return err
	}
	dir, err := c.stateDir()
	if err != nil {
		return err
	}
	file, err := runfile.Create(dir, seedRunning)
	if err != nil {
		return err
	}
	defer file.Release(true)
	at := c.observer()
	wrapper := store.Identity{
		MachineID: at.MachineID, BootID: at.Now.BootID, PIDNamespace: proc.PIDNamespace(), PID: self.PID, StartTicks: self.Start,
	}
	if _, err := l.Announce(ctx, store.Announcement{
		UID: seedRunning, Lineage: seedRunning + "//" + seedRunning, Command: []string{"agent", "--live"},
		CWD: c.dir, Workspace: c.workspace(), Wrapper: wrapper, RunFile: file.Path(), At: at.Now, BeatMS: 10_000,
	}); err != nil {
		return err
	}
	if err := l.Launched(ctx, store.Launch{UID: seedRunning, Child: wrapper, At: at.Now}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
