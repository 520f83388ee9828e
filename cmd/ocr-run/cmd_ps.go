package main

import (
	"context"
	"slices"

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
control), gone (its wrapper is dead and the run will be settled), queued (it waits
for its turn in its flow), or else what the run does: working, quiet, idle, waiting
for you, limited, and so on.
LIGHTS are B: the wrapper beats, P: processes work, O: output grows, T: the turn or
the workflow moves on; - for one that is out, ? for one that nobody can see.
--tree draws each run below the one it was started in, and below its flow, with
the flows that are open.`,
		flags:    []flagSpec{workspaceSpec(), {name: "tree", usage: "draw what belongs to what"}, jsonSpec()},
		exits:    listingExits(),
		examples: []string{"ocr-run ps", "ocr-run ps --tree", "ocr-run ps --workspace . --json"},
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
	if c.flags.Bool("tree") {
		return c.printForest(ctx, workspace)
	}
	all, err := c.executions(ctx, store.Filter{Over: new(false), Workspace: workspace})
	if err != nil {
		return err
	}
	return c.printList(all, render.PS)
}

// printForest prints the runs that have not ended and the flows that are open as
// trees.
func (c call) printForest(ctx context.Context, workspace string) error {
	var forest []render.Node
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		runs, err := l.Executions(ctx, store.Filter{Over: new(false), Workspace: workspace})
		if err != nil {
			return c.failed(err)
		}
		slices.Reverse(runs) // what began first stands first in a tree
		flows, err := l.Flows(ctx, store.FlowFilter{Open: true, Workspace: workspace})
		if err != nil {
			return c.failed(err)
		}
		views := make([]render.Flow, 0, len(flows))
		for _, f := range slices.Backward(flows) {
			view, err := c.flowView(ctx, l, f)
			if err != nil {
				return err
			}
			views = append(views, *view)
		}
		forest = c.tree(ctx, l, runs, views)
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		c.hintNoLedger()
	}
	return c.printEither(func() string { return render.Tree(c.style(), forest) }, func() ([]byte, error) { return render.TreeJSON(forest) })
}

// executions reads a list of runs and judges them.
func (c call) executions(ctx context.Context, f store.Filter) ([]render.Execution, error) {
	var all []render.Execution
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		rows, err := l.Executions(ctx, f)
		if err != nil {
			return c.failed(err)
		}
		all = slices.DeleteFunc(c.views(ctx, l, rows), func(e render.Execution) bool {
			return f.Over != nil && *f.Over != (e.EndedAt != nil) // it ended meanwhile
		})
		return nil
	})
	if err == nil && !found {
		c.hintNoLedger()
	}
	return all, err
}

// printList prints a list as JSON or as the table given.
func (c call) printList(all []render.Execution, table func(render.Style, []render.Execution) string) error {
	return c.printEither(func() string { return table(c.style(), all) }, func() ([]byte, error) { return render.ExecutionsJSON(all) })
}
