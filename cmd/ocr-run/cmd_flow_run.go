package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// flowRunVerb runs a command under a flow.
func flowRunVerb() verb {
	return verb{
		name:     "flow run",
		operands: "[FLOW] -- CMD [ARG…]",
		brief:    "run a command as part of a flow",
		about: `Runs a command as ocr-run itself does, as a run of a flow and of the flow's
workspace. Without FLOW the flow is meant that this run is part of. The run is
committed in one step with a look at the flow: nothing is run in one that has
ended or was asked to. Other than a plain run it needs the ledger, and is not
started when that cannot be written.

With --queue it waits for its turn: the runs of the flow go on one at a time, or
as many as --max-parallel says. In a flow created with --max-parallel every run
waits for its turn. With --detach a wrapper in the background runs it; the
answer says what its uid is and which file its output goes to, --log FILE or one
beside the ledger. All flags of a wrapped run can be given; without --detach
--json prints a refusal on stdout, and the receipt on stderr.`,
		most: manyWords,
		flags: slices.Concat([]flagSpec{
			{name: "detach", usage: "leave it to a wrapper in the background"},
			{name: "queue", usage: "wait for its turn"},
			{name: "max-parallel", value: "N", usage: "wait until fewer than N runs of the flow go on (default 1 with --queue)"},
			ownerSpec(), revisionSpec(),
		}, slices.DeleteFunc(wrapFlags(), func(f flagSpec) bool {
			return slices.Contains([]string{"help", "version"}, f.name)
		})),
		exits: slices.Concat([]exitLine{{exitOK, "and any other code: as of a wrapped run; with --detach: it stands"}},
			slices.DeleteFunc(refusalExits(), func(e exitLine) bool { return e.code == exitTransition }),
			[]exitLine{{130, "called off while it waited for its turn (by the flow, or TERM: 143)"}}),
		examples: []string{
			"ocr-run flow run nightly --name api -- claude -p 'review services/api'",
			"ocr-run flow run nightly --detach --queue --max-parallel 4 -- ./check.sh",
		},
		run: runFlowRun,
	}
}

// flowRun is one run that is to be part of a flow.
type flowRun struct {
	call
	opts    runOptions
	command []string
	ask     lifecycle.FlowAsk
	// session is the agent's session that it goes on with; empty for none.
	session string
	// flow is the flow's id.
	flow string
	// report is told once what became of the request.
	report func(render.FlowRun, error) error
}

// runFlowRun reads the flags and runs it, here or in the background.
func runFlowRun(ctx context.Context, c call) error {
	env, detached := c.detached()
	c.environment = env
	r, name, err := newFlowRun(c)
	if err != nil {
		return err
	}
	switch {
	case detached.uid != "":
		return r.inBackground(ctx, detached, name)
	case c.flags.Bool("detach"):
		return r.detach(ctx)
	}
	r.report = r.refuse
	return r.found(ctx, name)
}

// newFlowRun reads the flags; name is how the flow is called, empty for this run's.
func newFlowRun(c call) (r *flowRun, name string, err error) {
	p := flagReader{flags: c.flags}
	r = &flowRun{call: c, ask: c.flowAsk(&p)}
	turns := p.positive("max-parallel")
	if c.flags.Bool("queue") && turns == 0 {
		turns = 1
	}
	if c.flags.Bool("detach") && c.flags.IsSet("log-size") {
		p.refuse("log-size", "a log of the background is not rotated")
	}
	if p.err == nil {
		r.opts, p.err = parseOptions(c.flags, c.dir)
	}
	switch {
	case p.err != nil:
		return nil, "", c.usage("%w", p.err)
	case c.before < 0:
		return nil, "", c.usage("needs -- before the command")
	case c.before > 1:
		return nil, "", c.usage("takes one flow before --, not %q as well", c.words[1])
	case len(c.words) == c.before:
		return nil, "", c.usage("needs a command after --")
	case c.before == 1:
		name = c.words[0]
	}
	r.command, r.opts.patience, r.opts.turns = c.words[c.before:], busyTimeout, turns
	return r, name, nil
}

// refuse prints, here, why nothing was run. What was run speaks for itself.
func (r *flowRun) refuse(view render.FlowRun, refusal error) error {
	if view.Created || !r.flags.Bool("json") {
		return refusal
	}
	return errors.Join(refusal, r.printJSON(view))
}

