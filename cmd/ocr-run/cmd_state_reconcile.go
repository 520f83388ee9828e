package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// reconcileVerb brings sessions into agreement with their events and files.
func reconcileVerb() verb {
	return verb{
		name:  "state reconcile",
		brief: "repair sessions that say something else than their history",
		about: `Closes the sessions of the workspace that nobody has touched for 7 days and no run
works on, and gives a closed session that nothing accounts for the event it lacks:
that its round is complete, where its report proves it, or that it is a legacy.
Doing it again changes nothing.`,
		flags: []flagSpec{
			{name: "dry-run", usage: "say what would be done, and do nothing"},
			jsonSpec(),
		},
		exits:      stateExits(),
		examples:   []string{"ocr-run state reconcile --dry-run", "ocr-run state reconcile --json"},
		run:        runReconcile,
		handedOver: true,
	}
}

// reconciled is what "state reconcile --json" prints.
type reconciled struct {
	SchemaVersion int               `json:"schema_version"`
	DryRun        bool              `json:"dryRun"`
	Actions       []reconcileAction `json:"actions"`
}

// reconcileAction is what became of one session.
type reconcileAction struct {
	SessionID string `json:"sessionId"`
	Kind      string `json:"kind"`
	Detail    string `json:"detail"`
}

// runReconcile repairs the sessions. Runs that are dead are settled first: they
// keep nothing open.
func runReconcile(ctx context.Context, c call) error {
	result := reconciled{SchemaVersion: render.SchemaVersion, DryRun: c.flags.Bool("dry-run"), Actions: []reconcileAction{}}
	_, err := c.reading(ctx, func(l *store.Ledger) error {
		all, err := l.WorkflowHistories(ctx, c.workspace())
		if err != nil {
			return c.failed(err)
		}
		for _, h := range all {
			action, err := c.reconcile(ctx, l, h)
			if err != nil {
				return c.failed(err)
			}
			result.Actions = append(result.Actions, action)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(result, reconciledText(result))
}

// reconcile decides what a session needs, and does it.
func (c call) reconcile(ctx context.Context, l *store.Ledger, h store.WorkflowHistory) (reconcileAction, error) {
	at := c.now()
	request := store.RepairRequest{ID: h.ID, At: at}
	if hasReport(h.SessionDir, h.Kind, h.Round) {
		request.ReportRound = h.Round
	}
	what := lifecycle.RepairFor(h.Facts(request.ReportRound == h.Round, at))
	if what != lifecycle.RepairNone && !c.flags.Bool("dry-run") {
		var err error
		if h, what, err = l.RepairWorkflow(ctx, request); err != nil {
			return reconcileAction{}, err
		}
	}
	return reconcileAction{SessionID: h.ID, Kind: string(what), Detail: repairDetail(what, h, at)}, nil
}

// repairDetail says why a session needs a repair.
func repairDetail(what lifecycle.Repair, h store.WorkflowHistory, at store.Instant) string {
	switch what {
	case lifecycle.RepairNone:
		return "consistent"
	case lifecycle.RepairRound:
		return fmt.Sprintf("final.md present for round %d; synthesizing round_completed", h.Round)
	case lifecycle.RepairMap:
		return fmt.Sprintf("map.md present for run %d; synthesizing map_completed", h.Round)
	case lifecycle.RepairGrandfather:
		return "no provable artifact; recording session_legacy_import"
	case lifecycle.RepairStale:
		days := (at.WallMS - h.LastEventMS) / (24 * 60 * 60 * 1000)
		return fmt.Sprintf("active, last event %dd ago, no in-flight dependents", days)
	}
	return ""
}

// reconciledText is the result for a person; sessions that need nothing are left
// out.
func reconciledText(r reconciled) string {
	var lines strings.Builder
	repairs := 0
	for _, a := range r.Actions {
		if a.Kind == string(lifecycle.RepairNone) {
			continue
		}
		repairs++
		fmt.Fprintf(&lines, "  %s  %s\n    %s\n", a.Kind, render.Plain(a.SessionID), a.Detail)
	}
	switch {
	case repairs == 0:
		return "Nothing to reconcile: all sessions are consistent.\n"
	case r.DryRun:
		return fmt.Sprintf("Reconciliation plan (%d change(s), dry run):\n%s", repairs, lines.String())
	default:
		return fmt.Sprintf("Reconciled %d session(s):\n%s", repairs, lines.String())
	}
}
