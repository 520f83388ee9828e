package reaper

import (
	"errors"
	"slices"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Standing is who looks after a run.
type Standing string

// The standings.
const (
	// StandingLive is a run whose wrapper or monitor lives, or might.
	StandingLive Standing = "live"
	// StandingDead is a run whose wrapper and monitor are dead while its row is
	// open.
	StandingDead Standing = "dead"
	// StandingEnded is a run that has ended and that nobody looks after.
	StandingEnded Standing = "ended"
	// StandingElsewhere is a run of another machine or boot, or of a pid namespace that
	// cannot be seen from here: nobody can tell who looks after it.
	StandingElsewhere Standing = "elsewhere"
)

// standingOf finds out who looks after a run. Nobody does on proof only: the lease
// is free, and neither the wrapper nor the monitor is there any more. A row's end
// is no proof: the monitor may still be tidying up, and an end that was given to
// a row may be wrong.
func standingOf(e store.Execution, at heartbeat.Observer) Standing {
	lease, _ := leaseOf(e)
	if lease == heartbeat.Yes || lease == heartbeat.Unknown && e.RunFile != "" {
		return StandingLive
	}
	wrapper, monitor := aliveOf(e.Wrapper, at), aliveOf(e.Launch.Monitor, at)
	switch {
	case wrapper == heartbeat.Unknown, monitor == heartbeat.Unknown && e.Launch.Monitor.PID != 0:
		return StandingElsewhere
	case wrapper == heartbeat.Yes, monitor == heartbeat.Yes:
		return StandingLive
	case e.Process.End.Over():
		return StandingEnded
	case abandoned(e, at):
		return StandingDead
	default:
		return StandingLive
	}
}

// isHere says whether a process identity can be asked about: it is of this
// machine, boot and pid namespace.
func isHere(id store.Identity, at heartbeat.Observer) bool {
	return id.PID != 0 && id.BootID != "" && id.BootID == at.Now.BootID && id.MachineID == at.MachineID &&
		id.PIDNamespace == proc.PIDNamespace()
}

// run is an execution as a sweep sees it.
type run struct {
	store.Execution
	standing Standing
	// afar: it was in another pid namespace, or may have been. Its numbers and its
	// terminal are those of others here, and are no proof of anything.
	afar    bool
	named   map[process]string
	leaders map[int]uint64
}

// newRun looks at a row.
func newRun(e store.Execution, at heartbeat.Observer) *run {
	r := &run{Execution: e, standing: standingOf(e, at), afar: !isHere(e.Wrapper, at)}
	if r.named, r.leaders = named(e); r.afar {
		r.named, r.leaders = map[process]string{}, map[int]uint64{}
	}
	return r
}

// start is when the run began, in the kernel's count: nothing older is its. A run
// that was never launched began with its wrapper.
func (r *run) start() uint64 {
	if t := r.Launch.Child.StartTicks; t > 0 {
		return t
	}
	return r.Wrapper.StartTicks
}

// left says whether nobody looks after the processes of the run, which are here.
func (r *run) left() bool { return r.standing == StandingDead || r.standing == StandingEnded }

// keptAtEnd says whether the run's own end spared a process. From afar it is known by
// its start only.
func (r *run) keptAtEnd(p proc.Process) (reason string, kept bool) {
	for _, l := range r.Leftovers.Kept {
		if (l.PID == p.PID || r.afar) && l.StartTicks == p.Start {
			return l.Reason, true
		}
	}
	return "", false
}

// groups are the control groups of the runs that nobody looks after.
func (s *scene) groups() (all []proc.Group) {
	for _, uid := range s.order {
		r := s.runs[uid]
		if g, there := proc.GroupAt(r.Launch.Cgroup); there && r.left() {
			all = append(all, g)
		}
	}
	return all
}

// sparesIn says whether a group must not even be halted: the picture shows somebody
// in it who is spared, us among them, or a run that is looked after has its own group
// in it. Whoever cannot be seen from here is spared as well.
func (s *scene) sparesIn(g proc.Group) bool {
	for _, r := range s.runs {
		if r.standing == StandingLive && proc.InCgroup(r.Launch.Cgroup, g.Path()) {
			return true
		}
	}
	pids, err := g.Members()
	return err != nil || slices.ContainsFunc(pids, s.spares)
}

// spares says whether a member of a group is spared. One who is not in the picture
// yet is not.
func (s *scene) spares(pid int) bool {
	p, there := s.byPID[pid]
	if !there || p.Dead() {
		return pid == 0 // he is of another pid namespace
	}
	if step, _ := s.decide(p); s.protected[pid] || step.Verdict == VerdictKeep {
		return true
	}
	m := s.marker(pid)
	own := s.runs[m.UID]
	return m.err == nil && own != nil && own.standing == StandingLive
}

// restless are the groups in which somebody lives whom the picture does not show:
// he was born while it was taken. Some become another process all the time.
func (s *scene) restless() (all []proc.Group) {
	for _, g := range s.groups() {
		pids, err := g.Members()
		if err == nil && slices.ContainsFunc(pids, s.unseen) {
			all = append(all, g)
		}
	}
	return all
}

// unseen says whether a living process is not in the picture.
func (s *scene) unseen(pid int) bool {
	_, there := s.byPID[pid]
	return (!there || errors.Is(s.marker(pid).err, proc.ErrGone)) && lives(pid)
}
