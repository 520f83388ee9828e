package store

import (
	"encoding/json"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Flow is a managed parent of executions, with what its history and its children
// say about it.
type Flow struct {
	ID string
	// Kind is KindFlow. A refused change may come with a workflow of another kind,
	// of which nothing else is set but the row.
	Kind      lifecycle.Kind
	Workspace string
	Goal      string
	Owner     string
	Status    lifecycle.WorkflowStatus
	// Why is the reason of its last change, Detail what was said with it, WhyAtMS
	// when it was, in wall-clock UTC milliseconds.
	Why     lifecycle.FlowWhy
	Detail  string
	WhyAtMS int64
	// Revision grows by one with every change of the row.
	Revision int64
	// MaxParallel is how many children may run at once; 0 means any number.
	MaxParallel int
	// BegunByUID and ClosedByUID are the executions that created and ended it;
	// empty for none.
	BegunByUID, ClosedByUID string
	// CancelRequestedAtMS is when it was asked to end; 0 when nobody did.
	CancelRequestedAtMS int64
	CreatedAtMS         int64
	UpdatedAtMS         int64
	EndedAtMS           int64 // 0 while open
	// Queued, Running and Ended count its children; Lost are those that ended
	// without anybody having seen it.
	Queued, Running, Ended, Lost int
}

// Live is how many of its children have not ended.
func (f Flow) Live() int { return f.Queued + f.Running }

// facts are what the rules decide by.
func (f Flow) facts() lifecycle.FlowFacts {
	return lifecycle.FlowFacts{
		Kind: f.Kind, Owner: f.Owner, Status: f.Status, Why: f.Why, CancelRequested: f.CancelRequestedAtMS != 0,
		Revision: f.Revision, Live: f.Live(), Ended: f.Ended, Lost: f.Lost,
	}
}

// NewFlow asks for a flow to be created.
type NewFlow struct {
	// ID names it; required.
	ID        string
	Workspace string
	Goal      string
	Owner     string
	// MaxParallel is how many children may run at once; 0 means any number.
	MaxParallel int
	// UID is the execution that creates it; empty for none.
	UID string
	At  Instant
}

// FlowRun asks for an execution to be committed under the flow it names.
type FlowRun struct {
	// Announcement is the execution; FlowID is required, Workspace is ignored.
	Announcement Announcement
	Ask          lifecycle.FlowAsk
	// Session is the agent's session that the execution goes on with; empty when it
	// has no name. It counts only for one that goes on with another execution.
	Session string
}

// FlowRunResult is what became of it.
type FlowRunResult struct {
	// Found: there is a workflow of that name. Created: the execution stands.
	Found, Created bool
	// Refused is why it does not; empty when it does.
	Refused lifecycle.FlowRefusal
	// Flow is the flow as it is now; zero when there is none.
	Flow Flow
	// Announcement is the execution as it was committed, under Generation.
	Announcement Announcement
	Generation   int64
}

// FlowChange asks for a move.
type FlowChange struct {
	ID   string
	Move lifecycle.FlowMove
	Ask  lifecycle.FlowAsk
	// Detail says why, for a person.
	Detail string
	// UID is the execution that asks; empty for none.
	UID string
	At  Instant
}

// flowState is the payload of the event that tells of a change.
type flowState struct {
	From lifecycle.WorkflowStatus `json:"from,omitempty"`
	To   lifecycle.WorkflowStatus `json:"to"`
	Why  lifecycle.FlowWhy        `json:"why"`
	// Detail says why, for a person.
	Detail string `json:"detail,omitempty"`
	// MaxParallel is set once, when the flow is created.
	MaxParallel int `json:"max_parallel,omitempty"`
}

// encode is v as the payload of an event.
func encode(v any) ([]byte, error) { return json.Marshal(v) }
