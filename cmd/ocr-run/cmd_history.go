package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// historyVerb lists the runs that have ended.
func historyVerb() verb {
	return verb{
		name:  "history",
		brief: "list the runs that have ended",
		about: `Lists the runs that have ended, newest first. Outcome and cause are judged as
they are read, by what is known now.`,
		flags: []flagSpec{
			{name: "outcome", value: "OUTCOME", many: true, usage: "only this outcome: success, incomplete, failed or cancelled (repeatable)"},
			{name: "since", value: "WHEN", usage: "only runs started since then: 2h, 2d or an RFC 3339 time"},
			workspaceSpec(),
			{name: "limit", value: "N", fallback: "50", usage: "at most N runs, 0 for all"},
			jsonSpec(),
		},
		exits:    listingExits(),
		examples: []string{"ocr-run history", "ocr-run history --outcome incomplete --since 2d", "ocr-run history --workspace . --limit 5 --json"},
		run:      runHistory,
	}
}

// runHistory prints the list. An outcome is not in the ledger, so the limit is
// applied after the runs have been judged.
func runHistory(ctx context.Context, c call) error {
	outcomes, limit, f, err := historyFilter(c)
	if err != nil {
		return err
	}
	all, err := c.executions(ctx, f)
	if err != nil {
		return err
	}
	all = withOutcome(newestFirst(append(all, c.foreignHistory(ctx, f, all)...)), outcomes)
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return c.printList(all, render.History)
}

// unendedMost is how many of the host's newest executions may not have ended and still
// leave enough for the limit asked for.
const unendedMost = 50

// foreignHistory are the ended executions of the host of the workspace asked for,
// or of this one.
func (c call) foreignHistory(ctx context.Context, f store.Filter, ours []render.Execution) []render.Execution {
	dir := f.Workspace
	if dir == "" {
		dir = c.dir
	}
	sel := ocrdb.Select{SinceMS: f.SinceMS}
	if f.Limit > 0 {
		sel.Limit = f.Limit + unendedMost
	}
	all := c.foreignRuns(ctx, dir, sel, ours)
	return slices.DeleteFunc(all, func(e render.Execution) bool { return e.Outcome == string(lifecycle.OutcomeRunning) })
}

// newestFirst orders runs by when they started, those that never did by when they
// ended.
func newestFirst(all []render.Execution) []render.Execution {
	when := func(e render.Execution) string {
		for _, at := range []*string{e.StartedAt, e.EndedAt} {
			if at != nil {
				return *at
			}
		}
		return ""
	}
	slices.SortStableFunc(all, func(a, b render.Execution) int { return strings.Compare(when(b), when(a)) })
	return all
}

// historyFilter is what the flags ask for.
func historyFilter(c call) (outcomes []string, limit int, f store.Filter, err error) {
	outcomes = c.flags.StringSlice("outcome")
	for _, o := range outcomes {
		if o == string(lifecycle.OutcomeRunning) || !slices.Contains(lifecycle.Outcomes(), lifecycle.Outcome(o)) {
			return nil, 0, f, c.usage("--outcome: %q is none of success, incomplete, failed, cancelled", o)
		}
	}
	if limit, err = c.limit("runs"); err != nil {
		return nil, 0, f, err
	}
	f = store.Filter{Over: new(true)}
	if f.Workspace, err = c.workspaceFlag(); err != nil {
		return nil, 0, f, err
	}
	if f.SinceMS, err = c.sinceFlag(); err != nil {
		return nil, 0, f, err
	}
	if len(outcomes) == 0 {
		f.Limit = limit
	}
	return outcomes, limit, f, nil
}

// limit is the most things a --limit flag lets through, 0 for all.
func (c call) limit(things string) (int, error) {
	n, err := strconv.Atoi(c.flags.String("limit"))
	if err != nil || n < 0 {
		return 0, c.usage("--limit: %q is no number of %s", c.flags.String("limit"), things)
	}
	return n, nil
}

// sinceFlag is the moment a --since flag means, 0 without one.
func (c call) sinceFlag() (int64, error) {
	text := c.flags.String("since")
	if text == "" {
		return 0, nil
	}
	ms, err := sinceMS(text, c.clock.Now().Wall.UnixMilli())
	if err != nil {
		return 0, c.usage("--since: %w", err)
	}
	return ms, nil
}
