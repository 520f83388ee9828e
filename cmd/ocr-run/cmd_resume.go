package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// errNoResume says that nobody knows how to go on with a run.
var errNoResume = errors.New("there is no command known that continues it")

// resumeVerb goes on with the work of an earlier run.
func resumeVerb() verb {
	return verb{
		name:     "resume",
		operands: "UID",
		brief:    "go on with the work of a run that has ended",
		about: `Runs the command that continues the agent's session of an earlier run, as a new
run of the same session, in the same directory and for the same review, map or
flow, if that is still open. The command is the one that the receipt and show print. All
flags of a wrapped run can be given; those of the earlier one are not remembered, --env
neither.`,
		least: 1,
		most:  1,
		flags: append(slices.DeleteFunc(wrapFlags(), func(f flagSpec) bool {
			return slices.Contains([]string{"help", "version", "cwd", "agent"}, f.name)
		}), flagSpec{name: "at", value: "WHEN", usage: "launch it no earlier: an RFC 3339 instant, or a time from now"}),
		exits: []exitLine{
			{exitOK, "and any other code: as of a wrapped run"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several runs answer to UID; some of them are named"},
			{exitNotFound, "no run answers to UID, or nothing continues it"},
			{exitInvariant, "it has not ended, or is being continued already"},
			{exitBusy, "another process keeps the ledger locked"},
		},
		examples: []string{"ocr-run resume 1f0c9a2e", "ocr-run resume --timeout 1h 1f0c9a2e", "ocr-run resume --at 5h 1f0c9a2e"},
		run:      runResume,
	}
}

// runResume finds the command and wraps it.
func runResume(ctx context.Context, c call) error {
	env, background := c.detached()
	c.environment = env
	opts, err := parseOptions(c.flags, c.dir)
	if err != nil {
		return c.usage("%w", err)
	}
	if opts.notBefore, err = c.launchTime(); err != nil {
		return c.usage("--at: %w", err)
	}
	c.takeNext(&opts)
	row, err := c.resume(ctx, &opts, background)
	if _, ran := answeredCode(err); err != nil && !ran && opts.autoResumed && row.Process.End.Over() {
		return c.notGoneOn(ctx, opts, row, err)
	}
	return err
}

// resume finds the run and wraps the command that continues it. The run is what is
// known of it, also beside an error.
func (c call) resume(ctx context.Context, opts *runOptions, background detachment) (row store.Execution, err error) {
	var flow string
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		row, err = c.resumable(ctx, l)
		if err == nil {
			opts.workflow, err = c.openWorkflow(ctx, l, row.WorkflowID)
		}
		if err == nil {
			flow, err = c.flowToGoOnIn(ctx, l, row.FlowID, opts.autoResumed)
		}
		return err
	})
	switch {
	case err != nil:
		return row, err
	case !found:
		return row, c.unknownRun(c.words[0])
	}
	if _, err := os.Stat(row.CWD); err != nil {
		return row, &verbError{thing: c.verb, err: fmt.Errorf("its directory is gone: %w", err), try: "the command itself, elsewhere: " + program + " show " + row.UID}
	}
	opts.cwd, opts.agent, opts.resumedFrom = row.CWD, row.Agent, row.UID
	if opts.name == "" {
		opts.name = row.Name
	}
	opts.uid, opts.background = background.uid, background
	if flow != "" {
		return row, c.resumeInFlow(ctx, *opts, row, flow)
	}
	return row, c.goOnWith(ctx, *opts, row)
}

// notGoneOn concludes a run that was to be gone on with by itself and is not, for
// whatever reason. What is to be done at its end is done elsewhere if its directory
// is gone.
func (c call) notGoneOn(ctx context.Context, opts runOptions, row store.Execution, why error) error {
	if _, err := os.Stat(opts.cwd); err != nil {
		opts.cwd = "/"
	}
	w := &wrapping{env: c.environment, opts: opts, uid: row.UID, log: zerolog.Nop()}
	w.openJournal()
	return w.remains(ctx, row, why)
}

// takeNext takes in what the run before says to the one that goes on by itself.
func (c *call) takeNext(opts *runOptions) {
	said, set := c.lookup(envNext)
	if opts.autoResumed = set; set {
		why, turns, _ := strings.Cut(said, "/")
		opts.waitsFor = store.WaitReason(why)
		opts.turns, _ = strconv.Atoi(turns) // without any it is 0
		c.environ = slices.DeleteFunc(slices.Clone(c.environ), func(kv string) bool { return strings.HasPrefix(kv, envNext+"=") })
	} else if !opts.notBefore.IsZero() {
		opts.waitsFor = store.WaitPause
	}
}

