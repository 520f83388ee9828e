package lifecycle

// ProcessEnd says how the process of an execution ended, as far as is known.
type ProcessEnd string

// The process ends. A zero value ("") is not one of them: the ledger refuses it.
const (
	// EndQueued is a row whose wrapper waits for its turn to launch.
	EndQueued ProcessEnd = "queued"
	// EndRunning is a process that was announced or launched and has not ended.
	EndRunning ProcessEnd = "running"
	// EndExited is a process that exited by itself with a code of 0-255.
	EndExited ProcessEnd = "exited"
	// EndSignalled is a process that died of a signal.
	EndSignalled ProcessEnd = "signalled"
	// EndLost is a process whose wrapper vanished before anybody saw the end.
	EndLost ProcessEnd = "lost"
	// EndNotStarted is a process that could not be launched (125, 126, 127).
	EndNotStarted ProcessEnd = "not-started"
)

// ProcessEnds lists every process end, in the order of a life.
func ProcessEnds() []ProcessEnd {
	return []ProcessEnd{EndQueued, EndRunning, EndExited, EndSignalled, EndLost, EndNotStarted}
}

// Over says whether the end is final. A lost end may still learn its real exit
// from the same wrapper generation; it counts as over all the same.
func (e ProcessEnd) Over() bool { return e != EndQueued && e != EndRunning }

// StoppedBy names who ended a process that did not end by itself. The zero
// value means: nobody we know of.
type StoppedBy string

// Who can stop a process.
const (
	StoppedByNobody   StoppedBy = ""
	StoppedByUser     StoppedBy = "user"
	StoppedByParent   StoppedBy = "parent"
	StoppedByDeadline StoppedBy = "deadline"
	StoppedByTerminal StoppedBy = "terminal"
	StoppedByReaper   StoppedBy = "reaper"
	StoppedByIdle     StoppedBy = "idle"
	StoppedByStalled  StoppedBy = "stalled"
	StoppedByRunaway  StoppedBy = "runaway"
	StoppedByFenced   StoppedBy = "fenced"
)

// Stoppers lists everybody who can stop a process, without StoppedByNobody.
func Stoppers() []StoppedBy {
	return []StoppedBy{
		StoppedByUser, StoppedByParent, StoppedByDeadline, StoppedByTerminal, StoppedByReaper,
		StoppedByIdle, StoppedByStalled, StoppedByRunaway, StoppedByFenced,
	}
}

// Process is how the process of an execution ended.
type Process struct {
	End ProcessEnd
	// ExitCode is 0-255, set only for EndExited and EndNotStarted.
	ExitCode *int
	// Signal is the signal number, set only for EndSignalled.
	Signal *int
	// CoreDumped is true when the kernel wrote a core for EndSignalled.
	CoreDumped bool
	// StoppedBy is who ended it; zero when nobody did.
	StoppedBy StoppedBy
	// StopFailed is true when a stop was asked for and the process outlived
	// its grace: the end that came later is its own.
	StopFailed bool
}

// exitedZero says whether the process exited by itself with code 0.
func (p Process) exitedZero() bool {
	return p.End == EndExited && p.ExitCode != nil && *p.ExitCode == 0
}
