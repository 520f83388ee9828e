package reaper

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// hunt is the stopping of a scene's condemned processes, census by census.
type hunt struct {
	*scene
	// met is what was last decided about each process met.
	met map[process]ProcessStep
	// condemned are those that were to be stopped at some time.
	condemned map[process]bool
}

// census takes a new look at the processes and lists those to be stopped, and
// after them those that once were and live: they may have been halted, and are to
// be set going again. What is met for the first time is named, so that its
// children are known by it when it is gone.
func (h *hunt) census() ([]proc.Process, error) {
	if err := h.look(); err != nil {
		return nil, err
	}
	h.reconsider()
	var list []proc.Process
	now := map[process]bool{}
	for _, step := range h.processes() {
		id := identityOf(step.Process)
		h.met[id] = step
		if step.Verdict == VerdictStop {
			now[id], h.condemned[id] = true, true
			list = append(list, step.Process)
			h.name(h.runs[step.UID], step.Process)
		}
	}
	for id := range h.condemned {
		p, there := h.byPID[id.pid]
		if now[id] || !there || p.Start != id.start || p.Dead() {
			continue
		}
		// One that is about to be gone has no environment any more.
		if step := h.met[id]; step.Verdict == VerdictStop && !errors.Is(h.marker(p.PID).err, proc.ErrGone) {
			step.Verdict, step.Reason = VerdictKeep, "it turned out to be looked after"
			h.met[id] = step
		}
		list = append(list, p)
	}
	return list, nil
}

// restless are the groups in which somebody changes faster than we look, and which
// may be halted.
func (h *hunt) restless() []proc.Group {
	return slices.DeleteFunc(h.scene.restless(), h.sparesIn)
}

// keep spares what is no longer to be stopped.
func (h *hunt) keep(p proc.Process) (reason string, keep bool) {
	step := h.met[identityOf(p)]
	return step.Reason, step.Verdict != VerdictStop
}

// name makes a process one that its run is known to have had.
func (h *hunt) name(r *run, p proc.Process) {
	id := identityOf(p)
	if r.named[id] != "" {
		return
	}
	r.named[id], r.leaders[p.PID] = "found to be of the run by this sweep", p.Start
	h.byProcess[id] = append(h.byProcess[id], r)
	h.byLeader[p.PID] = append(h.byLeader[p.PID], r)
}

// reconsider asks again who looks after the runs that nobody looked after.
func (h *hunt) reconsider() {
	for _, r := range h.runs {
		if r.left() && standingOf(r.Execution, h.at) == StandingLive {
			h.revive(r)
		}
	}
}

// outcomes are the steps met, each with what became of it, by pid.
func (h *hunt) outcomes(report proc.Report) []ProcessStep {
	for _, p := range report.Stopped {
		step := h.met[identityOf(p.Process)]
		step.Done, step.Signal = true, unix.SignalName(p.Signal)
		h.met[identityOf(p.Process)] = step
	}
	for _, p := range report.Remaining {
		step := h.met[identityOf(p.Process)]
		step.Reason = p.Reason
		h.met[identityOf(p.Process)] = step
	}
	steps := make([]ProcessStep, 0, len(h.met))
	for _, step := range h.met {
		// Who ended by himself meanwhile is no news.
		if step.Done || proc.Alive(step.Process.PID, step.Process.Start) {
			steps = append(steps, step)
		}
	}
	slices.SortFunc(steps, func(a, b ProcessStep) int { return a.Process.PID - b.Process.PID })
	return steps
}
