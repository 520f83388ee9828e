package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// The readers of the process table that are compared.
const (
	rawName      = "raw reader"
	scanName     = "ocr-run's reader"
	surveyName   = "survey of a sweep"
	sweepName    = "sweep, nothing to do"
	gopsutilName = "gopsutil"
)

// reaping measures what a sweep costs among many processes, with a long history in
// the ledger and nothing to do.
func reaping(ctx context.Context, l *lab) ([]table, error) {
	processes, rows := pick(l.quick, 300, 2000), pick(l.quick, 5_000, 100_000)
	t := table{
		Name: "reaper", Title: fmt.Sprintf("Looking for what runs left behind: %d processes, %d runs in the ledger (ms)", processes, rows),
		Columns: []string{"wall", "best", "CPU", "CPU best", "of raw"},
	}
	dir := filepath.Join(l.dir, "reaper")
	ledger, err := l.history(ctx, dir, rows)
	if err != nil {
		return nil, err
	}
	defer ledger.Close()
	if err := l.sleepers(ctx, processes); err != nil {
		return nil, err
	}
	boot, err := clock.BootID()
	if err != nil {
		return nil, err
	}
	c := reaper.Config{Ledger: ledger, StateDir: dir, Observe: func() heartbeat.Observer {
		return heartbeat.Observer{Now: heartbeat.InstantOf(clock.System().Now(), boot)}
	}}
	all := map[string]func() error{
		rawName: rawTable, gopsutilName: gopsutilTable, scanName: ourTable,
		surveyName: func() error { return nothing(reaper.Survey(ctx, c)) },
		sweepName:  func() error { return sweepNothing(ctx, c) },
	}
	names := []string{rawName, scanName, surveyName, sweepName, gopsutilName}
	peers := make([]peer, 0, len(all))
	for _, name := range names {
		peers = append(peers, peer{name: name})
	}
	r, notes, err := l.rounds(ctx, pick(l.quick, 7, 25), peers, func(_ context.Context, p peer) ([]float64, error) {
		return timed(all[p.name])
	})
	t.Notes = notes
	for _, name := range names {
		t.Rows = append(t.Rows, row{name, []number{
			r.median(name, 0), r.percentile(name, 0, 0), r.median(name, 1), r.percentile(name, 1, 0), r.median(name, 1) / r.median(rawName, 1),
		}})
	}
	// A difference of large numbers drowns in what others do to the machine: the least
	// of each is compared.
	t.Gates = []gate{
		atMost("reaper: a survey's CPU, of a raw reader's", r.median(surveyName, 1)/r.median(rawName, 1), 1.3),
		atMost("reaper: a survey's CPU, of gopsutil's walk", r.median(surveyName, 1)/r.median(gopsutilName, 1), 0.25),
		atMost("reaper: CPU of a sweep with nothing to do, beyond the scan (least of each), ms", r.percentile(sweepName, 1, 0)-r.percentile(scanName, 1, 0), 3),
	}
	return []table{t}, err
}

// timed runs something and returns its wall and processor time in milliseconds.
func timed(do func() error) ([]float64, error) {
	began, used := monotonic(), cpuOfSelf()
	err := do()
	return []float64{millisSince(began), cpuOfSelf() - used}, err
}

// nothing says whether a survey found what it was to find.
func nothing(p reaper.Plan, err error) error {
	if err == nil && !p.Empty() {
		err = fmt.Errorf("there is something to do: %d runs, %d processes", len(p.Runs), len(p.Processes))
	}
	return err
}

// sweepNothing is a sweep as the verb does it.
func sweepNothing(ctx context.Context, c reaper.Config) error {
	unlock, err := reaper.Lock(c.StateDir)
	if err != nil {
		return err
	}
	plan, err := reaper.Survey(ctx, c)
	if err == nil {
		_, err = reaper.Reap(ctx, c, plan)
	}
	if err == nil {
		err = unlock()
	}
	return err
}

// ourTable reads the process table and every marker, as a sweep does.
func ourTable() error {
	all, err := proc.All()
	if err != nil {
		return err
	}
	var reader proc.MarkerReader
	for _, p := range all {
		_, _ = reader.Read(p.PID)
	}
	return nil
}

// history writes a ledger of runs that have all ended.
func (l *lab) history(ctx context.Context, dir string, rows int) (*store.Ledger, error) {
	if err := os.MkdirAll(filepath.Join(dir, "runs"), 0o700); err != nil {
		return nil, err
	}
	l.progress("reaper: writing %d runs", rows)
	ledger, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, "ledger.db"), BusyTimeout: time.Second})
	if err != nil {
		return nil, err
	}
	at := store.Instant{WallMS: wallMS(), AwakeMS: 1, BootID: "another"}
	for i := range rows {
		uid := fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
		wrapper := store.Identity{MachineID: "m", BootID: "another", PID: 2 + i, StartTicks: uint64(i + 1)}
		_, err := ledger.Announce(ctx, store.Announcement{UID: uid, Lineage: uid, Command: []string{"true"}, CWD: "/", Workspace: "/", Wrapper: wrapper, At: at})
		if err == nil {
			_, err = ledger.Finish(ctx, store.Ending{UID: uid, Generation: 1, End: lifecycle.EndExited, ExitCode: new(0), At: at})
		}
		if err != nil {
			return nil, err
		}
	}
	return ledger, nil
}

// sleepers starts processes that do nothing. The section removes them.
func (l *lab) sleepers(ctx context.Context, n int) error {
	for range n {
		cmd := l.command(context.WithoutCancel(ctx), []string{sleeper, "86399"})
		if err := cmd.Start(); err != nil {
			return err
		}
		// Its handle would be one more thing to be read and kept.
		if err := cmd.Process.Release(); err != nil {
			return err
		}
	}
	return nil
}
