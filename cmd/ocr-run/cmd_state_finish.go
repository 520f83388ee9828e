package main

import (
	"context"

	"github.com/ocr-run/ocr-run/store"
)

// finishVerb closes a workflow.
func finishVerb() verb {
	return verb{
		name:    "state finish",
		aliases: []string{"close", "close-session"},
		brief:   "close a session whose work is complete, or abort it",
		about: `Closes a session. Its current round must be complete; --abort closes it all the
same, and the work counts as unfinished for ever. Runs that still work on it are
asked to stop, the one that calls this excepted.`,
		flags: []flagSpec{
			sessionSpec(),
			{name: "abort", usage: "give the work up"},
		},
		exits:    stateExits(exitAmbiguous, exitNotFound, exitInvariant),
		examples: []string{"ocr-run state finish", "ocr-run state finish --session-id 2026-01-31-my-branch --abort"},
		run:      runFinish,
	}
}

// runFinish closes the workflow.
func runFinish(ctx context.Context, c call) error {
	return c.inLedger(ctx, true, func(l *store.Ledger) error {
		w, err := c.session(ctx, l)
		if err != nil {
			return err
		}
		if err := c.takeUp(ctx, l, w); err != nil {
			return c.refused(w, err)
		}
		abort := c.flags.Bool("abort")
		closed, already, err := l.FinishWorkflow(ctx, store.FinishWorkflow{ID: w.ID, UID: c.ownUID(), Abort: abort, At: c.now()})
		switch {
		case err != nil:
			return c.refused(w, err)
		case already:
			c.note("session %s is already closed", closed.ID)
			return nil
		case abort:
			return c.printText(closed.ID + ": aborted\n")
		default:
			return c.printText(closed.ID + ": finished\n")
		}
	})
}
