package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store"
)

// showVerb tells everything about one run.
func showVerb() verb {
	return verb{
		name:     "show",
		operands: "UID",
		brief:    "show one run: how it ended, how far its work got, what to do next",
		about: `Shows one run: how its process ended, how far its work got, what follows from
both, the evidence, the time awake and asleep, what it left behind, and the next
step; and the tree of the runs that were started in it. UID is a unique beginning
or end of the run's uid, as the tables show it. The id of a flow shows the flow.`,
		least:    1,
		most:     1,
		flags:    []flagSpec{jsonSpec()},
		exits:    readingExits(),
		examples: []string{"ocr-run show 1f0c9a2e", "ocr-run show 1f0c9a2e --json | jq .outcome"},
		run:      runShow,
	}
}

// readingExits are the exit codes of the verbs that read about one run.
func readingExits() []exitLine {
	return []exitLine{
		{exitOK, "shown"},
		{exitError, "the ledger cannot be read"},
		{exitUsage, "usage error"},
		{exitAmbiguous, "several runs answer to UID; some of them are named"},
		{exitNotFound, "no run answers to UID"},
		{exitBusy, "another process keeps the ledger locked"},
	}
}

// runShow prints one run.
func runShow(ctx context.Context, c call) error {
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		row, err := c.execution(ctx, l, c.words[0])
		if err != nil {
			return err
		}
		return c.printRun(ctx, l, row)
	})
	if err == nil && !found {
		err = c.unknownRun(c.words[0])
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if flow := c.showFlow(ctx, c.words[0]); !errors.Is(flow, store.ErrNotFound) {
		return flow
	}
	return c.showForeign(ctx, err)
}

// printRun prints a run of ours with what went on with it and what was started in it.
func (c call) printRun(ctx context.Context, l *store.Ledger, row store.Execution) error {
	view := c.views(ctx, l, []store.Execution{row})[0]
	view.Attempts = attemptsView(chain(ctx, l, row))
	if c.flags.Bool("json") {
		return c.printExecution(view)
	}
	switch next, err := l.SuccessorOf(ctx, row.UID); {
	case err == nil:
		view.Successor = &attemptsView([]store.Execution{next})[0]
	case !errors.Is(err, store.ErrNotFound):
		return c.failed(err)
	}
	flow, err := c.openWorkflow(ctx, l, row.FlowID)
	if err != nil {
		return err
	}
	view.Again = again(row, flow, c.dir)
	if err := c.printExecution(view); err != nil {
		return err
	}
	below, err := l.Below(ctx, row.UID)
	if err != nil || len(below) == 0 {
		return err
	}
	all := append([]store.Execution{row}, below...)
	return c.printText(render.Tree(c.style(), c.tree(ctx, l, all, nil)))
}

// showForeign prints a run that only the host of this directory knows; unknown is
// what to say when it does not.
func (c call) showForeign(ctx context.Context, unknown error) error {
	name := c.words[0]
	all := c.foreignNamed(ctx, name)
	switch len(all) {
	case 0:
		return unknown
	case 1:
		return c.printExecution(all[0])
	}
	ambiguous := &store.AmbiguousError{Name: name}
	for _, e := range all {
		ambiguous.Candidates = append(ambiguous.Candidates, e.UID)
	}
	return c.ambiguous(ambiguous)
}

// ambiguous says that several runs answer to a name. Uids begin alike, with their time.
func (c call) ambiguous(err error) error {
	return &verbError{thing: c.verb, err: err, try: program + " history, and name the run by the end of its uid"}
}

// printExecution prints one run as JSON or for a person.
func (c call) printExecution(e render.Execution) error {
	return c.printEither(func() string { return render.Show(c.style(), e) }, func() ([]byte, error) { return render.ExecutionJSON(e) })
}

// execution is the run a name stands for.
func (c call) execution(ctx context.Context, l *store.Ledger, name string) (store.Execution, error) {
	uid, err := c.resolveUID(ctx, l, name)
	if err != nil {
		return store.Execution{}, err
	}
	row, err := l.Execution(ctx, uid)
	if err != nil {
		return store.Execution{}, c.failed(err)
	}
	return row, nil
}

// resolveUID finds the one run a name stands for.
func (c call) resolveUID(ctx context.Context, l *store.Ledger, name string) (string, error) {
	uid, err := l.Resolve(ctx, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", c.unknownRun(name)
	case errors.Is(err, store.ErrAmbiguous):
		return "", c.ambiguous(err)
	case err != nil:
		return "", c.failed(err)
	default:
		return uid, nil
	}
}

// unknownRun says that no run answers to a name.
func (c call) unknownRun(name string) error {
	return &verbError{
		thing: c.verb,
		err:   fmt.Errorf("no run answers to %q: %w", name, store.ErrNotFound),
		try:   program + " history",
	}
}
