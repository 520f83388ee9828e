package doctor

import (
	"io/fs"
	"time"
)

// Facts is everything that is judged. The zero value of each part is that nothing
// was found out about it.
type Facts struct {
	Program  Program
	Home     Home
	State    State
	Terminal Terminal
	Ledger   Ledger
	Clocks   Clocks
	Machine  Machine
	Kernel   Kernel
	Limits   Limits
	Service  Service
	Agents   []Agent
}

// Program is how this program is found by its name.
type Program struct {
	// Self is the file of this process.
	Self string
	// Found are the files of its name in the PATH, in its order; Same says of each
	// whether it is Self.
	Found []string
	Same  []bool
}

// Home is whose machine this is, and where that is said.
type Home struct {
	// UID is the effective user; User its name, empty when it has none.
	UID  int
	User string
	// Home is HOME, as it is; Set is false when there is none.
	Home string
	Set  bool
	// Exists and Owner are of the directory that HOME names.
	Exists bool
	Owner  int
	// Passwd is the home the system has for the user, empty when it has none.
	Passwd string
	// StateHome is XDG_STATE_HOME, as it is.
	StateHome string
}

// Entry is a file or a directory of the state directory.
type Entry struct {
	Path string
	Mode fs.FileMode
	// Owner is the user it belongs to.
	Owner int
}

// State is the directory of the ledger and of everything beside it.
type State struct {
	// Dir is where it is, or will be; empty without a place for it.
	Dir string
	// Nearest is the nearest directory at or above Dir that exists; it is Dir
	// itself when that exists.
	Nearest string
	// IsDir and Writable are of Nearest.
	IsDir, Writable bool
	// Entries are Dir and what is in it; none when it does not exist.
	Entries []Entry
	// Filesystem is the kind of file system, empty when its name is not known;
	// Remote is true of one that is shared by network.
	Filesystem string
	Remote     bool
	// ReadOnly is true of a file system that is mounted so.
	ReadOnly bool
	// Free is how many bytes may still be written there, -1 when it is not known.
	Free int64
}

// Terminal is what the standard descriptors are.
type Terminal struct {
	// Is says of the descriptors 0, 1 and 2 whether they are a terminal.
	Is [3]bool
	// Columns and Rows are the size of the first that is.
	Columns, Rows int
	// Term is TERM.
	Term string
	// NoneWhy is why no further terminal can be had, empty when one can.
	NoneWhy string
}

// Ledger is what a look at the ledger has told.
type Ledger struct {
	// Path is where it is, or will be; empty without a place for it.
	Path string
	// Exists is false when there is none yet.
	Exists bool
	// TooNew, Damaged, Busy and Unindexed are why it could not be looked into;
	// Trouble is any other reason, and the words for these.
	TooNew, Damaged, Busy, Unindexed bool
	Trouble                          string
	// Schema and Known are its version and the last one this program knows.
	Schema, Known int
	// Bytes, LogBytes, Pages and FreePages are how large it is.
	Bytes, LogBytes, Pages, FreePages int64
	// Executions, Open, Degraded and Events are counts, -1 when not known;
	// Degraded is of the last DegradedDays days.
	Executions, Open, Degraded, Events int64
	// Checked says that the integrity check came to its end within CheckLimit, and
	// Broken what it found, empty for nothing.
	Checked    bool
	CheckLimit time.Duration
	Broken     string
	// Waiting and Rejected count the runs with facts in Spool, the directory.
	Spool             string
	Waiting, Rejected int
}

// DegradedDays is how far back degraded runs are counted.
const DegradedDays = 7

// Clocks is what two looks at the machine's clocks told.
type Clocks struct {
	// Wall is the time it says it is; the zero time when nobody looked.
	Wall time.Time
	// Awake and Suspended are how long this boot has lasted, and how much of it the
	// machine slept.
	Awake, Suspended time.Duration
	// WallMoved, AwakeMoved and SuspendedMoved are what lay between the two looks.
	WallMoved, AwakeMoved, SuspendedMoved time.Duration
	// Newest is the latest time that something here was written; NewestWhat says
	// what that was.
	Newest     time.Time
	NewestWhat string
}

// Machine is what it calls itself.
type Machine struct {
	// BootID and BootTrouble: one of them is set.
	BootID, BootTrouble string
	// MachineID is empty when it has no name.
	MachineID string
	// Namespace is the number of the pid namespace, 0 where there are none; Own says
	// that it is not the machine's first one.
	Namespace uint64
	Own       bool
	// Container says what kind of container this looks like, empty for none.
	Container string
}

// Kernel is what the system lets this user do with processes.
type Kernel struct {
	// System is GOOS.
	System string
	// Subreaper and Pidfd are why they cannot be had, empty when they can.
	Subreaper, Pidfd string
	Cgroup           Cgroup
	// OtherPID is a process of the same user, 0 when there is none to try it on, and
	// OtherTrouble why its environment cannot be read, empty when it can.
	OtherPID     int
	OtherTrouble string
	// Scope is the kernel's ptrace_scope, -1 where there is none.
	Scope int
	// Hidden is the hidepid option /proc is mounted with, empty without one.
	Hidden string
	// Sockets is why connections cannot be seen, empty when they can.
	Sockets string
}

// Cgroup is where this process stands among the control groups.
type Cgroup struct {
	// Unified says that there is a unified hierarchy.
	Unified bool
	// Path is our group in it.
	Path string
	// Ours says that we may make groups below it and move processes there.
	Ours bool
}

// Limits are the resource limits of this process; -1 is no limit.
type Limits struct {
	// Asked says that they were looked at.
	Asked bool
	// Files is the limit of open files.
	Files int64
	// Processes is the soft limit of processes, and Running how many the user has.
	Processes, Running int64
	// FileSize is the soft limit of the size of a file, in bytes.
	FileSize int64
}

// Service is what looks after the ledger by itself.
type Service struct {
	// Manager is systemd or launchd, empty when neither is there.
	Manager string
	// Units are the files of our service that exist, Problems what is wrong with it;
	// Place is where those of the user would be.
	Units, Problems []string
	Place           string
	// Install is the command that makes them, empty when there is none.
	Install string
	// LingerKnown says that lingering was looked at, and Linger whether it is on.
	LingerKnown, Linger bool
	User                string
}

// Agent is a coding agent and what it has of ours.
type Agent struct {
	Name string
	// Path is where it was found, empty when it was not.
	Path string
	// Version is the first line it says of its version; Failure why there is none.
	Version, Failure string
	// AtHome: it lies below HOME, where what starts it may need something else.
	AtHome bool
	// Hooks is the state of our hooks in HookFile.
	Hooks    HookState
	HookFile string
	// HookTrouble is why HookFile cannot be read, and HookProgram what our hooks in
	// it call.
	HookTrouble, HookProgram string
}

// HookState is how our hooks stand in an agent's settings.
type HookState int

// The states. The zero value is that there are none.
const (
	HooksNone HookState = iota
	HooksInstalled
	// HooksPartly: some are missing, or are those of another version.
	HooksPartly
	// HooksDead: what they call does not exist.
	HooksDead
	// HooksUnreadable: the settings cannot be read.
	HooksUnreadable
)
