package reaper

import (
	"fmt"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Proof is one kind of evidence that a process belongs to an execution.
type Proof string

// The ladder of proofs, the strongest first. Session, group and terminal are one
// proof: who has the one nearly always has the others.
const (
	// ProofIdentity is the exact process the ledger names: pid and start. It is
	// enough alone.
	ProofIdentity Proof = "identity"
	// ProofCgroup is a process in the execution's own control group.
	ProofCgroup Proof = "cgroup"
	// ProofDescent is a process below one the ledger names.
	ProofDescent Proof = "descent"
	// ProofSession is a process in a session or a group that the execution made, or
	// one that holds the terminal that was made for it.
	ProofSession Proof = "session"
	// ProofMarker is a process with the execution's marker in its environment,
	// lineage included.
	ProofMarker Proof = "marker"
)

// Rung is the answer to one proof.
type Rung struct {
	Proof Proof
	Holds bool
	// Detail says what was found, for a person.
	Detail string
}

// ladder holds a process against a run, proof by proof. A process that is older
// than the run has none.
func (s *scene) ladder(p proc.Process, r *run) []Rung {
	if p.Start < r.start() {
		older := "the process is older than the run"
		return []Rung{
			{ProofIdentity, false, older},
			{ProofCgroup, false, older},
			{ProofDescent, false, older},
			{ProofSession, false, older},
			{ProofMarker, false, older},
		}
	}
	return []Rung{s.identity(p, r), s.cgroup(p, r), s.descent(p, r), s.session(p, r), s.marked(p, r)}
}

// enough says whether proofs allow a process to be stopped: its exact identity, or
// any two others.
func enough(rungs []Rung) bool {
	n := 0
	for _, r := range rungs {
		if r.Holds && r.Proof == ProofIdentity {
			return true
		}
		if r.Holds {
			n++
		}
	}
	return n >= 2
}

// holding are the proofs that hold.
func holding(rungs []Rung) []Proof {
	var found []Proof
	for _, r := range rungs {
		if r.Holds {
			found = append(found, r.Proof)
		}
	}
	return found
}

// identity asks whether the ledger names this very process.
func (s *scene) identity(p proc.Process, r *run) Rung {
	if what, ok := r.named[identityOf(p)]; ok {
		return Rung{ProofIdentity, true, "the ledger names it: " + what}
	}
	return Rung{ProofIdentity, false, "the ledger does not name it"}
}

// cgroup asks for the execution's own control group.
func (s *scene) cgroup(p proc.Process, r *run) Rung {
	top := r.Launch.Cgroup
	if top == "" {
		return Rung{ProofCgroup, false, "the run had no control group of its own"}
	}
	path, err := s.sys.cgroup(p.PID)
	if err != nil {
		return Rung{ProofCgroup, false, err.Error()}
	}
	return Rung{ProofCgroup, proc.InCgroup(path, top), "its control group is " + path}
}

// descent looks for a named process above. A parent is older than its child; what
// is not is another process that took over the number while the table was read.
func (s *scene) descent(p proc.Process, r *run) Rung {
	below := p
	for range maxDepth {
		up, ok := s.byPID[below.PPID]
		if !ok || up.PID <= 1 || up.Start > below.Start {
			break
		}
		if what, ok := r.named[identityOf(up)]; ok {
			return Rung{ProofDescent, true, fmt.Sprintf("process %d above it is named by the ledger: %s", up.PID, what)}
		}
		below = up
	}
	return Rung{ProofDescent, false, fmt.Sprintf("nobody above it is named by the ledger, up to process %d", below.PPID)}
}

// maxDepth bounds the way up through parents.
const maxDepth = 256

// session asks for a session or group that the run made, or for the terminal that
// was made for it. The kernel gives the
// number of either to nobody else while it has a member. One whose leader lives
// and is another process than we know has nothing to do with the run.
func (s *scene) session(p proc.Process, r *run) Rung {
	for _, c := range []struct {
		what string
		id   int
	}{{"session", p.SID}, {"group", p.PGID}} {
		start, ours := r.leaders[c.id]
		if !ours || p.Start < start {
			continue
		}
		if leader, lives := s.byPID[c.id]; lives && leader.Start != start {
			continue
		}
		return Rung{ProofSession, true, fmt.Sprintf("the run made its %s, %d", c.what, c.id)}
	}
	if r.Launch.TTY != "" && !r.afar && s.sys.holds(p.PID, r.Launch.TTY) {
		return Rung{ProofSession, true, "it holds the terminal that was made for the run, " + r.Launch.TTY}
	}
	return Rung{ProofSession, false, fmt.Sprintf("the run made neither its session, %d, nor its group, %d", p.SID, p.PGID)}
}

// marked asks for the marker with its lineage.
func (s *scene) marked(p proc.Process, r *run) Rung {
	m := s.marker(p.PID)
	switch {
	case m.err != nil:
		return Rung{ProofMarker, false, m.err.Error()}
	case m.UID == "":
		return Rung{ProofMarker, false, "its environment names no run"}
	case m.UID != r.UID:
		return Rung{ProofMarker, false, "its environment names run " + m.UID}
	case m.Lineage != r.Lineage:
		return Rung{ProofMarker, false, "its environment names the run with another lineage, " + m.Lineage}
	default:
		return Rung{ProofMarker, true, "its environment names the run and its lineage"}
	}
}

// process is what tells two processes of one boot apart.
type process struct {
	pid   int
	start uint64
}

// identityOf is the identity of a line of the process table.
func identityOf(p proc.Process) process { return process{p.PID, p.Start} }

// named collects the processes the ledger names for an execution, each with what
// it is, and leaders the sessions and groups they lead.
func named(e store.Execution) (named map[process]string, leaders map[int]uint64) {
	named, leaders = map[process]string{}, map[int]uint64{}
	add := func(pid int, start uint64, what string) {
		if pid > 1 && start > 0 && named[process{pid, start}] == "" {
			named[process{pid, start}] = what
			leaders[pid] = start
		}
	}
	child, monitor := e.Launch.Child, e.Launch.Monitor
	add(child.PID, child.StartTicks, "the command of the run")
	if monitor.PID != e.Wrapper.PID {
		add(monitor.PID, monitor.StartTicks, "the monitor of the run")
	}
	for _, d := range e.Descendants {
		add(d.PID, d.StartTicks, "seen below the run by its last heartbeat")
	}
	for _, l := range e.Leftovers.Remaining {
		add(l.PID, l.StartTicks, "a leftover of the run")
	}
	return named, leaders
}
