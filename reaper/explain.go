package reaper

import (
	"context"
	"fmt"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// Explanation is whose a process is, as far as can be told, and what a sweep would
// do about it.
type Explanation struct {
	Process proc.Process
	Command string
	// UID is the execution that decides, empty when the process is nobody's.
	UID     string
	Verdict Verdict
	Reason  string
	// Claims are the executions it may belong to, the one it is marked with first.
	Claims []Claim
}

// Claim is what speaks for a process belonging to an execution.
type Claim struct {
	UID      string
	Standing Standing
	Verdict  Verdict
	Reason   string
	// Rungs are all proofs, those that fail included.
	Rungs []Rung
}

// Explain tells whose a process is. It changes nothing. A pid without a living
// process is proc.ErrGone.
func Explain(ctx context.Context, c Config, pid int) (Explanation, error) {
	s, err := sceneOf(ctx, c.Ledger, c.StateDir, c.Observe(), c.system())
	if err != nil {
		return Explanation{}, err
	}
	p, ok := s.byPID[pid]
	if !ok || p.Dead() {
		return Explanation{}, fmt.Errorf("process %d: %w", pid, proc.ErrGone)
	}
	return s.explain(p), nil
}

// explain tells whose a process is.
func (s *scene) explain(p proc.Process) Explanation {
	x := Explanation{Process: p, Command: s.commandOf(p), Verdict: VerdictNone}
	for _, r := range s.candidates(p) {
		c := Claim{UID: r.UID, Standing: r.standing, Rungs: s.ladder(p, r)}
		c.Verdict, c.Reason = s.judge(p, r, c.Rungs)
		x.Claims = append(x.Claims, c)
		if x.UID == "" && len(holding(c.Rungs)) > 0 {
			x.UID, x.Reason = c.UID, c.Reason
		}
	}
	switch step, decided := s.decide(p); {
	case decided:
		x.UID, x.Verdict, x.Reason = step.UID, step.Verdict, step.Reason
	case x.UID == "":
		x.Reason = s.nobodys(p)
	}
	return x
}

// nobodys says why a process belongs to no run we know.
func (s *scene) nobodys(p proc.Process) string {
	m := s.marker(p.PID)
	switch r := s.wrappers[identityOf(p)]; {
	case r != nil && p.PID == r.Wrapper.PID:
		return "it is the wrapper of execution " + r.UID + ", which lives"
	case r != nil:
		return "it looks after execution " + r.UID + ", which lives"
	case m.err != nil:
		return "the ledger names neither it nor anybody above it, and " + m.err.Error()
	case m.UID != "" && s.runs[m.UID] == nil:
		return "it belongs to execution " + m.UID + " of another ledger"
	case m.UID != "":
		return "its environment names execution " + m.UID + ", and nothing else does"
	default:
		return "neither the ledger nor its environment names a run that it belongs to"
	}
}
