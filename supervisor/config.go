package supervisor

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// PTYMode says when a run gets a terminal of its own.
type PTYMode string

// The terminal modes. The zero value is PTYAuto.
const (
	// PTYAuto puts exactly those descriptors on an inner terminal that are the
	// user's terminal.
	PTYAuto PTYMode = "auto"
	// PTYAlways makes an inner terminal and puts all three on it, a standard input
	// with data excepted. What is written to it goes to the standard output.
	PTYAlways PTYMode = "always"
	// PTYNever passes all three through: the run lives on the user's own
	// terminal and in the wrapper's session, without a monitor process.
	PTYNever PTYMode = "never"
)

// HangupPolicy says what becomes of a run whose terminal goes away.
type HangupPolicy string

// The hang-up policies. The zero value is HangupStop.
const (
	// HangupStop ends the run.
	HangupStop HangupPolicy = "stop"
	// HangupKeep lets it go on without a terminal, as nohup does.
	HangupKeep HangupPolicy = "keep"
)

// LeftoverPolicy says what becomes of processes that outlive the run's command.
type LeftoverPolicy = wire.LeftoverPolicy

// The leftover policies. The zero value is LeftoversStop.
const (
	// LeftoversStop stops them until two looks in a row find none.
	LeftoversStop = wire.LeftoversStop
	// LeftoversKeep leaves them alone and lists them as kept.
	LeftoversKeep = wire.LeftoversKeep
	// LeftoversReport leaves them alone and lists them as remaining.
	LeftoversReport = wire.LeftoversReport
)

// Exit codes of a wrapped command that never ran, as the shell has them.
const (
	// ExitNotLaunched: ocr-run itself could not launch it.
	ExitNotLaunched = 125
	// ExitNotExecutable: it was found and cannot be executed.
	ExitNotExecutable = 126
	// ExitNotFound: there is no such command.
	ExitNotFound = 127
)

// Config is one run. UID, Command, Path, Dir, Env, the three files, Journal and
// Clock are required.
type Config struct {
	// UID names the execution. Env must carry it already.
	UID         string
	ParentUID   string
	ResumedFrom string
	// WorkflowID is the open workflow it goes on with; empty for none.
	WorkflowID string
	// FlowID is the flow the execution was committed under; empty for none. Its
	// row stands already then, and the first beat is at once: whoever cancelled
	// the flow before the launch is obeyed after it.
	FlowID  string
	Lineage string
	Name    string
	// Agent is the adapter that recognised the command; empty for none.
	Agent string
	// Headless is true for an agent that answers one question and converses with
	// nobody: an interrupt key typed at it can only mean that it is to end, even
	// where it reads the key itself and takes its time to tidy up.
	Headless bool
	// Command is the argument vector, Path the file to execute, both as they
	// will be handed to the kernel.
	Command []string
	Path    string
	// Argv is the argument vector to execute where it is more than Command, which
	// is what is written down; nil when they are the same.
	Argv []string
	// StopSignal is what first asks the command to end; 0 means TERM. A command
	// that has one of its own gets TERM as well, half a grace later.
	StopSignal syscall.Signal
	// Missing says why there is nothing to execute; nil when there is. The run
	// is then recorded as not started.
	Missing error
	// Dir is the name of the working directory, Workspace the directory the run
	// belongs to.
	Dir       string
	Workspace string
	// Chdir is the directory the command is started in; empty for the one we are in
	// ourselves, which may have lost its name, or have one that we may not walk along.
	Chdir string
	// Env is the whole environment of the run.
	Env []string

	Stdin, Stdout, Stderr *os.File

	PTY       PTYMode
	NoMonitor bool
	// Scope puts the run into a scope of the user's systemd, and fails where there
	// is none. Without it the run has a control group of its own only where ours
	// may be divided.
	Scope     bool
	OnHangup  HangupPolicy
	Leftovers LeftoverPolicy
	// Timeout ends the run after this much awake time; 0 means never.
	Timeout time.Duration
	// NotBefore is the wall time before which the command is not launched: until then
	// the run stands announced, and can be called off. Zero for at once. WaitsFor
	// says what for.
	NotBefore time.Time
	WaitsFor  store.WaitReason
	// HoldStdio keeps the descriptors open that went to the command as they are: the
	// caller has further use for them.
	HoldStdio bool
	// HoldOthers does the same for those beyond the standard ones.
	HoldOthers bool
	// Grace is the time between a stop and KILL; 0 kills at once.
	Grace time.Duration
	// Interval is the time between beats, written into the row.
	Interval time.Duration

	// StateDir holds the run file; empty runs without one.
	StateDir string
	// RunFile is the lease, when it was taken before; nil when it is still to be
	// taken. It belongs to the run.
	RunFile *runfile.File
	// Signals, when it is not nil, was made by [Catch]: the signals in it came
	// before the command was launched, and are acted on as soon as it is.
	Signals chan os.Signal
	// Journal takes down the facts. It never fails a run: what the ledger does
	// not take is spooled.
	Journal *store.Recorder
	// Host is the root of the host's project the run is in; empty for none.
	Host string
	// Announced is called once when the row is written, before the command exists,
	// for whoever else is to know of the run: the launch waits for it. Nil for
	// nobody.
	Announced func(context.Context)
	// Ended is called once with the end before it is written, and may add to it
	// what others know of the run. Nil for nobody.
	Ended func(context.Context, *store.Ending)
	// Launched is called once when the command runs, for work that must not hold
	// it up; the context ends with the command. It must return at once. Nil for
	// nothing.
	Launched func(context.Context)
	// Tap sees the bytes the run writes as they pass: those to its terminal, and
	// those of the descriptors in Through. Nil for nobody. Calls come one at a
	// time. It must not keep the slice.
	Tap func(from Source, b []byte)
	// Through says which of 1 and 2 pass through the wrapper, for Tap, where they
	// are redirected; all others go to the run as they are. 0 is ignored.
	Through [3]bool
	// Watch says what the run is watched for.
	Watch Watching
	Clock clock.Clock
	// BootID is the boot Clock's awake time counts from.
	BootID string
	// Machine is what all identities of this run share: machine, boot and pid
	// namespace.
	Machine store.Identity
	Log     zerolog.Logger
}

