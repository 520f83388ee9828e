package main

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// stateVerbs are the verbs with which an agent reports how far its work is.
// Names, flags, JSON and exit codes are those of Open Code Review's own state
// command, so that instructions written for it work unchanged.
func stateVerbs() []verb {
	all := []verb{
		beginVerb(), advanceVerb(), completeRoundVerb(), completeMapVerb(),
		finishVerb(), statusVerb(), stateShowVerb(), stateListVerb(), syncVerb(), reconcileVerb(),
	}
	for i, v := range all {
		all[i] = withPlainWords(v)
	}
	return all
}

// stateExits are the exit codes of the state verbs, by the codes they can give.
func stateExits(codes ...int) []exitLine {
	all := []exitLine{
		{exitOK, "done"},
		{exitError, "the ledger cannot be used"},
		{exitUsage, "usage error"},
		{exitAmbiguous, "several sessions are open; they are listed"},
		{exitNotFound, "no such session"},
		{exitTransition, "illegal phase transition"},
		{exitInvariant, "a rule is not met; nothing was changed"},
		{exitSchema, "the document is not valid; nothing was changed"},
		{exitBusy, "the ledger is busy"},
	}
	return slices.DeleteFunc(all, func(l exitLine) bool {
		return l.code != exitOK && l.code != exitError && l.code != exitUsage && l.code != exitBusy && !slices.Contains(codes, l.code)
	})
}

// number is a flag's positive number, 0 when it was not given.
func (c call) number(flag string) (int, error) {
	text := c.flags.String(flag)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, c.usage("--%s: %q is no number from 1", flag, text)
	}
	return n, nil
}

// refused explains why the ledger did not make a change: a rule stood against
// it, or it was in trouble.
func (c call) refused(w store.Workflow, err error) error {
	phase, illegal := errors.AsType[*lifecycle.PhaseError](err)
	switch {
	case illegal && phase.Foreign:
		next := cmp.Or(lifecycle.NextPhase(w.Kind, phase.From), lifecycle.FirstPhase(w.Kind))
		return &verbError{thing: c.verb, err: err, try: program + " " + c.verb + " --phase " + string(next)}
	case illegal, errors.Is(err, store.ErrInvariant), errors.Is(err, store.ErrConflict):
		return &verbError{thing: c.verb, err: err, try: program + " state status --session-id " + w.ID}
	default:
		return c.failed(err)
	}
}

// answer prints a result, as JSON when that was asked for.
func (c call) answer(object any, text string) error {
	return c.printEither(func() string { return text }, func() ([]byte, error) { return render.JSON(object) })
}
