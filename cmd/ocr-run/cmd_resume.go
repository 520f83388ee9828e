package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

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
flags of a wrapped run can be given.`,
		least: 1,
		most:  1,
		flags: slices.DeleteFunc(wrapFlags(), func(f flagSpec) bool {
			return slices.Contains([]string{"help", "version", "cwd", "agent"}, f.name)
		}),
		exits: []exitLine{
			{exitOK, "and any other code: as of a wrapped run"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several runs answer to UID; they are listed"},
			{exitNotFound, "no run answers to UID, or nothing continues it"},
			{exitInvariant, "it has not ended, or is being continued already"},
			{exitBusy, "another process keeps the ledger locked"},
		},
		examples: []string{"ocr-run resume 1f0c9a2e", "ocr-run resume --timeout 1h 1f0c9a2e"},
		run:      runResume,
	}
}

// runResume finds the command and wraps it.
func runResume(ctx context.Context, c call) error {
	opts, err := parseOptions(c.flags, c.dir)
	if err != nil {
		return c.usage("%w", err)
	}
	var row store.Execution
	var flow string
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		row, err = c.resumable(ctx, l)
		if err == nil {
			opts.workflow, err = c.openWorkflow(ctx, l, row.WorkflowID)
		}
		if err == nil {
			flow, err = c.openWorkflow(ctx, l, row.FlowID)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !found:
		return c.unknownRun(c.words[0])
	}
	if _, err := os.Stat(row.CWD); err != nil {
		return &verbError{thing: c.verb, err: fmt.Errorf("its directory is gone: %w", err), try: "the command itself, elsewhere: " + program + " show " + row.UID}
	}
	opts.cwd, opts.agent, opts.resumedFrom = row.CWD, row.Agent, row.UID
	if opts.name == "" {
		opts.name = row.Name
	}
	if flow != "" {
		return c.resumeInFlow(ctx, opts, row, flow)
	}
	return answered(wrap(ctx, c.environment, opts, row.Resume))
}

// resumeInFlow goes on with a run of a flow as another run of it.
func (c call) resumeInFlow(ctx context.Context, opts runOptions, row store.Execution, flow string) error {
	opts.patience = busyTimeout
	r := &flowRun{call: c, opts: opts, command: row.Resume, flow: flow}
	r.report = r.refuse
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
	if len(row.Resume) == 0 {
		return row, &verbError{thing: c.verb + " " + row.UID, err: errNoResume, try: program + " show " + row.UID, kind: store.ErrNotFound}
	}
	live, err := l.Unsettled(ctx)
	if err != nil {
		return row, c.failed(err)
	}
	for _, other := range live {
		if other.ResumedFrom == row.UID || other.AgentSessionID != "" && other.AgentSessionID == row.AgentSessionID {
			return row, c.occupied(other, "run "+other.UID+" is at it already")
		}
	}
	return row, nil
}

// occupied refuses to run a session twice at once.
func (c call) occupied(by store.Execution, why string) error {
	return &verbError{
		thing: c.verb, err: fmt.Errorf("%w: %s (process %d)", store.ErrConflict, why, by.Launch.Child.PID),
		try: program + " show " + by.UID,
	}
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
