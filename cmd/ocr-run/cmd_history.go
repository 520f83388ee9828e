package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
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
		exits:    []exitLine{{exitOK, "listed, also when there is nothing to list"}, {exitError, "the ledger cannot be read"}, {exitUsage, "usage error"}},
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
	all = withOutcome(all, outcomes)
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return c.printList(all, render.History)
}

// historyFilter is what the flags ask for.
func historyFilter(c call) (outcomes []string, limit int, f store.Filter, err error) {
	outcomes = c.flags.StringSlice("outcome")
	for _, o := range outcomes {
		if o == string(lifecycle.OutcomeRunning) || !slices.Contains(lifecycle.Outcomes(), lifecycle.Outcome(o)) {
			return nil, 0, f, c.usage("--outcome: %q is none of success, incomplete, failed, cancelled", o)
		}
	}
	if limit, err = strconv.Atoi(c.flags.String("limit")); err != nil || limit < 0 {
		return nil, 0, f, c.usage("--limit: %q is no number of runs", c.flags.String("limit"))
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
