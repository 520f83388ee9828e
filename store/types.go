package store

import (
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// Sentinel errors. Every error of this package that a caller can act on is one
// of these, wrapped with the thing and the reason.
var (
	// ErrNotFound: no row answers to that name.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous: several rows answer to that name; see AmbiguousError.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrBusy: another process held the write lock for the whole busy timeout.
	ErrBusy = errors.New("ledger busy")
	// ErrFull is a ledger whose disk has no room.
	ErrFull = errors.New("disk full")
	// ErrTooNew: a later version of ocr-run wrote this ledger.
	ErrTooNew = errors.New("ledger too new")
	// ErrDamaged: the file is no ledger, or its pages are corrupt.
	ErrDamaged = errors.New("ledger damaged")
	// ErrFenced: the row belongs to a newer generation; the writer must stop.
	ErrFenced = errors.New("fenced off by a newer generation")
	// ErrConflict: the row was not in the state the change asks for.
	ErrConflict = errors.New("state conflict")
	// ErrNotOurs is an ErrConflict: the row is of another wrapper.
	ErrNotOurs = fmt.Errorf("%w: another wrapper has a run of this uid", ErrConflict)
	// ErrInvariant: the change would break a rule of the ledger.
	ErrInvariant = errors.New("invariant violated")
)

// Instant is that of package lifecycle.
type Instant = lifecycle.Instant

// Identity names one process for ever. A bare pid identifies nothing. The zero
// value means the process is not known.
type Identity struct {
	MachineID string `json:"machine_id"`
	BootID    string `json:"boot_id"`
	// PIDNamespace is the inode of the pid namespace; 0 where there is none.
	PIDNamespace uint64 `json:"pid_namespace"`
	PID          int    `json:"pid"`
	// StartTicks is the kernel's start time of the process: clock ticks since
	// boot on Linux, microseconds since 1970 on macOS.
	StartTicks uint64 `json:"start_ticks"`
}

// Announcement is what is written down before a child exists.
type Announcement struct {
	UID         string `json:"uid"`
	ParentUID   string `json:"parent_uid,omitempty"`
	ResumedFrom string `json:"resumed_from,omitempty"`
	WorkflowID  string `json:"workflow_id,omitempty"`
	FlowID      string `json:"flow_id,omitempty"`
	// Queued: it waits for its turn under its flow before it is launched.
	Queued    bool     `json:"queued,omitempty"`
	Lineage   string   `json:"lineage"`
	Name      string   `json:"name,omitempty"`
	Command   []string `json:"command"`
	CWD       string   `json:"cwd"`
	Workspace string   `json:"workspace"`
	// Agent is the adapter's name; empty for a command no adapter knows.
	Agent string `json:"agent,omitempty"`
	// Wrapper is the process that owns the row.
	Wrapper Identity `json:"wrapper"`
	// Host is the root of the project of a host that keeps the workflow; empty
	// when the ledger does.
	Host string `json:"host,omitempty"`
	// RunFile is the path of the lease and exit record, empty when there is none.
	RunFile string  `json:"run_file,omitempty"`
	At      Instant `json:"at"`
	// BeatMS is the interval between beats, in milliseconds.
	BeatMS int64 `json:"beat_ms"`
	// NotBeforeMS is the wall time, in UTC milliseconds, before which the command is
	// not launched; 0 for at once.
	NotBeforeMS int64 `json:"not_before_ms,omitempty"`
	// WaitsFor says what it waits for until then; empty for nothing.
	WaitsFor WaitReason `json:"waits_for,omitempty"`
}

// WaitReason is what an announced execution waits for.
type WaitReason string

// The reasons to wait.
const (
	// WaitLimit: a usage limit ends then.
	WaitLimit WaitReason = "limit"
	// WaitPause: it is not to be tried again at once.
	WaitPause WaitReason = "pause"
)

// WaitReasons lists the reasons to wait.
func WaitReasons() []WaitReason { return []WaitReason{WaitLimit, WaitPause} }

// Waiting says whether the execution waits for the time of its launch.
func (e Execution) Waiting() bool {
	return e.NotBeforeMS != 0 && e.StartedAtMS == 0 && !e.Process.End.Over()
}

// Launch is what is known once the child exists.
type Launch struct {
	UID     string   `json:"uid"`
	Child   Identity `json:"child"`
	Monitor Identity `json:"monitor"`
	// PGID, SID and TTY are the group, session and terminal we made for it.
	PGID int    `json:"pgid"`
	SID  int    `json:"sid"`
	TTY  string `json:"tty,omitempty"`
	// Cgroup is the path of the run's own control group, if it has one.
	Cgroup string  `json:"cgroup,omitempty"`
	At     Instant `json:"at"`
}

// Descendant is one process an execution was seen to have started.
type Descendant struct {
	PID        int    `json:"pid"`
	StartTicks uint64 `json:"start"`
	Name       string `json:"name,omitempty"`
}

// Beat is the wrapper's proof that it lives.
type Beat struct {
	UID        string  `json:"uid"`
	Generation int64   `json:"generation"`
	At         Instant `json:"at"`
	// SuspendedMS is how long the machine has slept during this execution.
	SuspendedMS int64 `json:"suspended_ms"`
	// LastActivityMS is wall time of the last output or input, 0 when unknown.
	LastActivityMS int64 `json:"last_activity_ms,omitempty"`
	// Descendants replaces the stored list; nil leaves it as it is.
	Descendants []Descendant `json:"descendants,omitempty"`
	// Vitals replaces what the last beat saw; nil leaves it as it is.
	Vitals *Vitals `json:"vitals,omitempty"`
}

// Vitals is what a wrapper sees of its run at a beat. The zero value has seen
// nothing. Moments are awake milliseconds of the beat's boot: nil when nobody
// watches for it, 0 when it has not been seen yet.
type Vitals struct {
	// BusyMS is when the run's processes last used the processor or did I/O.
	BusyMS *int64 `json:"busy_ms,omitempty"`
	// GrewMS is when its output or its agent's record last grew.
	GrewMS *int64 `json:"grew_ms,omitempty"`
	// AdvancedMS is when its turn or its workflow last moved on.
	AdvancedMS *int64 `json:"advanced_ms,omitempty"`
	// Turn says whether a turn is open: yes, no, or empty when nobody knows.
	Turn string `json:"turn,omitempty"`
	// Waiting: the agent waits for a person.
	Waiting bool `json:"waiting,omitempty"`
	// LimitedUntilMS is the wall time at which the agent's usage limit ends; 0 for
	// none that is known.
	LimitedUntilMS int64 `json:"limited_until_ms,omitempty"`
	// Dead names a connection whose other end no longer answers; empty for none.
	Dead string `json:"dead,omitempty"`
	// Alarm is the warning that stands: idle, stalled or runaway; empty for none.
	Alarm string `json:"alarm,omitempty"`
}

// BeatAnswer is what the ledger says to a beat.
type BeatAnswer struct {
	// StopRequested names who asked for the run to end; zero when nobody did.
	StopRequested lifecycle.StoppedBy
	// Missing: the row is gone and must be announced again.
	Missing bool
	// Fenced: a newer generation owns the row; the child must be stopped.
	Fenced bool
	// Reannounced: the row was gone and has been written anew, without what
	// earlier beats had said.
	Reannounced bool
	// Over: the row has ended (as lost, from a false verdict); carry on and
	// report the real exit.
	Over bool
	// Session is the state of the agent's session, empty while nobody has told;
	// SessionAtMS when it was last told of, in wall milliseconds.
	Session     lifecycle.SessionStatus
	SessionAtMS int64
	// TurnOpen: a turn runs or is about to.
	TurnOpen bool
	// AwaitsUserMS is that of [Execution]: 0 when nobody said that it waits.
	AwaitsUserMS int64
	// Revision is that of the workflow it works on; 0 without one.
	Revision int64
}

// Leftover is that of package lifecycle.
type Leftover = lifecycle.Leftover

// Leftovers is that of package lifecycle.
type Leftovers = lifecycle.Leftovers

// Ending is the terminal write of an execution.
type Ending struct {
	UID        string               `json:"uid"`
	Generation int64                `json:"generation"`
	End        lifecycle.ProcessEnd `json:"end"`
	ExitCode   *int                 `json:"exit_code,omitempty"`
	Signal     *int                 `json:"signal,omitempty"`
	CoreDumped bool                 `json:"core_dumped,omitempty"`
	StoppedBy  lifecycle.StoppedBy  `json:"stopped_by,omitempty"`
	StopFailed bool                 `json:"stop_failed,omitempty"`
	At         Instant              `json:"at"`
	// Launch is written with the end when it was not before, as for a command
	// that ended at once; nil when it was, or when there was none.
	Launch *Launch `json:"launch,omitempty"`
	// AwakeMS and SuspendedMS are how long it ran with the machine awake and
	// asleep; AwakeMS is -1 when nobody knows (a lost run).
	AwakeMS     int64                `json:"awake_ms"`
	SuspendedMS int64                `json:"suspended_ms"`
	Evidence    []lifecycle.Evidence `json:"evidence,omitempty"`
	Leftovers   Leftovers            `json:"leftovers"`
	// AgentSessionID is the agent's own id for its session, when known.
	AgentSessionID string `json:"agent_session_id,omitempty"`
	// Resume is the command that would continue the work: nil when none is known, and
	// empty when it is known that there is none.
	Resume []string `json:"resume,omitzero"`
	// HostWorkflow is the host's workflow as it stood at the end, or the one that was
	// lost with a ledger; nil when there was none.
	HostWorkflow *WorkflowView `json:"host_workflow,omitempty"`
	// Degraded is true when the run was recorded outside the ledger for a while.
	Degraded bool `json:"degraded,omitempty"`
}

// Execution is one row of executions, with the facts a reader joins to it.
type Execution struct {
	Announcement
	Launch         Launch
	Generation     int64
	Process        lifecycle.Process
	StartedAtMS    int64 // wall; 0 when it never started
	EndedAtMS      int64 // wall; 0 while it runs
	AwakeMS        int64 // -1 when unknown
	SuspendedMS    int64
	Beats          int64
	LastBeat       Instant
	LastActivityMS int64
	// AwaitsUserMS is the wall time at which the agent said that it waits for its user,
	// if that is the last thing it said of itself; else 0.
	AwaitsUserMS int64
	// StoppedSinceMS is when job control suspended it; 0 when it is not.
	StoppedSinceMS int64
	StopRequested  lifecycle.StoppedBy
	Descendants    []Descendant
	// Vitals is what the last beat saw; nil when its wrapper looks at nothing.
	Vitals         *Vitals
	Evidence       []lifecycle.Evidence
	Leftovers      Leftovers
	AgentSessionID string
	Resume         []string
	Degraded       bool
	// Workflow is nil when none is linked. With several begun in one run it is
	// the worst. One of a host is as it stood when the run ended.
	Workflow *WorkflowView
	// HostSettled: the end stands in the host's own row of the run.
	HostSettled bool
	// Turn is the state of the last turn, TurnNone when none is known.
	Turn lifecycle.TurnState
}

// WorkflowView is a workflow as seen by one execution: judged by the round the
// execution ended in, its own row not counted as in flight.
type WorkflowView struct {
	ID           string                 `json:"id"`
	Kind         lifecycle.Kind         `json:"kind"`
	Completeness lifecycle.Completeness `json:"completeness"`
	Phase        lifecycle.Phase        `json:"phase,omitempty"`
	Round        int                    `json:"round,omitempty"`
	// Lost: it stood in a ledger that was removed, replaced or damaged under the run.
	Lost bool `json:"lost,omitempty"`
	// Hosted: a host keeps it, not the ledger.
	Hosted bool `json:"-"`
}

// Workflow is one row of workflows.
type Workflow struct {
	ID          string
	Kind        lifecycle.Kind
	Workspace   string
	Branch      string
	Goal        string
	Owner       string
	Status      lifecycle.WorkflowStatus
	Phase       lifecycle.Phase
	Round       int
	Revision    int64
	SessionDir  string
	CreatedAtMS int64
	UpdatedAtMS int64
	EndedAtMS   int64 // 0 while open
	CloseReason string
	// HasArtifact: the current round has its completion event.
	HasArtifact bool
	// InFlight counts executions that are linked and have not ended.
	InFlight int
}

// Completeness judges the workflow in its current round.
func (w Workflow) Completeness() lifecycle.Completeness {
	return lifecycle.CompletenessOf(w.Status.Closed(), w.HasArtifact, w.InFlight > 0)
}

// Event is one append-only line of history.
type Event struct {
	// Seq orders events of one ledger; 0 before it is written.
	Seq        int64
	ExternalID string // an event id of the source, applied at most once per execution
	UID        string
	WorkflowID string
	TurnID     string
	Type       lifecycle.EventType
	Phase      lifecycle.Phase
	Round      int
	AtMS       int64
	// Payload is a JSON object; nil when there is nothing more to say.
	Payload []byte
}

// Filter selects executions. Its zero value selects everything.
type Filter struct {
	// Over: nil for all, true for ended, false for not ended.
	Over      *bool
	Workspace string
	// SinceMS keeps executions that started at or after this wall time.
	SinceMS int64
	// Limit is the most rows returned, newest first; 0 means all.
	Limit int
}
