package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// beginVerb starts a workflow.
func beginVerb() verb {
	return verb{
		name:    "state begin",
		aliases: []string{"init"},
		brief:   "begin a review or map, or its next round",
		about: `Begins a session of work, linked to the run this is called in. A session that
was closed, or whose round is complete, is opened again for its next round; one
that is still at work is not.`,
		flags: []flagSpec{
			{name: "session-id", value: "ID", usage: "its name, as in 2026-01-31-my-branch (required)"},
			{name: "branch", value: "NAME", usage: "the branch the work is on (required)"},
			{name: "workflow-type", value: "TYPE", usage: "review or map (required)"},
			{name: "session-dir", value: "DIR", usage: "where the work keeps its files"},
			{name: "dashboard-uid", value: "UID", usage: "the run to link instead of the one this is called in"},
			jsonSpec(),
		},
		exits:    stateExits(exitInvariant),
		examples: []string{"ocr-run state begin --session-id 2026-01-31-my-branch --branch my-branch --workflow-type review"},
		run:      runBegin,
	}
}

// begun is what "state begin --json" prints.
type begun struct {
	SchemaVersion int    `json:"schema_version"`
	SessionID     string `json:"session_id"`
	Round         int    `json:"round"`
	Phase         string `json:"phase"`
	Completeness  string `json:"completeness"`
}

// runBegin begins a workflow and links the run.
func runBegin(ctx context.Context, c call) error {
	b, err := c.beginRequest()
	if err != nil {
		return err
	}
	return c.inLedger(ctx, true, func(l *store.Ledger) error {
		if err := c.placeSession(ctx, l, &b); err != nil {
			return err
		}
		w, result, err := l.BeginWorkflow(ctx, b)
		if err != nil {
			// Refused because it is under way: a run that wants to begin it again
			// answers for it all the same.
			return c.refused(store.Workflow{ID: b.ID, Kind: b.Kind}, errors.Join(err, c.takeUpNamed(ctx, l, b.ID)))
		}
		c.noteLink(w, b.UID, result.Linked)
		return c.answer(begun{
			SchemaVersion: render.SchemaVersion, SessionID: w.ID, Round: w.Round,
			Phase: string(w.Phase), Completeness: string(w.Completeness()),
		}, fmt.Sprintf("%s: round %d, phase %s (%s)\n", w.ID, w.Round, w.Phase, w.Completeness()))
	})
}

// beginRequest is what the flags ask for.
func (c call) beginRequest() (store.Begin, error) {
	for _, required := range []string{"session-id", "branch", "workflow-type"} {
		if strings.TrimSpace(c.flags.String(required)) == "" {
			return store.Begin{}, c.usage("--%s is required", required)
		}
	}
	kind := lifecycle.Kind(c.flags.String("workflow-type"))
	if kind != lifecycle.KindReview && kind != lifecycle.KindMap {
		return store.Begin{}, c.usage("--workflow-type: %q is neither review nor map", kind)
	}
	reader := flagReader{flags: c.flags}
	return store.Begin{
		ID:         c.flags.String("session-id"),
		Kind:       kind,
		Branch:     c.flags.String("branch"),
		Workspace:  c.workspace(),
		SessionDir: reader.path("session-dir", c.dir),
		UID:        c.ownUID(),
		At:         c.now(),
	}, nil
}

// placeSession gives a workflow its name in the ledger and checks that one of
// that name is of the same kind.
func (c call) placeSession(ctx context.Context, l *store.Ledger, b *store.Begin) error {
	have, err := l.Workflow(ctx, b.ID)
	if err == nil && have.Workspace != b.Workspace {
		b.ID = scopedID(b.ID, b.Workspace)
		have, err = l.Workflow(ctx, b.ID)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return c.failed(err)
	case have.Kind != b.Kind:
		return c.usage("session %s is a %s, not a %s", have.ID, have.Kind, b.Kind)
	default:
		return nil
	}
}

// noteLink says whether the run now counts as working on the session.
func (c call) noteLink(w store.Workflow, uid string, linked bool) {
	switch {
	case linked:
		c.note("linked session %s to run %s", w.ID, uid)
	case uid == "":
		c.note("session %s is linked to no run: not called inside ocr-run", w.ID)
	default:
		c.note("session %s is linked to no run: the ledger knows no live run %s", w.ID, uid)
	}
}
