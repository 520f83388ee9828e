package reaper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Result is what a sweep did. Steps that are not Done failed, or turned out not to
// be needed; the errors say which.
type Result struct {
	// Ingested facts were taken in from the spool.
	Ingested  int
	Runs      []RunStep
	Processes []ProcessStep
	Workflows []WorkflowStep
	Forgotten store.Forgotten
}

// Reap carries out a plan that was made at least a second ago, or waits until it
// was. What the plan says of processes is not trusted: the table is read again,
// and again while it changes, and only runs that nobody looked after at both times
// are tidied up after. The caller holds the [Lock].
//
// The errors of single rows and processes are joined; the rest goes on.
func Reap(ctx context.Context, c Config, plan Plan) (Result, error) {
	sweep := sweeping{Config: c, plan: plan}
	var failures []error
	for _, s := range []struct {
		step Step
		do   func(context.Context) error
	}{
		{StepThaw, sweep.thaw},
		{StepSpool, sweep.spool},
		{StepSettle, sweep.settle},
		{StepProcesses, sweep.stop},
		{StepIdle, sweep.askIdle},
		{StepWorkflows, sweep.closeStale},
		{StepRunFiles, sweep.tidyRunFiles},
		{StepHistory, sweep.forget},
	} {
		if err := s.do(ctx); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", s.step, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return sweep.done, errors.Join(failures...)
}

// sweeping is one sweep under way.
type sweeping struct {
	Config
	plan Plan
	done Result
}

// thaw lets go on what an earlier sweep has left halted, should it have been killed.
func (w *sweeping) thaw(ctx context.Context) error {
	return thawLeft(ctx, w.Ledger, w.StateDir, w.Observe(), nil)
}

// spool takes in what the ledger did not take before.
func (w *sweeping) spool(ctx context.Context) (err error) {
	w.done.Ingested, err = store.IngestSpool(ctx, w.Ledger, w.spoolDir())
	return err
}

// settle gives abandoned rows their end: also those that were abandoned since the
// plan was made, which takes no second look.
func (w *sweeping) settle(ctx context.Context) error {
	open, err := w.Ledger.Unsettled(ctx)
	at := w.Observe()
	failures := []error{err}
	for _, e := range open {
		e, dead, err := lastWord(ctx, w.Ledger, w.spoolDir(), e, at)
		if err != nil {
			failures = append(failures, fmt.Errorf("execution %s: %w", e.UID, err))
		}
		if errors.Is(err, store.ErrBusy) {
			break // as in settleAll
		}
		step, ok := settling(newRun(e, at), at)
		if !dead || !ok {
			continue
		}
		var r Report
		err = settle(ctx, w.Ledger, e, at, &r)
		step.Done = err == nil
		if err != nil && !errors.Is(err, store.ErrFenced) {
			failures = append(failures, fmt.Errorf("execution %s: %w", e.UID, err))
		}
		w.done.Runs = append(w.done.Runs, step)
	}
	_, err = w.Ledger.SettleFlows(ctx, at.Now)
	return errors.Join(append(failures, err)...)
}

// secondLook waits until the plan is old enough to be held against a new look. A
// plan of another boot is a plan for other processes.
func (w *sweeping) secondLook(ctx context.Context) error {
	now := w.Observe().Now
	age := time.Duration(now.AwakeMS-w.plan.At.AwakeMS) * time.Millisecond
	if now.BootID != w.plan.At.BootID || age < 0 {
		return errors.New("the plan is of another boot of the machine")
	}
	if age >= secondLook {
		return nil
	}
	return w.pause(ctx, secondLook-age)
}

// stop stops what ended runs have left behind, of all runs at once: one that
// ignores the polite signal holds up none of the others. What the plan says is to
// be spared or reported is looked at again with the rest.
func (w *sweeping) stop(ctx context.Context) error {
	if !w.plan.restless && !slices.ContainsFunc(w.plan.Processes, func(p ProcessStep) bool { return p.Verdict == VerdictStop }) {
		w.done.Processes = w.plan.Processes
		return nil
	}
	if err := w.secondLook(ctx); err != nil {
		return err
	}
	s, err := sceneOf(ctx, w.Ledger, w.StateDir, w.Observe(), w.system())
	if err != nil {
		return err
	}
	err = w.stopIn(ctx, s, func(r *run) bool { return w.plan.left[r.UID] })
	w.done.Processes = s.ofOthers(w.done.Processes)
	return err
}

// stopIn stops the processes of a scene's runs that were left by both looks.
func (w *sweeping) stopIn(ctx context.Context, s *scene, confirmed func(*run) bool) error {
	for _, r := range s.runs {
		if r.left() && !confirmed(r) {
			s.revive(r) // until a sweep has looked at it twice
		}
	}
	h := hunt{scene: s, met: map[process]ProcessStep{}, condemned: map[process]bool{}}
	report := proc.StopUntilQuiet(ctx, proc.StopConfig{
		Census: h.census, Keep: h.keep,
		Grace: cmp.Or(w.grace, stopGrace), Bound: stopBound,
		Now:    func() time.Duration { return time.Duration(w.Observe().Now.AwakeMS) * time.Millisecond },
		Groups: slices.DeleteFunc(s.groups(), s.sparesIn), Restless: h.restless,
	})
	w.done.Processes = append(w.done.Processes, h.outcomes(report)...)
	return errors.Join(report.Err, w.writeLeftovers(ctx, s))
}

// writeLeftovers writes into each run's row what became of its processes. We and
// our ancestors are there for as long as the sweep is, and are no leftovers.
func (w *sweeping) writeLeftovers(ctx context.Context, s *scene) error {
	byRun := map[string]store.Leftovers{}
	var order []string
	for _, step := range w.done.Processes {
		if step.Verdict == VerdictReport || s.protected[step.Process.PID] || s.runs[step.UID] == nil || !s.runs[step.UID].Process.End.Over() {
			continue
		}
		l, known := byRun[step.UID]
		if !known {
			order = append(order, step.UID)
		}
		left := store.Leftover{
			PID: step.Process.PID, StartTicks: step.Process.Start, Command: step.Command, Signal: step.Signal, Reason: step.Reason,
		}
		switch {
		case step.Verdict == VerdictKeep:
			l.Kept = append(l.Kept, left)
		case step.Done && len(l.Stopped) < reportedMost:
			left.Reason = ""
			l.Stopped = append(l.Stopped, left)
		case !step.Done:
			l.Remaining = append(l.Remaining, left)
		}
		byRun[step.UID] = l
	}
	var failures []error
	for _, uid := range order {
		if err := w.Ledger.RecordLeftovers(context.WithoutCancel(ctx), uid, byRun[uid], w.Observe().Now); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// reportedMost bounds how many stopped processes of one run its row names.
const reportedMost = 100

// askIdle asks the idle runs of the plan to end that still are. Their wrappers do
// it at their next beat.
func (w *sweeping) askIdle(ctx context.Context) error {
	var failures []error
	for _, step := range w.plan.Runs {
		if step.Action != ActionAsk {
			continue
		}
		e, err := w.Ledger.Execution(ctx, step.UID)
		if err == nil {
			at := w.Observe()
			if _, still := idling(e, at, w.IdleAfter); !still {
				continue
			}
			step.Done, err = w.Ledger.RequestStop(ctx, step.UID, lifecycle.StoppedByIdle, at.Now)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("execution %s: %w", step.UID, err))
		}
		w.done.Runs = append(w.done.Runs, step)
	}
	return errors.Join(failures...)
}

// closeStale closes the workflows that were stale when the plan was made, and are now
// that dead runs have ended.
func (w *sweeping) closeStale(ctx context.Context) error {
	steps, err := w.staleWorkflows(ctx, w.plan.At)
	failures := []error{err}
	for _, step := range steps {
		done, err := w.Ledger.CloseStale(ctx, step.ID, w.Observe().Now)
		step.Done = done
		if err != nil {
			failures = append(failures, fmt.Errorf("workflow %s: %w", step.ID, err))
		}
		w.done.Workflows = append(w.done.Workflows, step)
	}
	return errors.Join(failures...)
}

// tidyRunFiles removes what dead wrappers began and never finished, and the files
// and control groups of ended runs that nothing lives of any more.
func (w *sweeping) tidyRunFiles(ctx context.Context) error {
	at := w.Observe()
	now := time.UnixMilli(at.Now.WallMS)
	failures := []error{runfile.SweepUnfinished(w.StateDir, now), runfile.SweepCompanions(w.StateDir, now)}
	for _, uid := range filedUIDs(w.StateDir) {
		e, err := w.Ledger.Execution(ctx, uid)
		finished := err == nil && w.finishedWith(e, at)
		if errors.Is(err, store.ErrNotFound) {
			e.UID, err = uid, nil
			finished = runfile.Abandoned(runfile.Path(w.StateDir, uid), now)
		}
		if err != nil {
			failures = append(failures, err)
		}
		if !finished {
			continue
		}
		if !w.removeGroup(ctx, groupOf(e)) {
			continue // somebody lives in it, and is to be found again
		}
		if e.RunFile != "" {
			if _, err := takeInLeftovers(ctx, w.Ledger, e, at); err != nil {
				failures = append(failures, err)
				continue
			}
		}
		if err := os.Remove(runfile.Path(w.StateDir, uid)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, fmt.Errorf("remove run file: %w", err))
		}
	}
	return errors.Join(failures...)
}

// removeGroup removes the control group of an ended run, and says whether it is
// gone.
func (w *sweeping) removeGroup(ctx context.Context, path string) bool {
	g, there := proc.GroupAt(path)
	if !there {
		return true
	}
	for waited := time.Duration(0); ; waited += awaitFirst {
		if g.Remove() == nil {
			return true
		}
		if occupied(path) || waited >= groupWait || w.pause(ctx, awaitFirst) != nil {
			return false
		}
	}
}

// forget removes history that was too old when the plan was made.
func (w *sweeping) forget(ctx context.Context) (err error) {
	if w.KeepHistory <= 0 {
		return nil
	}
	s, err := sceneOf(ctx, w.Ledger, w.StateDir, w.Observe(), w.system())
	if err != nil {
		return err
	}
	before := w.forgetBefore(w.plan.At)
	w.done.Forgotten, err = w.Ledger.Forget(ctx, before, s.needed())
	return errors.Join(err, w.forgetLogs(ctx, before))
}
