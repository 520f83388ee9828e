package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is what sort of work a workflow is.
type Kind string

// The kinds. A flow is a managed parent of executions and has no phases.
const (
	KindReview Kind = "review"
	KindMap    Kind = "map"
	KindFlow   Kind = "flow"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{KindReview, KindMap, KindFlow} }

// Phase is one step of a workflow. Its number is its place in Phases(kind),
// counted from 1.
type Phase string

// PhaseComplete is the last phase of both review and map.
const PhaseComplete Phase = "complete"

// Phases lists the phases of a kind in order; a flow has none. The graph of a
// kind is this list: one step forward, or staying in place.
// Source: Open Code Review 2.x, its state machine.
func Phases(k Kind) []Phase {
	switch k {
	case KindReview:
		return []Phase{"context", "change-context", "analysis", "reviews", "aggregation", "discourse", "synthesis", PhaseComplete}
	case KindMap:
		return []Phase{"map-context", "topology", "flow-analysis", "requirements-mapping", "synthesis", PhaseComplete}
	case KindFlow:
		return nil
	}
	return nil
}

// FirstPhase is where a workflow of kind k, and each new round of it, starts.
// It is empty for a flow.
func FirstPhase(k Kind) Phase {
	if p := Phases(k); len(p) > 0 {
		return p[0]
	}
	return ""
}

// PhaseNumber is the place of p in its kind's list, from 1; 0 when p does not
// belong to k.
func PhaseNumber(k Kind, p Phase) int { return slices.Index(Phases(k), p) + 1 }

// PhaseError says why a workflow may not move between two phases.
type PhaseError struct {
	Kind     Kind
	From, To Phase
	// Foreign is true when To is no phase of the kind at all.
	Foreign bool
	// NewRound is true when the move was to open another round.
	NewRound bool
}

// Error names the phases that would have been accepted.
func (e *PhaseError) Error() string {
	switch {
	case e.Foreign:
		return fmt.Sprintf("invalid phase %q for workflow kind %q: valid phases are %s", e.To, e.Kind, listed(Phases(e.Kind)))
	case e.NewRound:
		return fmt.Sprintf("illegal round boundary: a new round starts in %q, not in %q", FirstPhase(e.Kind), e.To)
	default:
		return fmt.Sprintf("illegal phase transition: %s → %s: from %q only %s can be reached", e.From, e.To, e.From, listed(reachable(e.Kind, e.From)))
	}
}

// listed is phases with commas between them.
func listed(phases []Phase) string {
	words := make([]string, len(phases))
	for i, p := range phases {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}

// NextPhase is where a workflow goes from a phase, back to the first from the last;
// empty for a phase that its kind does not have.
func NextPhase(k Kind, from Phase) Phase {
	n := PhaseNumber(k, from)
	if n == 0 {
		return ""
	}
	phases := Phases(k)
	return phases[n%len(phases)]
}

// CheckAdvance says whether a workflow of kind k may move from one phase to
// another: staying is always allowed, otherwise only the next phase, and a new
// round starts in the first. It returns nil or a *PhaseError.
func CheckAdvance(k Kind, from, to Phase, newRound bool) error {
	switch {
	case PhaseNumber(k, to) == 0:
		return &PhaseError{Kind: k, From: from, To: to, Foreign: true}
	case newRound && to != FirstPhase(k):
		return &PhaseError{Kind: k, From: from, To: to, NewRound: true}
	case !newRound && !slices.Contains(reachable(k, from), to):
		return &PhaseError{Kind: k, From: from, To: to}
	default:
		return nil
	}
}

// reachable lists where a workflow can go from a phase, itself first.
func reachable(k Kind, from Phase) []Phase {
	next := NextPhase(k, from)
	if next == "" {
		return nil
	}
	return []Phase{from, next}
}

// WorkflowStatus is the state of a workflow as stored. Open means not terminal.
type WorkflowStatus string

// The workflow states. Review and map workflows use running, succeeded,
// failed, cancelled and lost; flows use all of them.
const (
	WorkflowQueued    WorkflowStatus = "queued"
	WorkflowRunning   WorkflowStatus = "running"
	WorkflowWaiting   WorkflowStatus = "waiting"
	WorkflowBlocked   WorkflowStatus = "blocked"
	WorkflowSucceeded WorkflowStatus = "succeeded"
	WorkflowFailed    WorkflowStatus = "failed"
	WorkflowCancelled WorkflowStatus = "cancelled"
	WorkflowLost      WorkflowStatus = "lost"
)

// WorkflowStatuses lists every workflow state, open ones first.
func WorkflowStatuses() []WorkflowStatus {
	return []WorkflowStatus{
		WorkflowQueued, WorkflowRunning, WorkflowWaiting, WorkflowBlocked,
		WorkflowSucceeded, WorkflowFailed, WorkflowCancelled, WorkflowLost,
	}
}

// Closed says whether the state is terminal. Blocked never is.
func (s WorkflowStatus) Closed() bool {
	switch s {
	case WorkflowSucceeded, WorkflowFailed, WorkflowCancelled, WorkflowLost:
		return true
	case WorkflowQueued, WorkflowRunning, WorkflowWaiting, WorkflowBlocked:
		return false
	}
	return false
}

// Completeness says how far the work got, in the round it is asked about.
type Completeness string

// The completeness states. CompletenessNone means no workflow is linked.
const (
	CompletenessNone                  Completeness = ""
	CompletenessComplete              Completeness = "complete"
	CompletenessClosedWithoutArtifact Completeness = "closed_without_artifact"
	CompletenessInFlight              Completeness = "in_flight"
	CompletenessOpenNoArtifact        Completeness = "open_no_artifact"
	CompletenessUnreadable            Completeness = "unreadable"
)

// Completenesses lists every completeness state, CompletenessNone excepted.
func Completenesses() []Completeness {
	return []Completeness{
		CompletenessComplete, CompletenessClosedWithoutArtifact, CompletenessInFlight,
		CompletenessOpenNoArtifact, CompletenessUnreadable,
	}
}

// CompletenessOf joins three facts about a round: whether the workflow is
// closed, whether the round has its completion event, and whether another
// execution still works on it.
func CompletenessOf(closed, artifact, inFlight bool) Completeness {
	switch {
	case closed && artifact:
		return CompletenessComplete
	case closed:
		return CompletenessClosedWithoutArtifact
	case inFlight:
		return CompletenessInFlight
	default:
		return CompletenessOpenNoArtifact
	}
}

// Worse picks the completeness that weighs more against success, for a run
// that began several workflows.
func Worse(a, b Completeness) Completeness {
	if slices.Index(weight(), a) >= slices.Index(weight(), b) {
		return a
	}
	return b
}

// weight orders completeness from best to worst.
func weight() []Completeness {
	return []Completeness{
		CompletenessNone, CompletenessComplete, CompletenessClosedWithoutArtifact,
		CompletenessInFlight, CompletenessOpenNoArtifact, CompletenessUnreadable,
	}
}
