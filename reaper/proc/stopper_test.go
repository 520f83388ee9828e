package proc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// temper is how a fake process takes signals.
type temper struct {
	deaf    bool          // ignores everything but KILL and STOP
	slow    time.Duration // dies this long after a polite signal
	denied  bool          // may not be signalled
	undying bool          // sits in a device
	breeds  int           // children it has, one per census, each bred to have one less
}

// one is a fake process.
type one struct {
	Process
	temper
	dies time.Duration // 0: not dying
	got  []syscall.Signal
}

// world is a fake process table with a clock of its own.
type world struct {
	now    time.Duration
	next   int
	ps     []*one
	looks  int
	fails  int // censuses that are to fail
	reaped int
}

func newWorld(ts ...temper) *world {
	w := &world{next: 1 << 22} // above any pid of this machine
	for _, t := range ts {
		w.born(t, 1)
	}
	return w
}

func (w *world) born(t temper, parent int) *one {
	w.next++
	p := &one{Process: Process{PID: w.next, PPID: parent, Start: uint64(w.next), State: 'S', Name: "fake"}, temper: t}
	w.ps = append(w.ps, p)
	return p
}

var errTable = errors.New("table unreadable")

// census lets time do its work and lists everybody, zombies included.
func (w *world) census() ([]Process, error) {
	w.looks++
	w.now += 10 * time.Microsecond
	if w.fails > 0 {
		w.fails--
		return nil, errTable
	}
	var list []Process
	for _, p := range slices.Clone(w.ps) {
		if p.dies > 0 && w.now >= p.dies {
			p.State = 'Z'
		}
		if p.State == 'S' && p.breeds > 0 {
			t := p.temper
			t.breeds--
			p.breeds--
			w.born(t, p.PID)
		}
		list = append(list, p.Process)
	}
	return list, nil
}

func (w *world) find(pid int) *one {
	for _, p := range w.ps {
		if p.PID == pid {
			return p
		}
	}
	return nil
}

func (w *world) send(target Process, sig syscall.Signal) error {
	p := w.find(target.PID)
	switch {
	case p == nil || p.Dead():
		return fmt.Errorf("signal: %w", ErrGone)
	case p.denied:
		return fmt.Errorf("signal: %w", unix.EPERM)
	}
	p.got = append(p.got, sig)
	switch {
	case sig == unix.SIGKILL && p.undying:
		p.State = 'D'
	case sig == unix.SIGKILL:
		p.State = 'Z'
	case sig == unix.SIGSTOP:
		p.State = 'T'
	case sig == unix.SIGCONT:
		p.State = 'S'
	case !p.deaf:
		p.dies = w.now + max(p.slow, 1)
	}
	return nil
}

func (w *world) config() StopConfig {
	return StopConfig{
		Census: w.census, Send: w.send, Grace: LeftoverGrace,
		Now:  func() time.Duration { return w.now },
		Wait: func(ctx context.Context, d time.Duration) error { w.now += d; return ctx.Err() },
		Reap: func() { w.reaped++ },
	}
}

// living are the fakes that are not dead.
func (w *world) living() (n int) {
	for _, p := range w.ps {
		if !p.Dead() {
			n++
		}
	}
	return n
}

func TestStopNobody(t *testing.T) {
	t.Parallel()
	w := newWorld()
	if r := StopUntilQuiet(t.Context(), w.config()); len(r.Stopped)+len(r.Kept)+len(r.Remaining) != 0 || w.looks != 1 || w.reaped != 1 {
		t.Errorf("%+v after %d looks, %d reaps", r, w.looks, w.reaped)
	}
}

// The dead may have had children that moved while we looked.
func TestStopLooksTwiceAtZombies(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{})
	w.ps[0].State = 'Z'
	if r := StopUntilQuiet(t.Context(), w.config()); len(r.Stopped) != 0 || w.looks != 2 {
		t.Errorf("%+v after %d looks", r, w.looks)
	}
}

func TestStopPolitely(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{}, temper{slow: 300 * time.Millisecond})
	r := StopUntilQuiet(t.Context(), w.config())
	if len(r.Stopped) != 2 || len(r.Remaining) != 0 || w.now > 400*time.Millisecond {
		t.Errorf("%+v after %v", r, w.now)
	}
	for _, p := range w.ps {
		if !slices.Equal(p.got, []syscall.Signal{unix.SIGTERM}) {
			t.Errorf("%d got %v", p.PID, p.got)
		}
	}
	for _, s := range r.Stopped {
		if s.Signal != unix.SIGTERM || s.Command != "[fake]" {
			t.Errorf("%+v", s)
		}
	}
}

