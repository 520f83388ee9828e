package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
)

// flowShowVerb tells everything about one flow.
func flowShowVerb() verb {
	return verb{
		name:     "flow show",
		operands: "[FLOW]",
		brief:    "show one flow with the tree of its runs",
		about: `Shows one flow: its state and why it is in it, what it amounts to, and the tree
of its runs with their states, times and causes. Without FLOW the flow is meant
that this run is part of.`,
		most:  1,
		flags: []flagSpec{jsonSpec()},
		exits: []exitLine{
			{exitOK, "shown"},
			{exitError, "the ledger cannot be read"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several flows answer to FLOW; some of them are named"},
			{exitNotFound, "no flow answers to FLOW"},
			{exitBusy, "another process keeps the ledger locked"},
		},
		examples: []string{"ocr-run flow show nightly", "ocr-run flow show nightly --json | jq .flow.outcome"},
		run: func(ctx context.Context, c call) error {
			return c.showFlow(ctx, c.operand())
		},
	}
}

// showFlow prints a flow with its tree.
func (c call) showFlow(ctx context.Context, name string) error {
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		id, err := c.flowID(ctx, l, name)
		if err != nil {
			return err
		}
		f, err := l.Flow(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return c.unknownFlow(name)
		}
		if err != nil {
			return c.failed(err)
		}
		return c.printFlow(ctx, l, f)
	})
	if err == nil && !found {
		return c.unknownFlow(name)
	}
	return err
}

// printFlow prints it as JSON or for a person.
func (c call) printFlow(ctx context.Context, l *store.Ledger, f store.Flow) error {
	view, tree, err := c.flowTree(ctx, l, f)
	if err != nil {
		return err
	}
	return c.printEither(func() string { return render.FlowText(c.style(), view) + render.Tree(c.style(), tree) }, func() ([]byte, error) { return render.FlowShownJSON(view, tree) })
}

// flowTree is a flow with all that was run in it, and in that.
func (c call) flowTree(ctx context.Context, l *store.Ledger, f store.Flow) (render.Flow, []render.Node, error) {
	children, err := l.FlowExecutions(ctx, f.ID)
	if err != nil {
		return render.Flow{}, nil, c.failed(err)
	}
	nested, err := l.Below(ctx, uidsOf(children)...)
	if err != nil {
		return render.Flow{}, nil, c.failed(err)
	}
	c.joinHosts(ctx, children)
	all := slices.Concat(children, nested)
	slices.SortStableFunc(all, func(a, b store.Execution) int { return cmp.Compare(a.At.WallMS, b.At.WallMS) })
	return flowViewOf(f, children), c.tree(ctx, l, all, nil), nil
}

// uidsOf are the names of runs.
func uidsOf(all []store.Execution) []string {
	uids := make([]string, 0, len(all))
	for _, e := range all {
		uids = append(uids, e.UID)
	}
	return uids
}

// flowListVerb lists flows.
func flowListVerb() verb {
	return verb{
		name:  "flow list",
		brief: "list flows, newest first",
		about: `Lists flows in all workspaces, newest first, with what they amount to and how
their runs do.`,
		flags: []flagSpec{
			{name: "open", usage: "only flows that have not ended, or in which something still runs"},
			workspaceSpec(),
			{name: "limit", value: "N", fallback: "50", usage: "at most N flows, 0 for all"},
			jsonSpec(),
		},
		exits:    listingExits(),
		examples: []string{"ocr-run flow list --open", "ocr-run flow list --workspace . --json"},
		run:      runFlowList,
	}
}

// runFlowList prints the list.
func runFlowList(ctx context.Context, c call) error {
	workspace, err := c.workspaceFlag()
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(c.flags.String("limit"))
	if err != nil || limit < 0 {
		return c.usage("--limit: %q is no number of at least 0", c.flags.String("limit"))
	}
	var views []render.Flow
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		all, err := l.Flows(ctx, store.FlowFilter{Open: c.flags.Bool("open"), Workspace: workspace, Limit: limit})
		if err != nil {
			return c.failed(err)
		}
		for _, f := range all {
			view, err := c.flowView(ctx, l, f)
			if err != nil {
				return err
			}
			views = append(views, *view)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		c.hintNoLedger()
	}
	return c.printEither(func() string { return render.FlowTable(c.style(), views) }, func() ([]byte, error) { return render.FlowsJSON(views) })
}
