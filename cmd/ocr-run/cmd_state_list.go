package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// stateListVerb lists workflows.
func stateListVerb() verb {
	return verb{
		name:  "state list",
		brief: "list the sessions of a workspace",
		about: "Lists the sessions of a workspace, newest first.",
		flags: []flagSpec{
			{name: "workspace", value: "DIR", usage: "the workspace that DIR belongs to (default this one)"},
			{name: "limit", value: "N", fallback: "50", usage: "at most N sessions, 0 for all"},
			jsonSpec(),
		},
		exits:    stateExits(),
		examples: []string{"ocr-run state list", "ocr-run state list --json"},
		run:      runStateList,
		inHost:   hostList,
	}
}

// sessionList is what "state list --json" prints.
type sessionList struct {
	SchemaVersion int           `json:"schema_version"`
	Sessions      []sessionView `json:"sessions"`
}

// runStateList prints the workflows. No ledger is an empty one.
func runStateList(ctx context.Context, c call) error {
	limit, err := c.limit("sessions")
	if err != nil {
		return err
	}
	workspace, err := c.workspaceFlag()
	if err != nil {
		return err
	}
	if workspace == "" {
		workspace = c.workspace()
	}
	var all []store.Workflow
	_, err = c.reading(ctx, func(l *store.Ledger) error {
		if all, err = l.Workflows(ctx, workspace, limit); err != nil {
			return c.failed(err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerList(all)
}

// answerList prints workflows, flows excepted.
func (c call) answerList(all []store.Workflow) error {
	list := sessionList{SchemaVersion: render.SchemaVersion, Sessions: []sessionView{}}
	for _, w := range all {
		if w.Kind != lifecycle.KindFlow {
			list.Sessions = append(list.Sessions, sessionOf(w))
		}
	}
	return c.answer(list, listText(list.Sessions))
}

// listText is one line for each session.
func listText(all []sessionView) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "%s  %s  %s  phase %s  %s\n", render.Plain(s.ID), s.WorkflowType, s.Status, s.CurrentPhase, s.Completeness)
	}
	return b.String()
}