func TestStopTheDeaf(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true}, temper{})
	cfg := w.config()
	cfg.First = unix.SIGINT
	r := StopUntilQuiet(t.Context(), cfg)
	if len(r.Stopped) != 2 || w.living() != 0 || w.now > 1100*time.Millisecond {
		t.Errorf("%+v after %v", r, w.now)
	}
	if r.Stopped[0].Signal != unix.SIGKILL || r.Stopped[1].Signal != unix.SIGINT {
		t.Errorf("%+v", r.Stopped)
	}
}

func TestStopWakesTheStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{})
	w.ps[0].State = 'T'
	if r := StopUntilQuiet(t.Context(), w.config()); len(r.Stopped) != 1 || !slices.Equal(w.ps[0].got, []syscall.Signal{unix.SIGTERM, unix.SIGCONT}) {
		t.Errorf("%+v, got %v", r, w.ps[0].got)
	}
}

func TestStopBreeders(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true, breeds: 40}, temper{deaf: true, breeds: 40})
	cfg := w.config()
	cfg.Grace = 0
	if r := StopUntilQuiet(t.Context(), cfg); w.living() != 0 || len(r.Remaining) != 0 || w.now > 2*time.Second {
		t.Errorf("%d live, %d remain after %v", w.living(), len(r.Remaining), w.now)
	}
}

// What may not be signalled is named, and does not hold up the rest.
func TestStopDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{denied: true}, temper{})
	r := StopUntilQuiet(t.Context(), w.config())
	if len(r.Stopped) != 1 || len(r.Remaining) != 1 || w.now > 100*time.Millisecond {
		t.Fatalf("%+v after %v", r, w.now)
	}
	if r.Remaining[0].Reason != "signal: operation not permitted" {
		t.Errorf("reason %q", r.Remaining[0].Reason)
	}
}

func TestStopGivesUpAtTheBound(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{undying: true, deaf: true}, temper{deaf: true})
	r := StopUntilQuiet(t.Context(), w.config())
	if len(r.Stopped) != 1 || len(r.Remaining) != 1 || w.now < StopBound || w.now > StopBound+time.Second {
		t.Fatalf("%+v after %v", r, w.now)
	}
	if r.Remaining[0].Reason == "" {
		t.Error("no reason")
	}
}

// A grace as long as the bound still leaves time to kill.
func TestStopGraceLeavesTimeToKill(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true})
	cfg := w.config()
	cfg.Grace, cfg.Bound = time.Hour, 5*time.Second
	if r := StopUntilQuiet(t.Context(), cfg); len(r.Stopped) != 1 || w.now > 5*time.Second {
		t.Errorf("%+v after %v", r, w.now)
	}
}

func TestStopHurriesWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true})
	ctx, cancel := context.WithCancel(t.Context())
	cfg := w.config()
	cfg.Send = func(p Process, sig syscall.Signal) error {
		cancel()
		return w.send(p, sig)
	}
	if r := StopUntilQuiet(ctx, cfg); len(r.Stopped) != 1 || w.now > 100*time.Millisecond {
		t.Errorf("%+v after %v", r, w.now)
	}
}

// The spared are spared with everything below them, at every step.
func TestStopKeeps(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true}, temper{deaf: true})
	kept := w.ps[0]
	below := w.born(temper{deaf: true}, kept.PID)
	deeper := w.born(temper{}, below.PID)
	cfg := w.config()
	cfg.Keep = func(p Process) (string, bool) { return "asked for", p.PID == kept.PID }
	r := StopUntilQuiet(t.Context(), cfg)
	if len(r.Stopped) != 1 || len(r.Kept) != 3 || len(r.Remaining) != 0 {
		t.Errorf("%+v", r)
	}
	for _, p := range []*one{kept, below, deeper} {
		if len(p.got) != 0 {
			t.Errorf("kept %d got %v", p.PID, p.got)
		}
	}
	for _, k := range r.Kept {
		if k.Reason != "asked for" {
			t.Errorf("%+v", k)
		}
	}
}

