package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// statusVerb says where a workflow stands and what comes next.
func statusVerb() verb {
	return verb{
		name:     "state status",
		brief:    "say where a session stands and what to do next",
		about:    "Says where a session stands, whether its work is complete, and what to do next.",
		flags:    []flagSpec{sessionSpec(), jsonSpec()},
		exits:    stateExits(exitAmbiguous, exitNotFound),
		examples: []string{"ocr-run state status", "ocr-run state status --json | jq -r .next_action_kind"},
		run:      runStatus,
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

// runStatus prints where the workflow stands.
func runStatus(ctx context.Context, c call) error {
	return c.inLedger(ctx, false, func(l *store.Ledger) error {
		w, err := c.session(ctx, l)
		if err != nil {
			return err
		}
		s := statusOf(w, c.soleWorker(ctx, l, w))
		return c.answer(s, fmt.Sprintf("%s: %s, %s %d, phase %s: %s\nnext: %s\n",
			w.ID, s.Status, roundWord(w.Kind), w.Round, w.Phase, s.CompletenessState, s.NextAction))
	})
}

// soleWorker says whether the only run at work on the session is the one that
// asks. Its question "what next" is not answered with "wait for yourself".
func (c call) soleWorker(ctx context.Context, l *store.Ledger, w store.Workflow) bool {
	uid := c.ownUID()
	if uid == "" || w.InFlight != 1 {
		return false
	}
	e, err := l.Execution(ctx, uid)
	return err == nil && e.Workflow != nil && e.Workflow.ID == w.ID && !e.Process.End.Over()
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
)

// phaseSynthesis is the phase a round is completed in, of both kinds.
const phaseSynthesis lifecycle.Phase = "synthesis"

// nextFor decides what a session needs. sole means that nobody but the asker
// works on it.
func nextFor(w store.Workflow, sole bool) nextAction {
	state := w.Completeness()
	if sole && state == lifecycle.CompletenessInFlight {
		state = lifecycle.CompletenessOpenNoArtifact
	}
	switch {
	case state == lifecycle.CompletenessComplete:
		return nextNone
	case state == lifecycle.CompletenessClosedWithoutArtifact:
		return nextReopen
	case state == lifecycle.CompletenessInFlight:
		return nextWait
	case w.HasArtifact:
		return nextFinish
	case w.Phase == phaseSynthesis:
		return nextCompleteRound
	default:
		return nextAdvance
	}
}

// statusOf is a workflow as "state status" shows it.
func statusOf(w store.Workflow, sole bool) sessionStatus {
	next := nextFor(w, sole)
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
	case nextCompleteRound:
		if w.Kind == lifecycle.KindMap {
			return program + " state complete-map" + named + " --file FILE"
		}
		return program + " state complete-round" + named + " --file FILE"
	case nextAdvance:
		return program + " state advance" + named + " --phase " + string(following(w))
	}
	return ""
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