// found finds the flow and runs the command in it.
func (r *flowRun) found(ctx context.Context, name string) error {
	// From here on nobody who ends this process ends it unheard.
	signals := supervisor.Catch()
	l, err := r.openExisting(ctx)
	if err != nil {
		return r.report(unpersisted(), err)
	}
	if l == nil {
		err = r.unknownFlow(name)
	} else {
		r.flow, err = r.flowID(ctx, l, name)
		err = errors.Join(err, l.Close())
	}
	if err != nil {
		view := render.FlowRun{SchemaVersion: render.SchemaVersion}
		if errors.Is(err, store.ErrNotFound) {
			view.Reason = notFoundReason()
		}
		return r.report(view, err)
	}
	return r.perform(ctx, signals)
}

// unpersisted is the answer where there is no ledger to write to.
func unpersisted() render.FlowRun {
	return render.FlowRun{SchemaVersion: render.SchemaVersion, Reason: new(string(lifecycle.FlowPersistFailed))}
}

// perform runs the command in the flow that is known.
func (r *flowRun) perform(ctx context.Context, signals chan os.Signal) error {
	w, err := newWrapping(ctx, r.environment, r.opts, r.command)
	if err != nil {
		return r.report(render.FlowRun{SchemaVersion: render.SchemaVersion}, r.usage("%w", err))
	}
	defer w.close()
	return r.inFlow(ctx, w, signals)
}

// inFlow takes the lease, commits the run, waits for its turn, and runs it.
func (r *flowRun) inFlow(ctx context.Context, w *wrapping, signals chan os.Signal) error {
	cfg := w.config(ctx)
	cfg.FlowID, cfg.Signals = r.flow, signals
	var err error
	if cfg.StateDir == "" {
		return r.report(unpersisted(), &verbError{thing: "ledger", err: errNoHome})
	}
	// The lease comes first: whoever finds the row finds it held.
	if w.lease == nil {
		if w.lease, err = runfile.Create(cfg.StateDir, w.uid); err != nil {
			return r.report(unpersisted(), &verbError{thing: r.verb, err: err})
		}
	}
	cfg.RunFile = w.lease
	res, err := r.commit(ctx, w, cfg)
	if err != nil || !res.Created {
		return errors.Join(err, cfg.RunFile.Release(true))
	}
	w.clearReceipt() // it may wait for long
	cfg.Workspace = res.Announcement.Workspace
	turn := &turn{wrapping: w, cfg: cfg, committed: res, limit: r.opts.turns}
	if off := turn.await(ctx); off != nil {
		return answered(w.conclude(ctx, turn.callOff(ctx, off)))
	}
	return answered(w.conclude(ctx, supervisor.Run(ctx, turn.cfg)))
}

// commit asks for the run and reports what became of that. The error has been
// reported.
func (r *flowRun) commit(ctx context.Context, w *wrapping, cfg supervisor.Config) (store.FlowRunResult, error) {
	l, err := w.journal.Ledger(ctx)
	if err != nil {
		return store.FlowRunResult{}, r.report(unpersisted(), r.failed(fmt.Errorf("%s: %w", lifecycle.FlowPersistFailed, err)))
	}
	a := cfg.Announcement(w.env.clock.Now())
	a.Queued = r.opts.turns > 0
	res, err := l.RunInFlow(ctx, store.FlowRun{Announcement: a, Ask: r.ask, Session: r.session})
	if by, ok := errors.AsType[*store.OccupiedError](err); ok {
		return res, r.report(render.FlowRun{SchemaVersion: render.SchemaVersion, Found: res.Found}, r.taken(by))
	}
	view := render.FlowRun{
		SchemaVersion: render.SchemaVersion, Found: res.Found, Created: res.Created, Reason: render.OrNull(string(res.Refused)),
	}
	if res.Refused != "" {
		view.Flow, _ = r.flowView(ctx, l, res.Flow)
		return res, r.report(view, r.flowRefused(r.flow, res.Flow, res.Refused, err))
	}
	if view.Flow, err = r.flowView(ctx, l, res.Flow); err != nil {
		r.note("%s", err)
	}
	if e, err := l.Execution(ctx, w.uid); err == nil {
		view.Execution = &r.views(ctx, l, []store.Execution{e})[0]
	}
	return res, r.report(view, nil)
}
