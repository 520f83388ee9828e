package store

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// AmbiguousError says which rows answer to a name. It wraps ErrAmbiguous.
type AmbiguousError struct {
	// What is what they are; empty means executions.
	What string
	// Name is what was asked for.
	Name string
	// Candidates are the uids or ids that answer to it, at most 20.
	Candidates []string
}

// Error names the first candidates, so that the next try can be exact.
func (e *AmbiguousError) Error() string {
	const enough = 4
	shown, more := e.Candidates, ""
	if len(shown) > enough {
		shown, more = shown[:enough], " or another"
	}
	return fmt.Sprintf("%s %q is ambiguous: it could be %s%s", cmp.Or(e.What, "execution"), e.Name, strings.Join(shown, ", "), more)
}

// Unwrap makes errors.Is(err, ErrAmbiguous) hold.
func (e *AmbiguousError) Unwrap() error { return ErrAmbiguous }

// EventFilter selects events, oldest first. Its zero value selects everything.
type EventFilter struct {
	// AfterSeq keeps events younger than this sequence number.
	AfterSeq int64
	// UID keeps events of one execution; empty for all.
	UID string
	// WorkflowID keeps events of one workflow; empty for all.
	WorkflowID string
	// Limit is the most rows returned; 0 means all.
	Limit int
	// Newest makes Limit keep the youngest events instead of the oldest. Their
	// order stays.
	Newest bool
}

// Begin asks for a workflow to be started, or opened again.
type Begin struct {
	// ID names the workflow; required.
	ID string
	// ScopedID is the name to take instead when another workspace already uses
	// ID; empty when ID is meant whatever its workspace.
	ScopedID string
	// Kind is fixed for the life of the workflow; required.
	Kind lifecycle.Kind
	// Branch, Workspace, SessionDir and Goal describe the work; they are
	// written when the workflow is created and left alone afterwards.
	Branch     string
	Workspace  string
	SessionDir string
	Goal       string
	// UID is the execution that begins it, to be linked; empty for none.
	UID string
	// Payload is kept with the event that begins it: a JSON object, or nil.
	Payload []byte
	At      Instant
}

// BeginResult says what a Begin did.
type BeginResult struct {
	// Created: the workflow did not exist.
	Created bool
	// Resumed: it existed and was opened again.
	Resumed bool
	// NewRound: it was opened again in a new round.
	NewRound bool
	// Linked: the execution given is known and live, and now counts as
	// working on the workflow.
	Linked bool
}

// Advance moves a workflow to a phase.
type Advance struct {
	ID    string
	Phase lifecycle.Phase
	// Round opens another round when it differs from the current one; 0 means
	// the current one.
	Round int
	At    Instant
}

// CompleteRound records the artifact of a round.
type CompleteRound struct {
	ID string
	// Round is the round completed; 0 means the current one. A later one than
	// the current becomes the current one.
	Round int
	// Payload is kept with the completion event: a JSON object, or nil.
	Payload []byte
	At      Instant
}

// FinishWorkflow closes a workflow.
type FinishWorkflow struct {
	ID string
	// UID is the execution that closes it, which is not asked to stop; empty
	// when no execution does.
	UID string
	// Abort closes it without its artifact.
	Abort bool
	At    Instant
}
