package reaper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Config is what a sweep works on. Ledger, StateDir and Observe are required.
type Config struct {
	Ledger *store.Ledger
	// StateDir is where the ledger, its spool and its run files lie.
	StateDir string
	// Observe says where and when we are; it is asked anew for each look.
	Observe func() heartbeat.Observer
	// IdleAfter is how long a run may be silent before it is asked to end; 0
	// never asks.
	IdleAfter time.Duration
	// KeepHistory is how long ended runs are remembered; 0 means for ever.
	KeepHistory time.Duration
	// Patience is how long a request to cancel waits at most for a sweep under way; 0
	// is as long as one may take.
	Patience time.Duration
	// Waits is told once when it begins to; nil for nobody.
	Waits func(*HeldError)

	// sys, wait and grace replace the machine and its pace in tests.
	sys   *system
	wait  func(ctx context.Context, d time.Duration) error
	grace time.Duration
}

// spoolDir is where facts wait for the ledger.
func (c Config) spoolDir() string { return filepath.Join(c.StateDir, "spool") }

// system is the machine, or a test's.
func (c Config) system() system {
	if c.sys != nil {
		return *c.sys
	}
	return thisSystem()
}

// pause waits in awake time.
func (c Config) pause(ctx context.Context, d time.Duration) error {
	if c.wait != nil {
		return c.wait(ctx, d)
	}
	return clock.Wait(ctx, d)
}

// RunAction is what is done about a row.
type RunAction string

// The actions on rows.
const (
	// ActionRecover gives the row the end in its exit record.
	ActionRecover RunAction = "recover"
	// ActionLose ends the row as lost: nobody saw its end.
	ActionLose RunAction = "lose"
	// ActionAsk asks a living run to end, because it is idle.
	ActionAsk RunAction = "ask"
)

// RunStep is what is to be done, or was done, about one row.
type RunStep struct {
	UID    string
	Action RunAction
	// Reason says why, for a person.
	Reason string
	// Done: it was done. False in a plan, and after a failure.
	Done bool
}

// ProcessStep is what is to be done, or was done, about one process.
type ProcessStep struct {
	Process proc.Process
	Command string
	// UID is the execution it belongs to.
	UID     string
	Verdict Verdict
	Proofs  []Proof
	Reason  string
	// Signal is what ended it, as in SIGTERM; empty when it lives.
	Signal string
	// Done: what the verdict says has been done.
	Done bool
}

// WorkflowStep is what is to be done, or was done, about one workflow: to close
// it.
type WorkflowStep struct {
	ID, Workspace string
	Reason        string
	Done          bool
}

// Plan is what a sweep would do. Nothing of it has been done.
type Plan struct {
	// At is when the plan was made.
	At store.Instant
	// Spooled is how many executions have facts waiting in the spool.
	Spooled   int
	Runs      []RunStep
	Processes []ProcessStep
	Workflows []WorkflowStep
	// Forget is how much history is too old.
	Forget store.Forgotten

	// left are the runs that nobody looked after when the plan was made.
	left map[string]bool
	// restless: somebody lives in the control group of one of them whom the plan
	// does not know.
	restless bool
}

// Empty says whether there is nothing to do.
func (p Plan) Empty() bool {
	return p.Spooled == 0 && len(p.Runs) == 0 && len(p.Workflows) == 0 && p.Forget == store.Forgotten{} &&
		!slices.ContainsFunc(p.Processes, func(s ProcessStep) bool { return s.Verdict == VerdictStop })
}

// Within is the plan, made now, less all that the one that was agreed to did not show:
// nobody is stopped or asked to end whom that one spared, and nothing is closed or
// forgotten that was not old enough then. What is only written down stays.
func (p Plan) Within(agreed Plan) Plan {
	p.At = agreed.At
	p.left = maps.Clone(p.left)
	maps.DeleteFunc(p.left, func(uid string, _ bool) bool {
		return !agreed.left[uid] || !agreed.restless && !slices.ContainsFunc(agreed.Processes, func(s ProcessStep) bool {
			return s.UID == uid && s.Verdict == VerdictStop
		})
	})
	p.Runs = slices.DeleteFunc(slices.Clone(p.Runs), func(s RunStep) bool {
		return s.Action == ActionAsk && !slices.ContainsFunc(agreed.Runs, func(a RunStep) bool { return a.UID == s.UID && a.Action == ActionAsk })
	})
	return p
}

// Survey looks, and says what a sweep would do. It changes nothing.
func Survey(ctx context.Context, c Config) (Plan, error) {
	at := c.Observe()
	p := Plan{At: at.Now, left: map[string]bool{}}
	var failures []error
	note := func(err error) { failures = append(failures, err) }
	waiting, _, err := store.SpoolState(c.spoolDir())
	p.Spooled = waiting
	note(err)
	s, err := sceneOf(ctx, c.Ledger, c.StateDir, at, c.system())
	if err != nil {
		return p, errors.Join(append(failures, err)...)
	}
	p.Processes, p.restless = s.ofOthers(s.processes()), len(s.restless()) > 0
	dying := map[string]bool{}
	for _, uid := range s.order {
		r := s.runs[uid]
		p.left[uid] = r.left()
		if step, ok := settling(r, at); ok {
			p.Runs, dying[uid] = append(p.Runs, step), true
		} else if step, ok := idling(r.Execution, at, c.IdleAfter); ok && r.standing == StandingLive {
			p.Runs = append(p.Runs, step)
		}
	}
	p.Workflows, err = c.staleWorkflows(ctx, at.Now)
	note(err)
	if c.KeepHistory > 0 {
		p.Forget, err = c.Ledger.Forgettable(ctx, c.forgetBefore(at.Now), s.needed())
		note(err)
	}
	return p, errors.Join(failures...)
}

