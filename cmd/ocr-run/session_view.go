package main

import (
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// sessionView is a workflow in the words of Open Code Review.
type sessionView struct {
	ID            string `json:"id"`
	Branch        string `json:"branch"`
	Status        string `json:"status"`
	WorkflowType  string `json:"workflow_type"`
	CurrentPhase  string `json:"current_phase"`
	PhaseNumber   int    `json:"phase_number"`
	CurrentRound  int    `json:"current_round"`
	CurrentMapRun int    `json:"current_map_run"`
	StartedAt     string `json:"started_at"`
	UpdatedAt     string `json:"updated_at"`
	Completeness  string `json:"completeness_state"`
	Workspace     string `json:"workspace"`
}

// sessionOf is a workflow as JSON shows it.
func sessionOf(w store.Workflow) sessionView {
	round, run := roundPair(w)
	return sessionView{
		ID: w.ID, Branch: w.Branch, Status: openOrClosed(w), WorkflowType: string(w.Kind),
		CurrentPhase: string(w.Phase), PhaseNumber: lifecycle.PhaseNumber(w.Kind, w.Phase),
		CurrentRound: round, CurrentMapRun: run,
		StartedAt: render.Time(w.CreatedAtMS), UpdatedAt: render.Time(w.UpdatedAtMS),
		Completeness: string(w.Completeness()), Workspace: w.Workspace,
	}
}

// openOrClosed is the state in the words of Open Code Review.
func openOrClosed(w store.Workflow) string {
	if w.Status.Closed() {
		return "closed"
	}
	return "active"
}

// roundPair is the round as the two numbers of Open Code Review, of which the
// one that does not apply is 1.
func roundPair(w store.Workflow) (round, mapRun int) {
	if w.Kind == lifecycle.KindMap {
		return 1, w.Round
	}
	return w.Round, 1
}

// roundWord is what a round of the kind is called.
func roundWord(k lifecycle.Kind) string {
	if k == lifecycle.KindMap {
		return "map run"
	}
	return "round"
}
