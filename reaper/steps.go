package reaper

import (
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// Step is one part of a sweep.
type Step string

// The steps, in the order in which they are done.
const (
	// StepThaw lets those go on who were left halted by a sweep that was killed. It
	// comes first: runs that live may be among them, and their wrappers.
	StepThaw Step = "thaw"
	// StepSpool takes in what the ledger did not take before: a fact that waits
	// there may be the very end a row seems to lack.
	StepSpool Step = "spool"
	// StepSettle gives rows of dead wrappers their end. It comes before anything
	// is stopped: should the sweep die in between, the row names what still lives
	// and the next sweep goes on with it.
	StepSettle Step = "settle"
	// StepProcesses stops what ended runs have left behind. It comes before
	// workflows are looked at, for what still runs may still write to one.
	StepProcesses Step = "processes"
	// StepIdle asks idle runs to end, when that is wanted. They live, and their
	// own wrappers stop them.
	StepIdle Step = "idle"
	// StepWorkflows closes what nobody has touched for long. It comes after the
	// rows: a dead run must not count as one that is still at work.
	StepWorkflows Step = "workflows"
	// StepRunFiles removes the files of runs that need no more looking after.
	StepRunFiles Step = "run-files"
	// StepHistory forgets old runs, when that is wanted. It comes last: nothing
	// is forgotten that one of the steps before still had to do with.
	StepHistory Step = "history"
)

// Timers of the reaper. None of them alone ever decides that something is dead.
const (
	// secondLook lies between the two looks that must agree before anything is
	// signalled. It outlasts a wrapper that replaces itself, a process table read
	// while it changed, and a clock that was just set.
	secondLook = time.Second
	// stopGrace is what a run has by default when it is stopped: an agent that
	// lost its wrapper saves its session as slowly as any other.
	stopGrace = 5 * time.Second
	// stopBound ends the stopping. A sweep has the leftovers of many runs before it,
	// and looks at every process of the machine after each blow: it takes longer
	// than one run does, and nobody waits for it.
	stopBound = 3 * proc.StopBound
	// groupWait is how long the control group of those who were just killed may take
	// to become empty: the kernel takes the dead out of it one by one.
	groupWait = 200 * time.Millisecond
	// wakeGrace is how long after a sleep of the machine nobody is called idle:
	// as long as a silent wrapper is not called late.
	wakeGrace = heartbeat.DefaultStale
	// IdleLeast is the shortest time of silence that may count as idle: agents
	// were seen to wait for an answer for minutes without a byte on the terminal.
	IdleLeast = 5 * time.Minute
	// HistoryLeast is the shortest history that may be kept: longer than what is
	// brought to hosts late, and than the week after which a workflow is stale.
	HistoryLeast = 8 * 24 * time.Hour
)
