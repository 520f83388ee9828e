package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// stateShowVerb shows a workflow with its history.
func stateShowVerb() verb {
	return verb{
		name:  "state show",
		brief: "show a session and its history",
		about: `Shows a session with everything that happened to it. Without --session-id and
with several open it shows the newest; with none it shows nothing, which is no
error. With --json nothing is null.`,
		flags:    []flagSpec{sessionSpec(), jsonSpec()},
		exits:    stateExits(exitNotFound),
		examples: []string{"ocr-run state show", "ocr-run state show --session-id 2026-01-31-my-branch --json"},
		run:      runStateShow,
		inHost:   hostShow,
	}
}

// sessionEvent is an event in the words of Open Code Review.
type sessionEvent struct {
	ID          int64   `json:"id"`
	EventType   string  `json:"event_type"`
	Phase       *string `json:"phase"`
	PhaseNumber *int    `json:"phase_number"`
	Round       *int    `json:"round"`
	// Metadata is JSON inside a string.
	Metadata  *string `json:"metadata"`
	CreatedAt string  `json:"created_at"`
}

// sessionDetail is what "state show --json" prints.
type sessionDetail struct {
	SchemaVersion int            `json:"schema_version"`
	Session       sessionView    `json:"session"`
	Events        []sessionEvent `json:"events"`
}

// runStateShow prints the workflow.
func runStateShow(ctx context.Context, c call) error {
	return c.shown(c.inLedger(ctx, false, func(l *store.Ledger) error {
		c.bringUpToDate(ctx, l)
		w, err := c.sessionToShow(ctx, l)
		if err != nil {
			return err
		}
		events, err := l.Events(ctx, store.EventFilter{WorkflowID: w.ID})
		if err != nil {
			return c.failed(err)
		}
		return c.answer(detailOf(w, events), c.detailText(w, events))
	}))
}

// shown is what became of showing a session. That there is none is an answer.
func (c call) shown(err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	// Nothing is null, also of a name that nothing answers to.
	if answer := c.answer(json.RawMessage("null"), ""); answer != nil {
		return answer
	}
	if c.flags.String("session-id") == "" {
		c.note("no open session in %s", c.workspace())
		return nil
	}
	return err
}

// sessionToShow is session, but takes the newest of several: looking at the
// wrong one harms nothing.
func (c call) sessionToShow(ctx context.Context, l *store.Ledger) (store.Workflow, error) {
	w, err := c.session(ctx, l)
	if !errors.Is(err, store.ErrAmbiguous) {
		return w, err
	}
	open, err := c.openSessions(ctx, l)
	if err != nil {
		return w, err
	}
	return c.newestOf(open)
}

// newestOf is the first of the open workflows.
func (c call) newestOf(open []store.Workflow) (store.Workflow, error) {
	if len(open) == 0 {
		return store.Workflow{}, c.noSession()
	}
	c.note("chose session %s: it is the newest of %d open in %s", open[0].ID, len(open), c.workspace())
	return open[0], nil
}

// detailOf is a workflow with its events as JSON shows them.
func detailOf(w store.Workflow, events []store.Event) sessionDetail {
	d := sessionDetail{SchemaVersion: render.SchemaVersion, Session: sessionOf(w), Events: []sessionEvent{}}
	for _, e := range events {
		d.Events = append(d.Events, sessionEvent{
			ID:          e.Seq,
			EventType:   string(e.Type),
			Phase:       render.OrNull(string(e.Phase)),
			PhaseNumber: render.OrNull(lifecycle.PhaseNumber(w.Kind, e.Phase)),
			Round:       render.OrNull(e.Round),
			Metadata:    render.OrNull(string(e.Payload)),
			CreatedAt:   render.Time(e.AtMS),
		})
	}
	return d
}

// detailText is a workflow with its events for a person.
func (c call) detailText(w store.Workflow, events []store.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s of %s, %s, %s %d, phase %s (%s)\n", render.Plain(w.ID), w.Kind, render.Plain(w.Branch),
		openOrClosed(w), roundWord(w.Kind), w.Round, w.Phase, w.Completeness())
	style := c.style()
	for _, e := range events {
		b.WriteString(render.EventText(style, eventView(e, lifecycle.Verdict{})))
	}
	return b.String()
}
