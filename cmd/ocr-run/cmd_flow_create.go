package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/ocr-run/ocr-run/store"
)

// flowCreateVerb makes a flow.
func flowCreateVerb() verb {
	return verb{
		name:  "flow create",
		brief: "begin a flow: a managed parent of several runs",
		about: `Begins a flow and prints it. A flow is a piece of work of several runs: what
they amount to is joined, and cancelling it ends them all. It belongs to the
workspace it is created in. Doing it twice with one --id finds the flow that is
open and changes nothing.`,
		flags: []flagSpec{
			{name: "goal", value: "TEXT", usage: "what it is for, for people"},
			{name: "id", value: "ID", usage: "its name (default made up)"},
			{name: "owner", value: "NAME", usage: "who it belongs to (default you)"},
			{name: "max-parallel", value: "N", usage: "let at most N of its runs go on at once (default any number)"},
			jsonSpec(),
		},
		exits: []exitLine{
			{exitOK, "created, or open already"},
			{exitError, "persist_failed: the ledger cannot be written"},
			{exitUsage, "usage error"},
			{exitInvariant, "not_managed, owner_mismatch, cancel_requested or terminal: the name is taken"},
			{exitBusy, "persist_failed: another process keeps the ledger locked"},
		},
		examples: []string{
			"ocr-run flow create --goal 'review all services'",
			"flow=$(ocr-run flow create --id nightly --max-parallel 4 --json | jq -r .flow.id)",
		},
		run: runFlowCreate,
	}
}

// runFlowCreate creates it and prints it.
func runFlowCreate(ctx context.Context, c call) error {
	p := flagReader{flags: c.flags}
	n := store.NewFlow{
		ID: p.label("id"), Goal: p.label("goal"), Owner: p.label("owner"), Workspace: c.workspace(),
		MaxParallel: p.positive("max-parallel"), UID: c.get(envRunUID), At: c.now(),
	}
	if p.err != nil {
		return c.usage("%w", p.err)
	}
	if n.Owner == "" {
		n.Owner = c.flowUser()
	}
	if n.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make flow id: %w", err)
		}
		n.ID = id.String()
	}
	l, err := c.openLedger(ctx)
	if err != nil {
		return err
	}
	f, created, refused, err := l.CreateFlow(ctx, n)
	return errors.Join(c.printFlowChanged(ctx, l, n.ID, f, created, refused, err), l.Close())
}
