package render

// SchemaVersion is the version of every JSON object this package writes. It
// grows only with an incompatible change; fields may be added without one.
const SchemaVersion = 1

// Execution is one wrapped run as the JSON contract shows it. A nil pointer is
// null; no slice is ever null in the output of this package's functions.
type Execution struct {
	SchemaVersion int    `json:"schema_version"`
	UID           string `json:"uid"`
	// ParentUID is the run this one was started from.
	ParentUID *string `json:"parent_uid"`
	FlowID    *string `json:"flow_id"`
	// ResumedFrom is the run whose work this one continued.
	ResumedFrom *string `json:"resumed_from"`
	Name        *string `json:"name"`
	// Attempts are the runs whose work this one continued, oldest first; empty in
	// lists.
	Attempts []Attempt `json:"attempts"`
	// Successor is the newest run that continued the work of this one; nil where none
	// did or nobody looked. Only people are shown it.
	Successor *Attempt `json:"-"`
	// AwaitsUserSince is since when its agent waits for its user.
	AwaitsUserSince *string `json:"awaits_user_since"`
	// WaitsFor is what it waits for before its launch: limit or pause. WaitsUntil is
	// when that is over.
	WaitsFor   *string `json:"waits_for"`
	WaitsUntil *string `json:"waits_until"`
	// Source tells whose row it is: ledger or open-code-review.
	Source         string   `json:"source"`
	Command        []string `json:"command"`
	Workspace      *string  `json:"workspace"`
	Agent          *string  `json:"agent"`
	AgentSessionID *string  `json:"agent_session_id"`
	PID            *int     `json:"pid"`
	// StartedAt, EndedAt and LastHeartbeatAt are RFC 3339, UTC, milliseconds.
	StartedAt *string `json:"started_at"`
	EndedAt   *string `json:"ended_at"`
	// AwakeMS and SuspendedMS are the milliseconds it ran with the machine
	// awake and asleep.
	AwakeMS         *int64  `json:"awake_ms"`
	SuspendedMS     *int64  `json:"suspended_ms"`
	LastHeartbeatAt *string `json:"last_heartbeat_at"`
	Liveness        string  `json:"liveness"`
	// Lights are nil once the run has ended.
	Lights    *Lights    `json:"lights"`
	Process   Process    `json:"process"`
	Workflow  *Workflow  `json:"workflow"`
	Turn      Turn       `json:"turn"`
	Outcome   string     `json:"outcome"`
	Cause     *string    `json:"cause"`
	Evidence  []Evidence `json:"evidence"`
	Leftovers Leftovers  `json:"leftovers"`
	Resume    *Resume    `json:"resume"`
	// Again is what runs the command once more, up to the command; nil where nobody
	// looked. Given names the variables that flags set for it: their values, which may be
	// secrets, are kept nowhere, and the names are known to its own wrapper alone. Only
	// people are shown these two.
	Again []string `json:"-"`
	Given []string `json:"-"`
	// Recording is ok, or degraded when the ledger could not be written for a
	// while.
	Recording string `json:"recording"`
}

// Attempt is an earlier run of the same work.
type Attempt struct {
	UID     string  `json:"uid"`
	Outcome string  `json:"outcome"`
	Cause   *string `json:"cause"`
	EndedAt *string `json:"ended_at"`
}

// queued says whether it waits for its turn and has not been launched.
func (e Execution) queued() bool { return e.Process.End == "queued" }

// Process is how the process ended, as far as anybody knows.
type Process struct {
	End        string  `json:"end"`
	ExitCode   *int    `json:"exit_code"`
	Signal     *int    `json:"signal"`
	CoreDumped bool    `json:"core_dumped"`
	StoppedBy  *string `json:"stopped_by"`
}

// Workflow is the work the run was for, judged by the round it ended in.
type Workflow struct {
	ID           string  `json:"id"`
	Kind         string  `json:"kind"`
	Source       string  `json:"source"`
	Completeness string  `json:"completeness"`
	Phase        *string `json:"phase"`
	Round        *int    `json:"round"`
}

// Turn is the last turn of the agent's session.
type Turn struct {
	State string `json:"state"`
}

// Evidence is one observation about why the run ended.
type Evidence struct {
	Source string  `json:"source"`
	Detail string  `json:"detail"`
	At     *string `json:"at"`
}

// Leftovers are the processes that outlived the run, by what became of them.
type Leftovers struct {
	Stopped   []Leftover `json:"stopped"`
	Kept      []Leftover `json:"kept"`
	Remaining []Leftover `json:"remaining"`
}

// Leftover is one process that outlived the run.
type Leftover struct {
	PID     int     `json:"pid"`
	Command *string `json:"command"`
	// Signal is what ended it, as in TERM.
	Signal *string `json:"signal"`
	// Reason says why it was kept or could not be stopped.
	Reason *string `json:"reason"`
}

// Resume is the command that would continue the work.
type Resume struct {
	Command []string `json:"command"`
}

// ShortUID is the form of a uid that tables show: its last 8 digits. The first
// ones of a version 7 uid are the time, alike in runs of one minute.
func ShortUID(uid string) string {
	const digits = 8
	if len(uid) <= digits {
		return uid
	}
	return uid[len(uid)-digits:]
}
