package reaper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Report counts what a sweep did.
type Report struct {
	// Ingested facts were taken in from the spool.
	Ingested int
	// Recovered rows got their real end from an exit record.
	Recovered int
	// Lost rows ended without anybody having seen the end.
	Lost int
	// Flows were settled that had been left when their last run ended.
	Flows int
}

// Settle takes in the spool and settles every row whose wrapper is gone. What a sweep
// that was killed has left halted goes on. The
// errors of single rows are joined; the rest of the sweep goes on.
func Settle(ctx context.Context, l *store.Ledger, spoolDir string, at heartbeat.Observer) (Report, error) {
	var r Report
	var failures []error
	n, err := store.IngestSpool(ctx, l, spoolDir)
	r.Ingested = n
	failures = append(failures, err)
	open, err := l.Unsettled(ctx)
	failures = append(failures, err)
	failures = append(failures, settleAll(ctx, l, spoolDir, open, at, &r))
	if stateDir := filepath.Dir(spoolDir); !underWay(stateDir) {
		failures = append(failures, thawLeft(ctx, l, stateDir, at, lookedAfter(open, at)))
	}
	// The end of a row settles its flow; this finds what nobody settled with it.
	r.Flows, err = l.SettleFlows(ctx, at.Now)
	return r, errors.Join(append(failures, err)...)
}

// SettleAhead takes in the spool and settles what stands in the way of a queued
// execution of a flow and is abandoned: see [store.Ledger.QueueAhead]. Those further
// ahead are left to those nearer to them, and come into sight as these are settled.
func SettleAhead(ctx context.Context, l *store.Ledger, spoolDir, uid string, at heartbeat.Observer) (r Report, err error) {
	n, spool := store.IngestSpool(ctx, l, spoolDir)
	r.Ingested = n
	rows, err := l.QueueAhead(ctx, uid)
	err = errors.Join(spool, err, settleAll(ctx, l, spoolDir, rows, at, &r))
	return r, err
}

// lookedAfter are the rows that are not abandoned, by their uids.
func lookedAfter(rows []store.Execution, at heartbeat.Observer) map[string]bool {
	uids := map[string]bool{}
	for _, e := range rows {
		uids[e.UID] = !abandoned(e, at)
	}
	return uids
}

// settleAll settles those of the rows that are abandoned.
func settleAll(ctx context.Context, l *store.Ledger, spoolDir string, rows []store.Execution, at heartbeat.Observer, r *Report) error {
	var failures []error
	for _, e := range rows {
		e, dead, err := lastWord(ctx, l, spoolDir, e, at)
		if dead {
			err = settle(ctx, l, e, at, r)
		}
		if err != nil && !errors.Is(err, store.ErrFenced) {
			failures = append(failures, fmt.Errorf("settle execution %s: %w", e.UID, err))
		}
		if errors.Is(err, store.ErrBusy) {
			break // somebody is at it, who would be waited for once a row
		}
	}
	return errors.Join(failures...)
}

// lastWord is the row of an abandoned run with all that its wrapper had to say, and
// whether it is abandoned still. A wrapper may have put its end into the spool after that
// was looked at, and died; now that it is dead nothing more comes. A spool that cannot be
// read keeps no row open: that is trouble of its own.
func lastWord(ctx context.Context, l *store.Ledger, spoolDir string, e store.Execution, at heartbeat.Observer) (store.Execution, bool, error) {
	if !abandoned(e, at) {
		return e, false, nil
	}
	if err := store.IngestRun(ctx, l, spoolDir, e.UID); errors.Is(err, store.ErrBusy) || ctx.Err() != nil {
		return e, false, err
	}
	now, err := l.Execution(ctx, e.UID)
	if err != nil {
		return e, false, err
	}
	return now, abandoned(now, at), nil
}

// unknownMonitor is how long, in awake time, a row without a launch is left to a
// monitor that may be there and is not known: it ends its run within ten seconds.
const unknownMonitor = 30 * time.Second

// abandoned says whether nobody is left who will write the row's end.
func abandoned(e store.Execution, at heartbeat.Observer) bool {
	if Look(e, at) != heartbeat.LivenessGone {
		return false
	}
	if e.StartedAtMS == 0 && hasRecord(e) {
		return true // a full disk took the launch, and kept the end
	}
	if mayRecord(e, at) {
		return false
	}
	// A queued run has no monitor yet.
	return e.StartedAtMS != 0 || e.Process.End == lifecycle.EndQueued || e.At.BootID != at.Now.BootID || !mayLaunch(e, at)
}

// mayRecord says whether the monitor of a run may still write down its end. One that
// cannot be seen from here is given the time after which nobody is waited for.
func mayRecord(e store.Execution, at heartbeat.Observer) bool {
	m := e.Launch.Monitor
	switch aliveOf(m, at) {
	case heartbeat.Yes:
		return true
	case heartbeat.No:
		return false
	case heartbeat.Unknown:
	}
	f := heartbeat.FactsOf(e)
	silent := time.Duration(at.Now.AwakeMS-f.Beat.AwakeMS) * time.Millisecond
	return m.PID != 0 && m.BootID == at.Now.BootID && silent <= heartbeat.StaleAfter(f.Interval)
}