// forgetBefore is the wall time before which history is too old.
func (c Config) forgetBefore(at store.Instant) int64 {
	return at.WallMS - c.KeepHistory.Milliseconds()
}

// settling is the end a row is to be given, if it is abandoned.
func settling(r *run, at heartbeat.Observer) (RunStep, bool) {
	if r.Process.End.Over() || !abandoned(r.Execution, at) {
		return RunStep{}, false
	}
	if _, seen := recordedEnd(r.Execution); seen {
		return RunStep{UID: r.UID, Action: ActionRecover, Reason: "its wrapper is dead; its monitor left an exit record"}, true
	}
	reason := "its wrapper is dead and left no exit record"
	if r.At.BootID != at.Now.BootID {
		reason = "it was running in another boot of this machine"
	}
	return RunStep{UID: r.UID, Action: ActionLose, Reason: reason}, true
}

// idling asks a living run to end that has been silent for longer than allowed.
// Silence is what passed neither way through its terminal; a run without one
// cannot be told to be silent. A turn under way is work, however quiet. All the
// time the machine slept during the run is taken off: rather too much than a
// minute too little.
func idling(e store.Execution, at heartbeat.Observer, after time.Duration) (RunStep, bool) {
	if after <= 0 || e.LastActivityMS == 0 || e.StoppedSinceMS != 0 || e.StopRequested != lifecycle.StoppedByNobody || atTurn(e.Turn) {
		return RunStep{}, false
	}
	now, beat := at.Now, e.LastBeat
	if beat.BootID != now.BootID || Look(e, at) != heartbeat.LivenessLive {
		return RunStep{}, false
	}
	awake := now.AwakeMS - beat.AwakeMS
	if now.WallMS-beat.WallMS-awake >= wakeGrace.Milliseconds() {
		return RunStep{}, false // it has slept since it was last heard of
	}
	silent := time.Duration(now.WallMS-e.LastActivityMS-e.SuspendedMS) * time.Millisecond
	if e.SuspendedMS > 0 {
		after += wakeGrace // it may have woken only now
	}
	if silent < after {
		return RunStep{}, false
	}
	return RunStep{UID: e.UID, Action: ActionAsk, Reason: fmt.Sprintf("nothing passed its terminal for %s and no turn is under way", silent.Truncate(time.Second))}, true
}

// atTurn says whether a turn is under way.
func atTurn(s lifecycle.TurnState) bool {
	return s == lifecycle.TurnPending || s == lifecycle.TurnRunning
}

// staleWorkflows are the workflows to be closed, by what is old enough at that time.
func (c Config) staleWorkflows(ctx context.Context, at store.Instant) ([]WorkflowStep, error) {
	open, err := c.Ledger.OpenHistories(ctx)
	var stale []WorkflowStep
	for _, h := range open {
		if h.Stale(at) {
			quiet := time.Duration(at.WallMS-h.LastEventMS) * time.Millisecond
			stale = append(stale, WorkflowStep{ID: h.ID, Workspace: h.Workspace, Reason: fmt.Sprintf(
				"nothing happened for %d days and no run is at work on it", int(quiet.Hours()/24))})
		}
	}
	return stale, err
}

// processes judges every living process, in the order of the table.
func (s *scene) processes() (steps []ProcessStep) {
	for _, p := range s.table {
		if p.Dead() || isKernels(p) || errors.Is(s.marker(p.PID).err, proc.ErrGone) {
			continue
		}
		if step, ok := s.decide(p); ok {
			steps = append(steps, step)
		}
	}
	return steps
}

// ofOthers leaves out this command and its ancestors, which a sweep does not list:
// a service manager that was started in a run hands its marker down to every sweep
// it starts.
func (s *scene) ofOthers(steps []ProcessStep) []ProcessStep {
	return slices.DeleteFunc(steps, func(p ProcessStep) bool { return s.protected[p.Process.PID] })
}

// decide is the verdict about a process, if there is one. Where its own run, the
// one it is marked with, has proof enough, that run decides.
func (s *scene) decide(p proc.Process) (ProcessStep, bool) {
	best := ProcessStep{Process: p, Verdict: VerdictNone}
	own := s.marker(p.PID).UID
	for _, r := range s.candidates(p) {
		rungs := s.ladder(p, r)
		v, reason := s.judge(p, r, rungs)
		decides := v == VerdictStop && r.UID == own
		if decides || rank(v) > rank(best.Verdict) {
			best.UID, best.Verdict, best.Reason, best.Proofs = r.UID, v, reason, holding(rungs)
		}
		if decides {
			break
		}
	}
	if best.Verdict == VerdictNone {
		return best, false
	}
	best.Command = s.commandOf(p)
	return best, true
}

// rank orders the verdicts of several runs about one process. Apart from its own
// run, who spares it has more weight than who would stop it.
func rank(v Verdict) int {
	switch v {
	case VerdictKeep:
		return 3
	case VerdictStop:
		return 2
	case VerdictReport:
		return 1
	case VerdictNone:
		return 0
	}
	return 0
}

// commandOf names a process.
func (s *scene) commandOf(p proc.Process) string {
	if args, err := s.sys.args(p.PID); err == nil && len(args) > 0 {
		return strings.Join(args, " ")
	}
	return "[" + p.Name + "]"
}

// needed are the runs that something of still lives, or may.
func (s *scene) needed() []string { return slices.Clone(s.order) }
