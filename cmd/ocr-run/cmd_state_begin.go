package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
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
			{name: "session-dir", value: "DIR", usage: "where the work keeps its files (default .ocr/sessions/ID)"},
			{name: "dashboard-uid", value: "UID", usage: "the run to link instead of the one this is called in"},
			{name: "base-ref", value: "REF", usage: "what the work is compared with; kept in the history"},
			{name: "head-ref", value: "REF", usage: "what the work is on; kept in the history"},
			{name: "head-sha", value: "SHA", usage: "the commit the work is on; kept in the history"},
			{name: "pr-number", value: "N", usage: "the pull request; kept in the history"},
			{name: "pr-url", value: "URL", usage: "its address; kept in the history"},
			jsonSpec(),
		},
		exits:      stateExits(exitInvariant),
		examples:   []string{"ocr-run state begin --session-id 2026-01-31-my-branch --branch my-branch --workflow-type review"},
		run:        runBegin,
		handedOver: true,
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
		w, result, err := l.BeginWorkflow(ctx, b)
		if err != nil {
			return c.notBegun(ctx, l, b, w, err)
		}
		c.noteLink(w, b.UID, result.Linked)
		c.makeDirectory(w)
		state, err := c.beginningOf(ctx, l, w, b.UID)
		if err != nil {
			return err
		}
		return c.answer(begun{
			SchemaVersion: render.SchemaVersion, SessionID: w.ID, Round: w.Round, Phase: string(w.Phase), Completeness: string(state),
		}, fmt.Sprintf("%s: round %d, phase %s (%s)\n", w.ID, w.Round, w.Phase, state))
	})
}

// notBegun explains why a session was not begun. Refused because it is under
// way: a run that wants to begin it again answers for it all the same.
func (c call) notBegun(ctx context.Context, l *store.Ledger, b store.Begin, w store.Workflow, err error) error {
	if kind, ok := errors.AsType[*store.KindError](err); ok {
		return c.usage("session %s is a %s, not a %s", kind.ID, kind.Have, kind.Want)
	}
	if w.ID == "" || !errors.Is(err, store.ErrInvariant) {
		return c.refused(store.Workflow{ID: b.ID, Kind: b.Kind}, err)
	}
	return c.refused(w, errors.Join(err, c.takeUp(ctx, l, w)))
}

// beginningOf is the completeness a session begins with. The run that begins it
// is not yet at work on it.
func (c call) beginningOf(ctx context.Context, l *store.Ledger, w store.Workflow, uid string) (lifecycle.Completeness, error) {
	others, err := l.OthersAtWork(ctx, w.ID, uid)
	if err != nil {
		return "", c.failed(err)
	}
	return lifecycle.CompletenessOf(w.Status.Closed(), w.HasArtifact, others > 0), nil
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
	id, reader := c.flags.String("session-id"), flagReader{flags: c.flags}
	dir := reader.path("session-dir", c.dir)
	if err := sessionName(id, dir != ""); err != nil {
		return store.Begin{}, c.usage("--session-id: %q: %w", id, err)
	}
	if dir == "" {
		dir = filepath.Join(c.sessionRoot(), id)
	}
	refs, err := c.refs()
	if err != nil {
		return store.Begin{}, err
	}
	return store.Begin{
		ID: id, ScopedID: scopedID(id, c.workspace()), Kind: kind, Branch: c.flags.String("branch"),
		Workspace: c.workspace(), SessionDir: filepath.Clean(dir), UID: c.ownUID(), Payload: refs, At: c.now(),
	}, nil
}

// refs is what was said about the change the work is on, as JSON; nil when
// nothing was.
func (c call) refs() ([]byte, error) {
	said := map[string]any{}
	for _, flag := range []string{"base-ref", "head-ref", "head-sha", "pr-url"} {
		if v := c.flags.String(flag); v != "" {
			said[strings.ReplaceAll(flag, "-", "_")] = v
		}
	}
	n, err := c.number("pr-number")
	if err != nil {
		return nil, err
	}
	if n != 0 {
		said["pr_number"] = n
	}
	if len(said) == 0 {
		return nil, nil
	}
	return json.Marshal(said)
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
