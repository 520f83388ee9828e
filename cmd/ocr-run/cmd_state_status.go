package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// statusVerb says where a workflow stands and what comes next.
func statusVerb() verb {
	return verb{
		name:     "state status",
		brief:    "say where a session stands and what to do next",
		about:    "Says whether the work of a session is complete, where it stands and what to do next.",
		flags:    []flagSpec{sessionSpec(), jsonSpec()},
		exits:    stateExits(exitAmbiguous, exitNotFound),
		examples: []string{"ocr-run state status", "ocr-run state status --json | jq -r .next_action_kind"},
		run:      runStatus,
		inHost:   hostStatus,
	}
}

// sessionStatus is what "state status --json" prints.
type sessionStatus struct {
	SchemaVersion       int      `json:"schema_version"`
	SessionID           string   `json:"session_id"`
	WorkflowType        string   `json:"workflow_type"`
	Status              string   `json:"status"`
	CurrentPhase        string   `json:"current_phase"`
	CurrentRound        int      `json:"current_round"`
	CurrentMapRun       int      `json:"current_map_run"`
	CompletenessState   string   `json:"completeness_state"`
	HasTerminalArtifact bool     `json:"has_terminal_artifact"`
	MarkedClosed        bool     `json:"marked_closed"`
	DependentsSettled   bool     `json:"dependents_settled"`
	NextAction          string   `json:"next_action"`
	NextActionKind      string   `json:"next_action_kind"`
	RemainingPhases     []string `json:"remaining_phases,omitempty"`
}

// runStatus prints where the workflow stands. Runs that are dead are settled
// first: nobody is told to wait for them.
func runStatus(ctx context.Context, c call) error {
	return c.inLedger(ctx, false, func(l *store.Ledger) error {
		c.bringUpToDate(ctx, l)
		w, err := c.session(ctx, l)
		if err != nil {
			return err
		}
		others, err := l.OthersAtWork(ctx, w.ID, c.ownUID())
		if err != nil {
			return c.failed(err)
		}
		s := statusOf(w, others)
		return c.answer(s, statusText(s))
	})
}

// statusText is the status for a person.
func statusText(s sessionStatus) string {
	round := "round " + strconv.Itoa(s.CurrentRound)
	if lifecycle.Kind(s.WorkflowType) == lifecycle.KindMap {
		round = "map run " + strconv.Itoa(s.CurrentMapRun)
	}
	text := fmt.Sprintf("%s: %s\n  at: %s, phase %s (%s)\n  next: %s\n", s.SessionID, s.CompletenessState, round, s.CurrentPhase, s.Status, s.NextAction)
	if len(s.RemainingPhases) > 0 {
		text += "  remaining: " + strings.Join(s.RemainingPhases, " → ") + "\n"
	}
	return text
}

// nextAction is what a session needs, in the words of Open Code Review.
type nextAction string

// The next actions.
const (
	nextNone          nextAction = "none"
	nextReopen        nextAction = "reopen"
	nextWait          nextAction = "wait"
	nextFinish        nextAction = "finish"
	nextCompleteRound nextAction = "complete_round"
	nextAdvance       nextAction = "advance"
	// nextForward is work that was left where it stands: nobody is at it.
	nextForward nextAction = "forward_resume"
)

// phaseSynthesis is the phase a round is completed in, of both kinds.
const phaseSynthesis lifecycle.Phase = "synthesis"

// nextFor decides what a session needs. others counts the runs at work on it
// without the asker's own, whose question is not answered with "wait for
// yourself".
func nextFor(w store.Workflow, others int) nextAction {
	asked := w.InFlight > others
	switch {
	case w.Status.Closed() && w.HasArtifact:
		return nextNone
	case w.Status.Closed():
		return nextReopen
	case others > 0:
		return nextWait
	case w.HasArtifact:
		return nextFinish
	case !asked:
		return nextForward
	case w.Phase == phaseSynthesis:
		return nextCompleteRound
	default:
		return nextAdvance
	}
}

// statusOf is a workflow as "state status" shows it.
func statusOf(w store.Workflow, others int) sessionStatus {
	next := nextFor(w, others)
	round, run := roundPair(w)
	return sessionStatus{
		SchemaVersion:       render.SchemaVersion,
		SessionID:           w.ID,
		WorkflowType:        string(w.Kind),
		Status:              openOrClosed(w),
		CurrentPhase:        string(w.Phase),
		CurrentRound:        round,
		CurrentMapRun:       run,
		CompletenessState:   string(w.Completeness()),
		HasTerminalArtifact: w.HasArtifact,
		MarkedClosed:        w.Status.Closed(),
		DependentsSettled:   w.InFlight == 0,
		NextAction:          next.advice(w),
		NextActionKind:      string(next),
		RemainingPhases:     remaining(w),
	}
}

// advice is the next action as a sentence with the command to type.
func (n nextAction) advice(w store.Workflow) string {
	named := " --session-id " + w.ID
	switch n {
	case nextNone:
		return "nothing: the work is complete"
	case nextReopen:
		return fmt.Sprintf("the work was given up; to take it up again: %s state begin%s --branch %s --workflow-type %s", program, named, w.Branch, w.Kind)
	case nextWait:
		return "wait: " + strconv.Itoa(w.InFlight) + " run(s) are at work on it"
	case nextFinish:
		return program + " state finish" + named
	case nextForward:
		return "nobody is at work on it; go on from " + string(w.Phase) + ": " + step(w)
	case nextCompleteRound, nextAdvance:
		return step(w)
	}
	return ""
}

// step is the command that moves an open session on.
func step(w store.Workflow) string {
	named := " --session-id " + w.ID
	switch {
	case w.Phase == phaseSynthesis && w.Kind == lifecycle.KindMap:
		return program + " state complete-map" + named + " --file FILE"
	case w.Phase == phaseSynthesis:
		return program + " state complete-round" + named + " --file FILE"
	default:
		return program + " state advance" + named + " --phase " + string(following(w))
	}
}

// following is the phase after the current one.
func following(w store.Workflow) lifecycle.Phase {
	if rest := remaining(w); len(rest) > 0 {
		return lifecycle.Phase(rest[0])
	}
	return lifecycle.FirstPhase(w.Kind)
}

// remaining are the phases of the round that are still to come; none of a
// session that is closed.
func remaining(w store.Workflow) []string {
	if w.Status.Closed() {
		return nil
	}
	var rest []string
	for _, p := range lifecycle.Phases(w.Kind)[lifecycle.PhaseNumber(w.Kind, w.Phase):] {
		rest = append(rest, string(p))
	}
	return rest
}
