package main

import (
	"context"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// advanceVerb moves a workflow to a phase.
func advanceVerb() verb {
	return verb{
		name:    "state advance",
		aliases: []string{"transition"},
		brief:   "enter a phase of the work",
		about: `Enters a phase. A session may stay in its phase or go to the next one. Naming
another round or map run than the current one begins it, in its first phase.`,
		flags: []flagSpec{
			{name: "phase", value: "PHASE", usage: "the phase to enter (required)"},
			sessionSpec(),
			{name: "current-round", value: "N", usage: "the round of a review"},
			{name: "current-map-run", value: "N", usage: "the run of a map"},
			{name: "phase-number", value: "N", usage: "accepted and ignored: the name decides"},
		},
		exits:      stateExits(exitAmbiguous, exitNotFound, exitTransition, exitInvariant),
		examples:   []string{"ocr-run state advance --phase analysis", "ocr-run state advance --phase context --current-round 2"},
		run:        runAdvance,
		handedOver: true,
	}
}

// runAdvance moves the workflow.
func runAdvance(ctx context.Context, c call) error {
	phase := lifecycle.Phase(c.flags.String("phase"))
	if phase == "" {
		return c.usage("--phase is required: of a review one of %s; of a map one of %s",
			joined(lifecycle.Phases(lifecycle.KindReview)), joined(lifecycle.Phases(lifecycle.KindMap)))
	}
	round, err := c.roundFlag("current-round", "current-map-run")
	if err != nil {
		return err
	}
	return c.inLedger(ctx, true, func(l *store.Ledger) error {
		w, err := c.session(ctx, l)
		if err != nil {
			return err
		}
		if err := c.takeUp(ctx, l, w); err != nil {
			return c.refused(w, err)
		}
		moved, err := l.AdvanceWorkflow(ctx, store.Advance{ID: w.ID, Phase: phase, Round: round, At: c.now()})
		if err != nil {
			return c.refused(w, err)
		}
		return c.printText(fmt.Sprintf("%s: %s\n", moved.ID, moved.Phase))
	})
}

// roundFlag is the round either of two flags gives, which are two names of one
// number.
func (c call) roundFlag(review, mapping string) (int, error) {
	a, err := c.number(review)
	if err != nil {
		return 0, err
	}
	b, err := c.number(mapping)
	if err != nil {
		return 0, err
	}
	if a != 0 && b != 0 && a != b {
		return 0, c.usage("--%s %d and --%s %d contradict each other", review, a, mapping, b)
	}
	return max(a, b), nil
}
