package reaper

import "github.com/ocr-run/ocr-run/reaper/proc"

// Verdict is what the reaper does about a process.
type Verdict string

// The verdicts.
const (
	// VerdictNone leaves a process alone: it is nobody's, or its own wrapper's.
	VerdictNone Verdict = "none"
	// VerdictStop stops it.
	VerdictStop Verdict = "stop"
	// VerdictKeep spares it on purpose.
	VerdictKeep Verdict = "keep"
	// VerdictReport names it and leaves it alone: there is not proof enough.
	VerdictReport Verdict = "report"
)

// sparing is why a process is spared whatever run is judged; of is the living run
// it belongs to, nil when that is not the reason.
type sparing struct {
	reason string
	of     *run
}

// judge decides about a process as one of a run.
func (s *scene) judge(p proc.Process, r *run, rungs []Rung) (Verdict, string) {
	switch r.standing {
	case StandingLive:
		return VerdictNone, "its own wrapper looks after it"
	case StandingElsewhere:
		return VerdictNone, "the run was on another machine, in another boot or in a pid namespace that cannot be seen from here"
	case StandingDead, StandingEnded:
	}
	switch {
	case len(holding(rungs)) == 0:
		return VerdictNone, "nothing says that it belongs to the run"
	case s.protected[p.PID]:
		return VerdictKeep, "it is this command or one of its ancestors"
	}
	if reason, kept := s.keeps(p, r); kept {
		return VerdictKeep, reason
	}
	m := s.marker(p.PID)
	switch {
	case m.err != nil:
		return VerdictReport, "its environment cannot be read, so that nobody knows whether it is to be kept"
	case !enough(rungs):
		return VerdictReport, "one proof is not enough; two are needed, or its exact identity"
	case r.standing == StandingDead:
		return VerdictStop, "the run's wrapper and monitor are dead"
	default:
		return VerdictStop, "the run has ended"
	}
}

// keeps says whether a process is spared when run r is tidied up after, by itself
// or with somebody above it. Who is older than the run was not started by it, and
// says nothing about what was: a run in a window of a tmux server is not shared.
func (s *scene) keeps(p proc.Process, r *run) (reason string, kept bool) {
	if reason, kept := r.keptAtEnd(p); kept {
		return reason, true
	}
	at := p
	for range maxDepth {
		if reason, kept := s.keepsFor(at, r); kept {
			return reason, true
		}
		up, ok := s.byPID[at.PPID]
		if !ok || up.PID <= 1 || up.Start > at.Start || up.Start < r.start() {
			break
		}
		at = up
	}
	return "", false
}

// keepsFor says whether a process by itself is spared when run r is tidied up
// after. A living run keeps what is below it, except from the runs that were
// started in it: what escapes from one of those ends up below it as well.
func (s *scene) keepsFor(p proc.Process, r *run) (reason string, kept bool) {
	// The command itself is what a dead wrapper was there to end; what is kept at
	// the end of a run is what outlives its command.
	isCommand := identityOf(p) == process{r.Launch.Child.PID, r.Launch.Child.StartTicks}
	if m := s.marker(p.PID); !isCommand && m.err == nil && m.Spared(r.UID) {
		return "it is meant to outlive the run", true
	}
	w := s.sparing(p)
	if w.of != nil && (w.of == r || proc.Marker{Lineage: r.Lineage}.Below(w.of.UID)) {
		return "", false
	}
	return w.reason, w.reason != ""
}

// sparing says why a process is spared whatever run is judged, asked for once.
func (s *scene) sparing(p proc.Process) sparing {
	w, known := s.spared[p.PID]
	if !known {
		w = s.sparingOf(p)
		s.spared[p.PID] = w
	}
	return w
}

// sparingOf finds out why a process is spared: it looks after a living run or
// belongs to one, it belongs to a run of another ledger, or it serves everybody.
func (s *scene) sparingOf(p proc.Process) sparing {
	if r := s.wrappers[identityOf(p)]; r != nil {
		return sparing{"it looks after execution " + r.UID, r}
	}
	m := s.marker(p.PID)
	if m.err == nil && m.UID != "" {
		switch r := s.runs[m.UID]; {
		case r == nil:
			return sparing{"it belongs to execution " + m.UID + " of another ledger", nil}
		case r.standing == StandingLive:
			return sparing{"it belongs to execution " + m.UID + ", which is looked after", r}
		case r.standing == StandingElsewhere:
			return sparing{"it belongs to execution " + m.UID + ", which cannot be judged from here", r}
		}
	}
	if uid := s.wraps(p); uid != "" {
		return sparing{"it looks after execution " + uid + " of another ledger", nil}
	}
	if args, err := s.sys.args(p.PID); err == nil {
		if what, shared := proc.SharedDaemon(p, args); shared {
			return sparing{"it is a " + what + ", which others may use", nil}
		}
	}
	return sparing{}
}

// wraps is the run of another ledger that a process looks after, empty for none. A
// wrapper carries the marker of the run it was started in; what it starts itself
// carries its own.
func (s *scene) wraps(p proc.Process) (uid string) {
	own := s.marker(p.PID)
	for _, pid := range s.childrenOf(p.PID) {
		if m := s.marker(pid); m.err == nil && m.UID != own.UID && m.UID != "" && s.runs[m.UID] == nil {
			return m.UID
		}
	}
	return ""
}