// mayLaunch says whether a row without a launch may have a monitor that is not
// known. One that waits has none before its time. A wrapper that waits beats, for
// its time and for its turn, and no longer once it launches: its last sign of life
// is when the launch began, and not the announcement.
func mayLaunch(e store.Execution, at heartbeat.Observer) bool {
	late := time.Duration(at.Now.WallMS-e.NotBeforeMS) * time.Millisecond
	if e.NotBeforeMS != 0 && late < 0 {
		return false
	}
	silent := time.Duration(at.Now.AwakeMS-e.LastBeat.AwakeMS) * time.Millisecond
	return silent <= unknownMonitor || e.NotBeforeMS != 0 && late <= unknownMonitor
}

// hasRecord says whether the end of a row is in its run file.
func hasRecord(e store.Execution) bool {
	_, seen := recordedEnd(e)
	return seen
}

// settle writes the end of one row: what its monitor saw, or that nobody did.
func settle(ctx context.Context, l *store.Ledger, e store.Execution, at heartbeat.Observer, r *Report) error {
	end, seen := recordedEnd(e)
	if !seen {
		end = lostEnd(e)
	}
	end.Leftovers.Remaining = survivors(e, at)
	end.Evidence = append(end.Evidence, unreadLeftovers(e, end.At)...)
	if _, err := l.Finish(ctx, end); err != nil {
		return err
	}
	if seen {
		r.Recovered++
	} else {
		r.Lost++
	}
	// The file stays for as long as something is left to look after: that is how a
	// sweep finds it again.
	if e.RunFile == "" {
		return nil
	}
	left, err := takeInLeftovers(ctx, l, e, at)
	if err != nil || len(end.Leftovers.Remaining)+len(left.Remaining) > 0 || keepsGroup(e) {
		return err
	}
	if err := os.Remove(e.RunFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove run file: %w", err)
	}
	return nil
}

// unreadLeftovers is evidence that nobody will know what the monitor of an orphaned run
// did with what the run left behind.
func unreadLeftovers(e store.Execution, at store.Instant) []lifecycle.Evidence {
	if e.RunFile == "" {
		return nil
	}
	if _, err := runfile.ReadLeftovers(e.RunFile, e.Generation); !errors.Is(err, runfile.ErrUnreadable) {
		return nil
	}
	return []lifecycle.Evidence{{
		Source: lifecycle.SourceLedger, Detail: "what became of the processes it left behind was written down and cannot be read", AtMS: at.WallMS,
	}}
}

// takeInLeftovers writes down what the monitor of an orphaned run did with what the run
// left behind, as far as that can be read. The row has ended.
func takeInLeftovers(ctx context.Context, l *store.Ledger, e store.Execution, at heartbeat.Observer) (store.Leftovers, error) {
	left, err := runfile.ReadLeftovers(e.RunFile, e.Generation)
	if errors.Is(err, runfile.ErrUnreadable) {
		err = nil // it never can be, and goes
	}
	if err == nil && !left.None() {
		err = l.RecordLeftovers(ctx, e.UID, left, at.Now)
	}
	if err == nil {
		err = runfile.RemoveLeftovers(e.RunFile)
	}
	return left, err
}

// keepsGroup says whether somebody lives in the run's own control group, for a sweep to
// look into. An empty one is removed.
func keepsGroup(e store.Execution) bool {
	g, there := proc.GroupAt(groupOf(e))
	return there && g.Remove() != nil
}

// groupOf is where the run's own control group is. One that was killed while it was
// launched may have made it, and not have written down where: below ours, if its wrapper
// stood where we do.
func groupOf(e store.Execution) string {
	if e.Launch.Cgroup == "" && e.StartedAtMS == 0 {
		return proc.GroupPath(e.UID)
	}
	return e.Launch.Cgroup
}

// recordedEnd is the end in the run's exit record, if it has one of its own.
func recordedEnd(e store.Execution) (store.Ending, bool) {
	if e.RunFile == "" {
		return store.Ending{}, false
	}
	rec, ok, err := runfile.ReadExit(e.RunFile)
	if err != nil || !ok || rec.UID != e.UID || rec.Generation != e.Generation {
		return store.Ending{}, false
	}
	end := store.Ending{
		UID: e.UID, Generation: e.Generation, End: rec.End, ExitCode: rec.ExitCode, Signal: rec.Signal,
		CoreDumped: rec.CoreDumped, StoppedBy: rec.StoppedBy, StopFailed: rec.StopFailed, At: rec.At,
		AwakeMS: -1, SuspendedMS: e.SuspendedMS, Degraded: rec.Degraded,
	}
	from := e.Launch.At
	if rec.Started != nil && e.StartedAtMS == 0 {
		// The launch is one of the facts that the ledger misses.
		end.Launch, from = &store.Launch{UID: e.UID, At: *rec.Started}, *rec.Started
	}
	if from.BootID != "" && from.BootID == rec.At.BootID {
		end.AwakeMS = max(rec.At.AwakeMS-from.AwakeMS, 0)
	}
	if rec.Note != "" {
		end.Evidence = append(end.Evidence, lifecycle.Evidence{
			Source: lifecycle.SourceOwnAct, Detail: rec.Note, AtMS: rec.At.WallMS,
		})
	}
	return end, true
}

// lostEnd is the end of a run nobody saw end, dated by its last sign of life.
func lostEnd(e store.Execution) store.Ending {
	at := e.LastBeat
	if at.WallMS == 0 {
		at = e.At
	}
	return store.Ending{
		UID: e.UID, Generation: e.Generation, End: lifecycle.EndLost, At: at, AwakeMS: -1, SuspendedMS: e.SuspendedMS,
		Evidence: []lifecycle.Evidence{{
			Source: lifecycle.SourceLedger, Detail: "its wrapper vanished and left no exit record", AtMS: at.WallMS,
		}},
	}
}
