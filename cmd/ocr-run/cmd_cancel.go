package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
)

// cancelVerb ends a run, wherever it was started.
func cancelVerb() verb {
	return verb{
		name:     "cancel",
		operands: "UID",
		brief:    "end a run, wherever it was started",
		about: `Ends a run: the wish is written down, where nothing takes it back, and its
wrapper is told at once. The wrapper stops the command: TERM, the grace of the
run, KILL. A run whose wrapper is dead is settled, and what is left of it is
stopped where that is proved to be its own. UID is a unique beginning or end of
the run's uid. What came of it:
  settled            the run has ended
  accepted           its wrapper is about to end it; --wait waits for that
  already_terminal   it had ended before
  not_found          no run answers to UID
  refused            the run is another program's to end`,
		least: 1,
		most:  1,
		flags: []flagSpec{
			{name: "wait", usage: "wait until the run has ended"},
			{name: "timeout", value: "DURATION", usage: "with --wait: how long to wait at most (default for ever)"},
			jsonSpec(),
		},
		exits: []exitLine{
			{exitOK, "settled, accepted or already_terminal"},
			{exitError, "the ledger cannot be written, or something of the run could not be stopped"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several runs answer to UID; some of them are named"},
			{exitNotFound, "no run answers to UID"},
			{exitInvariant, "refused"},
			{exitBusy, "another process keeps the ledger locked, or a sweep does not end"},
			{exitTimedOut, "the timeout was over before the run was"},
			{exitInterrupted, "cut short by INT (HUP: 129, TERM: 143); the wish is written down"},
		},
		examples: []string{"ocr-run cancel 1f0c9a2e", "ocr-run cancel 1f0c9a2e --wait --timeout 30s --json | jq -r .result"},
		run:      runCancel,
	}
}

// Results of a request to cancel that the reaper does not know.
const (
	resultNotFound = "not_found"
	resultRefused  = "refused"
)

// errRefused says that a run is not ours to end.
var errRefused = errors.New("it is another program's to end")

// runCancel cancels and prints what came of it.
func runCancel(ctx context.Context, c call) error {
	p := flagReader{flags: c.flags}
	timeout := p.duration("timeout", time.Millisecond)
	if timeout > 0 && !c.flags.Bool("wait") {
		p.refuse("timeout", "needs --wait")
	}
	if p.err != nil {
		return c.usage("%w", p.err)
	}
	l, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	if l == nil {
		return c.notCancelled(ctx, c.unknownRun(c.words[0]))
	}
	uid, err := c.resolveUID(ctx, l, c.words[0])
	if err == nil {
		err = c.cancel(ctx, l, uid, timeout)
	} else if errors.Is(err, store.ErrNotFound) {
		err = c.notCancelled(ctx, err)
	}
	return errors.Join(err, l.Close())
}

// cancel ends a run that is there.
func (c call) cancel(ctx context.Context, l *store.Ledger, uid string, timeout time.Duration) error {
	cfg, err := c.reaping(l)
	if err != nil {
		return err
	}
	cfg.Patience = timeout
	waiting, stop := within(ctx, timeout)
	defer stop()
	var done reaper.Cancelled
	var trouble error
	owed := heeding(ctx, func(ctx context.Context) { done, trouble = reaper.Cancel(ctx, cfg, uid) })
	if trouble != nil && done.State == "" {
		return errors.Join(owed, c.failed(trouble))
	}
	late := c.overdue(trouble)
	if owed == nil && done.State == reaper.CancelAccepted && c.flags.Bool("wait") {
		if late = reaper.Await(waiting, cfg, uid); late == nil {
			done.State = reaper.CancelSettled
		}
	}
	e, err := l.Execution(ctx, uid)
	if err != nil {
		return c.failed(err)
	}
	if err := c.printCancelled(cancelledView(e, done)); err != nil {
		return err
	}
	if done.State == reaper.CancelAccepted && errors.Is(late, context.DeadlineExceeded) {
		c.note("cancel: run %s has not ended within %s", uid, timeout)
	}
	return c.cancelEnd(owed, late, trouble, done.Processes)
}

// cancelEnd is how a cancel ends: by the signal that ended it, then by the wait that
// came to nothing, by what could not be done, by what remains.
func (c call) cancelEnd(owed, late, trouble error, found []reaper.ProcessStep) error {
	switch {
	case owed != nil:
		return owed
	case errors.Is(late, context.DeadlineExceeded):
		return answered(exitTimedOut)
	case late != nil:
		return c.failed(late)
	case trouble != nil:
		return c.failed(trouble)
	case remains(found):
		return answered(exitError)
	default:
		return nil
	}
}

// remains says whether a process that was to be stopped was not.
func remains(steps []reaper.ProcessStep) bool {
	for _, s := range steps {
		if s.Verdict == reaper.VerdictStop && !s.Done {
			return true
		}
	}
	return false
}

// notCancelled answers for a name that is none of our runs: one that the host of
// this directory knows is for the host to end.
func (c call) notCancelled(ctx context.Context, unknown error) error {
	view := render.Cancelled{Result: resultNotFound, Reason: "no run answers to " + c.words[0]}
	err := unknown
	if uid := c.foreignUID(ctx, c.words[0]); uid != "" {
		view.UID, view.Result, view.Reason = &uid, resultRefused, errRefused.Error()
		err = &verbError{
			thing: c.verb, err: fmt.Errorf("run %s was started by Open Code Review: %w", uid, errRefused),
			try: "its dashboard", kind: store.ErrConflict,
		}
	}
	if !c.flags.Bool("json") {
		return err
	}
	b, jerr := render.CancelledJSON(view)
	if jerr == nil {
		jerr = c.print(b)
	}
	return errors.Join(err, jerr)
}

// foreignUID is the uid of the run that the host of this directory knows by a name,
// empty when there is no such run, or several.
func (c call) foreignUID(ctx context.Context, name string) string {
	if all := c.foreignNamed(ctx, name); len(all) == 1 {
		return all[0].UID
	}
	return ""
}

// cancelledView is the answer as the JSON contract shows it.
func cancelledView(e store.Execution, done reaper.Cancelled) render.Cancelled {
	view := render.Cancelled{
		UID: &e.UID, Result: string(done.State), Asked: done.Asked, Woken: done.Woken, Processes: processViews(done.Processes),
	}
	if e.Process.End.Over() {
		v := verdictOf(e)
		view.Outcome, view.Cause = new(string(v.Outcome)), render.OrNull(string(v.Cause))
	}
	view.Reason = cancelReason(e, done)
	return view
}

// cancelReason says in words what came of it.
func cancelReason(e store.Execution, done reaper.Cancelled) string {
	switch done.State {
	case reaper.CancelTerminal:
		return "it had ended before, " + string(verdictOf(e).Outcome)
	case reaper.CancelSettled:
		if e.Process.End == lifecycle.EndLost {
			return "its wrapper was dead; nobody saw how the command ended"
		}
		return "it has ended, " + string(verdictOf(e).Outcome)
	case reaper.CancelAccepted:
	}
	switch {
	case done.Asked:
		return "it had been asked to end before, and its wrapper is about to end it"
	case done.Woken:
		return "its wrapper has been told and is about to end it"
	default:
		return "its wrapper ends it at its next heartbeat"
	}
}

// printCancelled prints the answer as JSON or for a person.
func (c call) printCancelled(view render.Cancelled) error {
	return c.printEither(func() string { return render.CancelledText(c.style(), view) }, func() ([]byte, error) { return render.CancelledJSON(view) })
}
