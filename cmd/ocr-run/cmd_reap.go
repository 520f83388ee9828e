package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
)

// reapVerb tidies up after dead wrappers.
func reapVerb() verb {
	return verb{
		name:  "reap",
		brief: "tidy up after runs whose wrapper died: rows, processes, workflows",
		about: `Tidies up once: gives the rows of dead wrappers their end, stops what ended runs
have left running, closes sessions nobody has touched for a week, takes in facts
the ledger did not take before. On a terminal the plan is shown first, and asked
about where it stops, closes or forgets something.

A process is stopped only where the ledger names it exactly, or where two
independent proofs say that it belongs to a run that nobody looks after, at two
looks a second apart; with one proof it is only named. Spared are this command
and its ancestors, other ledgers' runs, runs whose wrapper lives and what they
started, what runs under ocr-run keep, and servers that others share.`,
		flags: []flagSpec{
			{name: "dry-run", usage: "show the plan and do nothing"},
			{name: "yes", short: "y", usage: "do not ask"},
			{name: "idle", value: "DURATION", usage: "also end runs that are silent for so long and in no turn"},
			{name: "keep-history", value: "DURATION", usage: "also forget runs that ended longer ago than this, as in 90d"},
			{name: "quiet", short: "q", usage: "say only what was done, and nothing when there was nothing to do"},
			jsonSpec(),
		},
		exits: []exitLine{
			{exitOK, "done, also when there was nothing to do"},
			{exitError, "something could not be done, or the answer was no"},
			{exitUsage, "usage error"},
			{exitBusy, "another sweep is under way, or another process keeps the ledger locked"},
			{exitInterrupted, "cut short by INT (HUP: 129, TERM: 143)"},
		},
		examples: []string{"ocr-run reap --dry-run", "ocr-run reap --yes --keep-history 90d", "ocr-run reap --json | jq '.processes[] | select(.action == \"report\")'"},
		run:      runReap,
	}
}

// runReap plans and sweeps.
func runReap(ctx context.Context, c call) error {
	p := flagReader{flags: c.flags}
	idle, keep := p.duration("idle", reaper.IdleLeast), p.duration("keep-history", reaper.HistoryLeast)
	switch {
	case p.err != nil:
		return c.usage("%w", p.err)
	case c.flags.Bool("quiet") && c.flags.Bool("json"):
		return c.usage("--quiet and --json exclude each other")
	}
	dryRun := c.flags.Bool("dry-run")
	open := c.openExisting
	if dryRun {
		open = c.readLedger
	}
	l, err := open(ctx)
	if err != nil {
		return err
	}
	if l == nil {
		return c.printReaping(render.Reaping{DryRun: dryRun})
	}
	cfg, err := c.reaping(l)
	cfg.IdleAfter, cfg.KeepHistory = idle, keep
	if err == nil && dryRun {
		err = c.planOnly(ctx, cfg)
	} else if err == nil {
		err = c.reap(ctx, cfg)
	}
	return errors.Join(err, l.Close())
}

// planOnly shows what a sweep would do.
func (c call) planOnly(ctx context.Context, cfg reaper.Config) error {
	plan, err := reaper.Survey(ctx, cfg)
	if err != nil {
		return c.failed(err)
	}
	return c.printReaping(planView(plan))
}

// reap sweeps, after showing the plan where a person looks. Nobody else has to wait
// while that one thinks about it: the sweep, and with it what it may do, begins anew
// with the answer.
func (c call) reap(ctx context.Context, cfg reaper.Config) error {
	var agreed reaper.Plan
	asks := c.asks()
	if asks {
		var err error
		if agreed, err = reaper.Survey(ctx, cfg); err != nil {
			return c.failed(err)
		}
		if !c.agreedTo(agreed) {
			c.note("nothing was done")
			return answered(exitError)
		}
	}
	unlock, err := reaper.Lock(cfg.StateDir)
	if err != nil {
		return c.failed(err)
	}
	plan, err := reaper.Survey(ctx, cfg)
	if asks {
		plan = plan.Within(agreed)
	}
	if err == nil {
		err = c.sweep(ctx, cfg, plan)
	} else {
		err = c.failed(err)
	}
	return errors.Join(err, unlock())
}