// goOnWith wraps the command that continues a run, once the session is ours alone.
func (c call) goOnWith(ctx context.Context, opts runOptions, row store.Execution) error {
	w, err := newWrapping(ctx, c.environment, opts, row.Resume)
	switch {
	case err != nil && opts.autoResumed:
		return err
	case err != nil:
		return answered(wrapRefused(c.environment, err))
	}
	defer w.close()
	cfg := w.config(ctx)
	l, err := w.journal.Ledger(ctx)
	if err == nil {
		err = l.Claim(ctx, cfg.Announcement(c.clock.Now()), row.AgentSessionID)
	}
	if by, ok := errors.AsType[*store.OccupiedError](err); ok {
		err = c.taken(by)
	} else if err != nil {
		err = c.failed(err)
	}
	if err != nil {
		return err
	}
	return answered(w.conclude(ctx, supervisor.Run(ctx, cfg)))
}

// taken refuses to go on with a session that somebody else is at.
func (c call) taken(by *store.OccupiedError) error {
	return &verbError{thing: c.verb, err: by, try: program + " show " + by.UID}
}

// launchTime is when the command is to be launched at the earliest; zero for at
// once.
func (c call) launchTime() (time.Time, error) {
	text := c.flags.String("at")
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	d, err := parseDuration(text)
	return c.clock.Now().Wall.Add(d), err
}

// resumeInFlow goes on with a run of a flow as another run of it.
func (c call) resumeInFlow(ctx context.Context, opts runOptions, row store.Execution, flow string) error {
	opts.patience = busyTimeout
	r := &flowRun{call: c, opts: opts, command: row.Resume, flow: flow, session: row.AgentSessionID}
	if r.report = r.refuse; opts.autoResumed {
		// Nobody asked for it here: what was refused is told in another way.
		r.report = func(_ render.FlowRun, refusal error) error { return refusal }
	}
	return r.perform(ctx, supervisor.Catch())
}

// resumable is the run meant, if it has ended, something continues it, and nobody
// does so already.
func (c call) resumable(ctx context.Context, l *store.Ledger) (store.Execution, error) {
	row, err := c.execution(ctx, l, c.words[0])
	if err != nil {
		return row, err
	}
	if !row.Process.End.Over() {
		return row, c.occupied(row, "it has not ended")
	}
	if row.Resume = resumeOf(row); len(row.Resume) == 0 {
		return row, c.resumeless(ctx, l, row)
	}
	return row, nil
}

// resumeless refuses a run that nothing continues: its command can be run once more.
func (c call) resumeless(ctx context.Context, l *store.Ledger, row store.Execution) error {
	flow, err := c.openWorkflow(ctx, l, row.FlowID)
	if err != nil {
		return err
	}
	try := render.Again(render.Execution{Command: row.Command, Again: again(row, flow, c.dir)})
	return &verbError{thing: c.verb + " " + row.UID, err: errNoResume, try: try, kind: store.ErrNotFound}
}

// occupied refuses to run a session twice at once.
func (c call) occupied(by store.Execution, why string) error {
	return &verbError{
		thing: c.verb, err: fmt.Errorf("%w: %s (process %d)", store.ErrConflict, why, by.Launch.Child.PID),
		try: program + " show " + by.UID,
	}
}

// flowToGoOnIn is the flow that a run is to go on in: its own if that can still be
// worked in, else none. Work that goes on by itself does not leave a flow that was
// asked to end.
func (c call) flowToGoOnIn(ctx context.Context, l *store.Ledger, id string, byItself bool) (string, error) {
	if id == "" || !byItself {
		return c.openWorkflow(ctx, l, id)
	}
	f, err := l.Flow(ctx, id)
	if err == nil && f.CancelRequestedAtMS != 0 {
		return id, nil
	}
	return c.openWorkflow(ctx, l, id)
}

// openWorkflow is the workflow's id if it can still be worked on, else empty.
func (c call) openWorkflow(ctx context.Context, l *store.Ledger, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	w, err := l.Workflow(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && w.Status.Closed():
		return "", nil
	case err != nil:
		return "", c.failed(err)
	default:
		return id, nil
	}
}
