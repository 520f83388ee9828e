package main

import (
	"context"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
)

// psVerb lists the runs that have not ended.
func psVerb() verb {
	return verb{
		name:  "ps",
		brief: "list the runs that have not ended",
		about: `Lists the runs that have not ended, in all workspaces, newest first.
STATE is late (its wrapper lives and is stalled), stopped (suspended by job
control), gone (its wrapper is dead and the run will be settled), or else what the
run does: working, quiet, idle, waiting for you, limited, and so on.
LIGHTS are B: the wrapper beats, P: processes work, O: output grows, T: the turn or
the workflow moves on; - for one that is out, ? for one that nobody can see.`,
		flags:    []flagSpec{workspaceSpec(), jsonSpec()},
		exits:    listingExits(),
		examples: []string{"ocr-run ps", "ocr-run ps --workspace . --json"},
		run:      runPS,
	}
}

// listingExits are the exit codes of the verbs that list runs.
func listingExits() []exitLine {
	return []exitLine{
		{exitOK, "listed, also when there is nothing to list"},
		{exitError, "the ledger cannot be read"},
		{exitUsage, "usage error"},
		{exitBusy, "another process keeps the ledger locked"},
	}
}

// workspaceSpec is the flag that limits a list to one workspace.
func workspaceSpec() flagSpec {
	return flagSpec{name: "workspace", value: "DIR", usage: "only the workspace that DIR belongs to (default all)"}
}

// runPS prints the list.
func runPS(ctx context.Context, c call) error {
	workspace, err := c.workspaceFlag()
	if err != nil {
		return err
	}
	all, err := c.executions(ctx, store.Filter{Over: new(false), Workspace: workspace})
	if err != nil {
		return err
	}
	return c.printList(all, render.PS)
}

// executions reads a list of runs and judges them.
func (c call) executions(ctx context.Context, f store.Filter) ([]render.Execution, error) {
	var all []render.Execution
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		rows, err := l.Executions(ctx, f)
		if err != nil {
			return c.failed(err)
		}
		all = c.views(ctx, rows)
		return nil
	})
	if err == nil && !found {
		c.hintNoLedger()
	}
	return all, err
}

// printList prints a list as JSON or as the table given.
func (c call) printList(all []render.Execution, table func(render.Style, []render.Execution) string) error {
	if !c.flags.Bool("json") {
		return c.printText(table(c.style(), all))
	}
	b, err := render.ExecutionsJSON(all)
	if err != nil {
		return err
	}
	return c.print(b)
}
