package proc

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// identity tells two processes of one boot apart.
type identity struct {
	pid   int
	start uint64
}

// target is what a stop knows of one process.
type target struct {
	Process
	command string
	last    syscall.Signal // the last signal it took; 0 for none
	frozen  bool           // it was sent SIGSTOP
	refused bool           // it may not be signalled, now or later
	reason  string         // why it is kept, or cannot be ended
	kept    bool
	lives   bool // as of the last census
}

// stop is one run of StopUntilQuiet.
type stop struct {
	StopConfig
	deadline  time.Duration
	groups    []group
	restless  func() []group
	halted    map[group]bool // what this stop holds halted, and nobody else lets go
	protected func() map[int]bool
	command   func(Process) string

	spare map[int]bool // protected's answer, once needed
	known map[identity]*target
	order []*target // known, as first seen
	live  []*target // of the last census: alive, not kept, not refused
	seen  int       // processes in the last census, zombies included
	err   error     // of the last census
	took  time.Duration
	fails int // censuses that failed in a row
}

// census looks again. A failed one leaves the picture as it was.
func (s *stop) census() {
	if s.Reap != nil {
		s.Reap()
	}
	began := s.Now()
	list, err := s.look()
	s.took, s.err = s.Now()-began, err
	if err != nil {
		s.fails++
		return
	}
	s.fails = 0
	for _, t := range s.order {
		t.lives = false
	}
	s.seen, s.live = len(list), s.live[:0]
	keptBelow := map[int]string{}
	for _, p := range list {
		if p.Dead() || s.spares(p.PID) {
			continue
		}
		t := s.meet(p)
		s.decideKeep(t, keptBelow)
		if t.kept && t.frozen {
			t.frozen = false
			s.signal(t, unix.SIGCONT) // it turned out to be spared
		}
		if !t.kept && !t.refused {
			s.live = append(s.live, t)
		}
	}
}

// look takes a census, and another one with the restless groups halted. What then
// cannot be read is judged by the first.
func (s *stop) look() ([]Process, error) {
	list, err := s.Census()
	if err != nil {
		return nil, err
	}
	if held := s.halt(s.restless()); len(held) > 0 {
		defer s.goOn(held)
		if again, err := s.Census(); err == nil {
			list = again
		}
	}
	return list, nil
}

// halt halts those of some groups that can be and are not, and gives them.
func (s *stop) halt(groups []group) (held []group) {
	for _, g := range groups {
		if !s.halted[g] && g.Freeze(true) == nil {
			s.halted[g] = true
			held = append(held, g)
		}
	}
	return held
}

// goOn lets groups go on that were halted.
func (s *stop) goOn(held []group) {
	for _, g := range held {
		delete(s.halted, g)
		_ = g.Freeze(false) // one that is gone needs it no more
	}
}

// spares says whether a pid must never be signalled.
func (s *stop) spares(pid int) bool {
	if s.spare == nil {
		s.spare = s.protected()
	}
	return s.spare[pid]
}

// meet finds or adds the target for a process of the census.
func (s *stop) meet(p Process) *target {
	id := identity{p.PID, p.Start}
	t := s.known[id]
	if t == nil {
		// Asked for at first sight: the dead have no command line.
		t = &target{command: bracketed(p)}
		if len(s.order) < maxCommands {
			t.command = s.command(p)
		}
		s.known[id], s.order = t, append(s.order, t)
	}
	t.Process, t.lives = p, true
	return t
}

// decideKeep asks whether a target is spared, by itself or with an ancestor
// that precedes it in this census. Once spared it stays so.
func (s *stop) decideKeep(t *target, keptBelow map[int]string) {
	if reason, ok := keptBelow[t.PPID]; ok && !t.kept {
		t.kept, t.reason = true, reason
	}
	if !t.kept && s.Keep != nil {
		if reason, keep := s.Keep(t.Process); keep {
			t.kept, t.reason = true, reason
		}
	}
	if t.kept {
		keptBelow[t.PID] = t.reason
	}
}

// grace sends the first signal to everybody and waits for them to leave. It
// returns false when somebody is left for the kill.
func (s *stop) grace(ctx context.Context) bool {
	if s.First == unix.SIGKILL || s.Grace <= 0 {
		return false
	}
	for _, t := range s.live {
		s.send(t, s.First)
		if t.Stopped() {
			s.send(t, unix.SIGCONT) // or it would never see the first
		}
	}
	return s.settle(ctx, min(s.Now()+s.Grace, s.deadline-killMargin), func() {})
}