// asks says whether there is a person to show the plan to. Nobody is asked who cannot
// answer.
func (c call) asks() bool {
	return !c.flags.Bool("yes") && !c.flags.Bool("json") &&
		term.IsTerminal(int(c.stdin.Fd())) && term.IsTerminal(int(c.stderr.Fd()))
}

// agreedTo shows the plan to a person and asks where it takes something away.
func (c call) agreedTo(plan reaper.Plan) bool {
	if plan.Empty() {
		return true
	}
	_, _ = io.WriteString(c.stderr, render.Reap(c.style(), planView(plan)))
	if !takesAway(plan) {
		return true
	}
	_, _ = io.WriteString(c.stderr, "Do this? [y/N] ")
	line, _ := bufio.NewReader(c.stdin).ReadString('\n') // no answer is no
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

// takesAway says whether a plan does more than writing down what is so already.
func takesAway(plan reaper.Plan) bool {
	for _, p := range plan.Processes {
		if p.Verdict == reaper.VerdictStop {
			return true
		}
	}
	for _, r := range plan.Runs {
		if r.Action == reaper.ActionAsk {
			return true
		}
	}
	return len(plan.Workflows) > 0 || plan.Forget != store.Forgotten{}
}

// sweep carries the plan out and tells what came of it.
func (c call) sweep(ctx context.Context, cfg reaper.Config, plan reaper.Plan) error {
	var result reaper.Result
	var trouble error
	owed := heeding(ctx, func(ctx context.Context) {
		result, trouble = reaper.Reap(ctx, cfg, plan)
		trouble = errors.Join(trouble, c.settleHosts(ctx, cfg.Ledger))
	})
	view := render.Reaping{
		Spool: render.ReapedSpool{Waiting: plan.Spooled, Ingested: result.Ingested},
		Runs:  runViews(result.Runs), Processes: processViews(result.Processes), Workflows: workflowViews(result.Workflows),
		History: render.ReapedHistory{Runs: result.Forgotten.Executions, Workflows: result.Forgotten.Workflows},
	}
	for _, e := range eachOf(trouble) {
		view.Errors = append(view.Errors, e.Error())
		if !c.flags.Bool("json") {
			c.note("reap: %s", e)
		}
	}
	if err := c.printReaping(view); err != nil {
		return err
	}
	if owed != nil {
		return owed
	}
	switch all := eachOf(trouble); {
	case remains(result.Processes), slices.ContainsFunc(all, func(err error) bool { return !errors.Is(err, store.ErrBusy) }):
		return answered(exitError)
	case len(all) > 0:
		return answered(exitBusy)
	}
	return nil
}

// eachOf takes joined errors apart.
func eachOf(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, eachOf(e)...)
	}
	return all
}

// printReaping prints a plan, or what became of it.
func (c call) printReaping(view render.Reaping) error {
	if c.flags.Bool("quiet") {
		return c.printText(render.ReapDeeds(c.style(), view))
	}
	return c.printEither(func() string { return render.Reap(c.style(), view) }, func() ([]byte, error) { return render.ReapingJSON(view) })
}

// planView is a plan as the JSON contract shows it.
func planView(plan reaper.Plan) render.Reaping {
	return render.Reaping{
		DryRun: true, Spool: render.ReapedSpool{Waiting: plan.Spooled},
		Runs: runViews(plan.Runs), Processes: processViews(plan.Processes), Workflows: workflowViews(plan.Workflows),
		History: render.ReapedHistory{Runs: plan.Forget.Executions, Workflows: plan.Forget.Workflows},
	}
}

// runViews are steps about rows as the JSON contract shows them.
func runViews(steps []reaper.RunStep) []render.ReapedRun {
	views := make([]render.ReapedRun, 0, len(steps))
	for _, s := range steps {
		views = append(views, render.ReapedRun{UID: s.UID, Action: string(s.Action), Reason: s.Reason, Done: s.Done})
	}
	return views
}

// workflowViews are steps about workflows as the JSON contract shows them.
func workflowViews(steps []reaper.WorkflowStep) []render.ReapedFlow {
	views := make([]render.ReapedFlow, 0, len(steps))
	for _, s := range steps {
		views = append(views, render.ReapedFlow{ID: s.ID, Workspace: s.Workspace, Reason: s.Reason, Done: s.Done})
	}
	return views
}