// One that turns out to be spared after it was halted goes on.
func TestStopReleasesALateKeep(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true})
	cfg := w.config()
	cfg.Grace = 0
	cfg.Keep = func(Process) (string, bool) { return "late", len(w.ps[0].got) > 0 }
	r := StopUntilQuiet(t.Context(), cfg)
	if len(r.Kept) != 1 || !slices.Equal(w.ps[0].got, []syscall.Signal{unix.SIGSTOP, unix.SIGCONT}) {
		t.Errorf("%+v, got %v", r, w.ps[0].got)
	}
}

func TestStopNeverSignalsItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	own := []int{0, 1, syscall.Getpid(), syscall.Getppid()}
	for _, pid := range own {
		w.ps = append(w.ps, &one{Process: Process{PID: pid, Start: 1, State: 'S'}})
	}
	if r := StopUntilQuiet(t.Context(), w.config()); len(r.Stopped)+len(r.Remaining)+len(r.Kept) != 0 {
		t.Errorf("%+v", r)
	}
	for _, p := range w.ps {
		if len(p.got) != 0 {
			t.Errorf("%d got %v", p.PID, p.got)
		}
	}
}

// A census that fails now and then is no proof of quiet; one that always fails
// holds nobody up.
func TestStopUnreadableTable(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{})
	w.fails = 2
	if r := StopUntilQuiet(t.Context(), w.config()); len(r.Stopped) != 1 || r.Err != nil {
		t.Errorf("%+v", r)
	}
	w = newWorld(temper{})
	w.fails = 1 << 20
	if r := StopUntilQuiet(t.Context(), w.config()); !errors.Is(r.Err, errTable) || w.now > time.Second {
		t.Errorf("%+v after %v", r, w.now)
	}
}

// The default wait is package time's.
func TestStopDefaultWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := wait(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("wait() = %v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if wait(ctx, time.Minute) == nil {
			t.Error("wait outlasts its context")
		}
	})
}

// Whatever the processes are like: the stop ends in time, nobody is forgotten,
// and only those that cannot be ended remain.
func TestStopAlwaysConverges(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) temper {
			return temper{
				deaf:    rapid.Bool().Draw(t, "deaf"),
				slow:    time.Duration(rapid.IntRange(0, 2000).Draw(t, "slow")) * time.Millisecond,
				denied:  rapid.IntRange(0, 5).Draw(t, "denied") == 0,
				undying: rapid.IntRange(0, 5).Draw(t, "undying") == 0,
				breeds:  rapid.IntRange(0, 5).Draw(t, "breeds"),
			}
		}), 0, 6).Draw(t, "kinds")
		w := newWorld(kinds...)
		r := StopUntilQuiet(context.Background(), w.config())
		if w.now > StopBound+time.Second {
			t.Fatalf("took %v", w.now)
		}
		if len(r.Remaining) != w.living() {
			t.Fatalf("%d remain, %d live", len(r.Remaining), w.living())
		}
		for _, p := range r.Remaining {
			if f := w.find(p.Process.PID); !f.denied && !f.undying {
				t.Fatalf("%+v remains", f)
			}
		}
	})
}

// fakeGroup is a control group of everybody in a world.
type fakeGroup struct {
	*world
	frozen bool
	log    []string
}

func (g *fakeGroup) Members() (pids []int, err error) {
	for _, p := range g.ps {
		if !p.Dead() {
			pids = append(pids, p.PID)
		}
	}
	return pids, nil
}

func (g *fakeGroup) Freeze(on bool) error {
	g.frozen = on
	g.log = append(g.log, map[bool]string{true: "halt", false: "go on"}[on])
	return nil
}

func (g *fakeGroup) Kill() error {
	if !g.frozen {
		g.log = append(g.log, "killed while it ran")
	}
	for _, p := range g.ps {
		p.State = 'Z'
	}
	g.log = append(g.log, "kill")
	return nil
}

// A group that is halted for the blow is not let go by a look that would have halted
// it as well.
func TestStopHoldsAGroupOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(temper{deaf: true})
	g := &fakeGroup{world: w}
	s := newStop(w.config())
	s.groups, s.restless = []group{g}, func() []group { return []group{g} }
	s.census()
	if !slices.Equal(g.log, []string{"halt", "go on"}) || w.looks != 2 {
		t.Errorf("a look at the restless: %q, %d looks", g.log, w.looks)
	}
	g.log = nil
	s.killGroups()
	if !slices.Equal(g.log, []string{"halt", "kill", "go on"}) || w.living() != 0 {
		t.Errorf("the blow: %q, %d live", g.log, w.living())
	}
}