// kill kills whoever is left, newborns included, until it is quiet or the
// bound is reached.
func (s *stop) kill(ctx context.Context) {
	quiet := s.settle(ctx, s.deadline, func() {
		s.killGroups()
		s.freeze()
		for _, t := range s.live {
			s.send(t, unix.SIGKILL)
		}
	})
	if !quiet {
		s.census() // the report is to tell who fell to the last kill
	}
}

// settle acts and looks again, at growing intervals, until two looks in a row
// find nobody or the time is over. It returns true for quiet.
func (s *stop) settle(ctx context.Context, end time.Duration, act func()) bool {
	pause := firstLook
	for quiet := 0; ; s.census() {
		switch {
		case s.err != nil || len(s.live) > 0:
			quiet = 0
			act()
		default:
			// Quiet is confirmed quickly; stubbornness is watched with patience, and
			// never for more than half of the time.
			quiet, pause = quiet+1, firstLook
		}
		left := end - s.Now()
		switch {
		case quiet == 2:
			return true
		case left <= 0, s.fails > maxFailures, s.Wait(ctx, min(max(pause, s.took), left)) != nil:
			return false
		}
		pause = min(2*pause, lastLook)
	}
}

// killGroups kills the groups in which nobody is spared. They are halted for as
// long as it takes to look once more: only then does nobody turn into, or bear, one
// who is to be spared, and nobody becomes another faster than we look. A group in
// which somebody is spared is never halted, or once if that was not known.
func (s *stop) killGroups() {
	spared := map[int]bool{}
	for _, t := range s.order {
		spared[t.PID] = spared[t.PID] || t.lives && (t.kept || t.refused)
	}
	var free []group
	for _, g := range s.groups {
		pids, err := g.Members()
		if err == nil && len(pids) > 0 && !slices.ContainsFunc(pids, func(pid int) bool { return spared[pid] }) {
			free = append(free, g)
		}
	}
	held := s.halt(free)
	if len(held) == 0 {
		return
	}
	// The dead do not mind, and everybody else goes on.
	defer s.goOn(held)
	s.census()
	for _, g := range held {
		all := s.condemned(g)
		switch {
		case s.err != nil:
		case len(all) == 0:
			s.groups = slices.DeleteFunc(s.groups, func(other group) bool { return other == g })
		case g.Kill() == nil:
			for _, t := range all {
				t.last, t.frozen = unix.SIGKILL, true
			}
		}
	}
}

// condemned are the members of a group, if all of them are to be killed.
func (s *stop) condemned(g group) []*target {
	pids, err := g.Members()
	if err != nil {
		return nil
	}
	all := make([]*target, 0, len(pids))
	for _, pid := range pids {
		i := slices.IndexFunc(s.live, func(t *target) bool { return t.PID == pid })
		if i < 0 {
			return nil
		}
		all = append(all, s.live[i])
	}
	return all
}

// freeze stops everybody and looks again until nobody new turns up: what does
// not run bears no children, so that the kill that follows leaves none behind.
func (s *stop) freeze() {
	for range freezePasses {
		fresh := 0
		for _, t := range s.live {
			if !t.frozen {
				t.frozen = true
				s.signal(t, unix.SIGSTOP)
				fresh++
			}
		}
		if fresh == 0 || s.Now() >= s.deadline {
			return
		}
		s.census()
	}
}

// send signals a target and remembers it as the signal it took.
func (s *stop) send(t *target, sig syscall.Signal) {
	if s.signal(t, sig) && sig != unix.SIGCONT {
		t.last = sig
	}
}

// signal signals a target and says whether it arrived.
func (s *stop) signal(t *target, sig syscall.Signal) bool {
	if t.refused {
		return false
	}
	err := s.Send(t.Process, sig)
	if err != nil && !errors.Is(err, ErrGone) {
		t.refused, t.reason = refused(err), err.Error()
	}
	return err == nil
}

// report sorts everybody met by what became of them.
func (s *stop) report() Report {
	r := Report{Err: s.err}
	for _, t := range s.order {
		switch {
		case t.kept && t.lives:
			r.Kept = append(r.Kept, Kept{t.Process, t.command, t.reason})
		case t.lives:
			r.Remaining = append(r.Remaining, Remaining{t.Process, t.command, t.standing()})
		case t.last != 0:
			r.Stopped = append(r.Stopped, Stopped{t.Process, t.command, t.last})
		}
	}
	return r
}

// standing says why a target still stands.
func (t *target) standing() string {
	switch {
	case t.reason != "":
		return t.reason
	case t.State == 'D':
		return "waits in the kernel and cannot be killed"
	default:
		return "has not ended yet"
	}
}
