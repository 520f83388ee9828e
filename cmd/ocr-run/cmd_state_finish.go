package main

import (
	"context"

	"github.com/ocr-run/ocr-run/lifecycle"
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
asked to stop, except the one that calls this and those it was started in.`,
		flags: []flagSpec{
			sessionSpec(),
			{name: "abort", usage: "give the work up"},
		},
		exits:      stateExits(exitAmbiguous, exitNotFound, exitInvariant),
		examples:   []string{"ocr-run state finish", "ocr-run state finish --session-id 2026-01-31-my-branch --abort"},
		run:        runFinish,
		handedOver: true,
	}
}

// runFinish closes the workflow. Runs that are dead are settled first: nobody is
// left to be asked to stop.
func runFinish(ctx context.Context, c call) error {
	return c.inLedger(ctx, true, func(l *store.Ledger) error {
		w, err := c.session(ctx, l)
		if err != nil {
			return err
		}
		if err := c.takeUp(ctx, l, w); err != nil {
			return c.refused(w, err)
		}
		c.bringUpToDate(ctx, l)
		closed, already, err := l.FinishWorkflow(ctx, store.FinishWorkflow{
			ID: w.ID, UID: c.ownUID(), Abort: c.flags.Bool("abort"), At: c.now(),
		})
		if err != nil {
			return c.refused(w, err)
		}
		if already {
			c.note("session %s is already closed", closed.ID)
		}
		return c.printText(closed.ID + ": " + closedAs(closed) + "\n")
	})
}

// closedAs says how a session was closed, whoever asked for what.
func closedAs(w store.Workflow) string {
	switch w.CloseReason {
	case string(lifecycle.EventSessionClosed):
		return "finished"
	case string(lifecycle.EventSessionAborted):
		return "aborted"
	default:
		return "closed"
	}
}