// Result is how a run ended, on all the facts the wrapper has itself.
type Result struct {
	// Ending is what was written, or would have been.
	Ending store.Ending
	// Announcement is the row's beginning, Launch what was launched; zero when
	// nothing was.
	Announcement store.Announcement
	Launch       store.Launch
	// StartedAtMS is the wall time of the launch, 0 when there was none.
	StartedAtMS int64
	// InLedger is true when the ledger itself took the run's beginning.
	InLedger bool
	// Alone is true when the ledger took the end and knows of no workflow and no
	// turn of this run: the ending is all there is to judge it by.
	Alone bool
	// Stalled is true when the user's terminal takes no bytes: a write to it would
	// wait for ever.
	Stalled bool
	// WithinLine says that the run's output left the cursor of the terminal that is our
	// standard error within a line, as an echoed ^C does.
	WithinLine bool
	// Hurried says whether somebody asked for the end after the command had ended. It
	// may be asked again and again until it is so; never nil.
	Hurried func() bool
	// Late takes the signals that ask for an end after the command's own: one waits. Nil
	// where none can come.
	Late <-chan os.Signal
	// Interrupted says whether an interrupt came that nobody has acted on, because the
	// command was over as soon as it had begun; a bare one might have died of it. Never nil.
	Interrupted func() bool
	// Bury waits for the monitor's end, for three seconds at most. It is to be called
	// before the process ends; never nil.
	Bury func()
	// StopSignal is the signal that made a user's or a parent's stop, or by which a launch was called off;
	// 0 for none.
	StopSignal int
	// CutShort says that this signal came in the moment of the launch. Run bare, the command
	// would have died of it without a word.
	CutShort bool
	// Keyed says that the command died of a key typed at its terminal. Run bare, all
	// of our process group would have got the signal: a script does not go on then.
	Keyed bool
	// LaunchError says why nothing was started; nil when it was.
	LaunchError error
}
