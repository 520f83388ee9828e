package reaper

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// contained starts a process in a pid namespace of its own, where it is the first,
// and says how it is known there and how here. kill ends it and waits.
func contained(t *testing.T, env ...string) (there store.Identity, a animal, kill func()) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(os.Args[0], zooArg, "contained")
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), env...), []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
	}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Skipf("no pid namespace is to be had here: %v", err)
	}
	kill = func() { _, _ = cmd.Process.Kill(), cmd.Wait() }
	t.Cleanup(kill)
	if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p, err := proc.Read(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	there = identity(here(t), 1, p.Start)
	link, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.PID), "ns/pid"))
	if err != nil {
		t.Skipf("its pid namespace is not told: %v", err)
	}
	if there.PIDNamespace, err = strconv.ParseUint(strings.Trim(link, "pid:[]"), 10, 64); err != nil {
		t.Fatal(err)
	}
	return there, animal{"contained", p}, kill
}

// seesAll skips a test that needs to know that a process is nowhere.
func seesAll(t *testing.T) {
	t.Helper()
	if _, certain := proc.Locate(1); !certain {
		t.Skip("not every process can be seen from here")
	}
}

// afar writes a running row with a run file that nobody holds.
func (s *sweepTest) afar(wrapper, monitor, child store.Identity, group proc.Group) {
	s.t.Helper()
	at := here(s.t)
	f, err := runfile.Create(s.dir, s.uid)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := f.Release(false); err != nil {
		s.t.Fatal(err)
	}
	announceChild(s.t, s.Ledger, s.dir, s.uid, store.Launch{UID: s.uid, Child: child, Monitor: monitor, Cgroup: group.Path(), At: at.Now}, wrapper, at)
}

// nobody is a process that cannot exist in the namespace of another.
func nobody(id store.Identity) store.Identity {
	id.PID = 1 << 30
	return id
}

// A run in a container that was killed is settled at once, and its group removed: the
// lease is free, and nobody of its namespace lives.
func TestAKilledContainerIsSettled(t *testing.T) {
	t.Parallel()
	seesAll(t)
	s := newSweep(t)
	wrapper, _, kill := contained(t)
	kill()
	g := s.grouped()
	s.afar(wrapper, wrapper, nobody(wrapper), g)
	e, _ := settled(t, s.Ledger, s.dir, s.uid, here(t))
	if e.Process.End != lifecycle.EndLost {
		t.Errorf("end %q", e.Process.End)
	}
	if _, there := proc.GroupAt(g.Path()); there {
		t.Error("its control group is still there")
	}
	if _, err := os.Lstat(e.RunFile); err == nil {
		t.Error("its run file is still there")
	}
	found, err := Audit(t.Context(), s.Config)
	if err != nil || len(found) != 0 {
		t.Errorf("the audit says %+v, %v", found, err)
	}
}

// A wrapper that died is gone, wherever it was; its row waits for the monitor that
// lives, and for one that may live and cannot be seen for as long as it would beat.
func TestAMonitorAfarIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	monitor, _, kill := contained(t)
	s.afar(nobody(monitor), monitor, nobody(monitor), proc.Group{})
	e, r := settled(t, s.Ledger, s.dir, s.uid, here(t))
	if e.Process.End.Over() || Look(e, here(t)) != heartbeat.LivenessGone || standingOf(e, here(t)) == StandingDead {
		t.Errorf("end %q, report %+v, liveness %s, standing %s", e.Process.End, r, Look(e, here(t)), standingOf(e, here(t)))
	}
	unseen := e
	unseen.Launch.Monitor.StartTicks = 0 // so that nobody can tell
	if abandoned(unseen, here(t)) {
		t.Error("a monitor that cannot be seen is not waited for")
	}
	unseen.LastBeat = heartbeat.FactsOf(e).Beat
	unseen.LastBeat.AwakeMS -= 61_000
	if !abandoned(unseen, here(t)) || standingOf(unseen, here(t)) != StandingElsewhere {
		t.Errorf("abandoned %v, standing %s", abandoned(unseen, here(t)), standingOf(unseen, here(t)))
	}
	seesAll(t)
	kill()
	if e, _ := settled(t, s.Ledger, s.dir, s.uid, here(t)); e.Process.End != lifecycle.EndLost {
		t.Errorf("without a monitor: end %q", e.Process.End)
	}
}

// What lives on of a lost run afar is named, with the command line it has here.
func TestASurvivorAfarIsNamed(t *testing.T) {
	t.Parallel()
	seesAll(t)
	s := newSweep(t)
	child, a, _ := contained(t)
	s.afar(nobody(child), nobody(child), child, proc.Group{})
	e, _ := settled(t, s.Ledger, s.dir, s.uid, here(t))
	if left := e.Leftovers.Remaining; len(left) != 1 || left[0].PID != 1 || !strings.Contains(left[0].Command, zooArg) {
		t.Errorf("left: %+v", left)
	}
	// Its number here is another process's there: nothing is proved by it.
	if s.reap(); !a.alive() {
		t.Error("it was stopped without a proof")
	}
}

// In another pid namespace the control group and the marker are proof as here, and
// the numbers of its processes are none.
func TestReapStopsAfar(t *testing.T) {
	t.Parallel()
	seesAll(t)
	s := newSweep(t)
	// The run begins after us, or the runs of other tests below us would spare it.
	wrapper, _, kill := contained(t)
	kill()
	_, a, _ := contained(t, s.marker()...)
	stranger := breed(t, nil, "stranger")[0]
	g := s.grouped(a)
	s.afar(wrapper, wrapper, nobody(wrapper), g)
	at := here(t)
	if _, err := s.Ledger.Beat(t.Context(), store.Beat{UID: s.uid, Generation: 1, At: at.Now, Descendants: []store.Descendant{
		{PID: stranger.PID, StartTicks: stranger.Start, Name: "stranger"},
	}}); err != nil {
		t.Fatal(err)
	}
	r := s.reap()
	if a.alive() || !stranger.alive() {
		t.Errorf("its own lives: %v (%+v), a stranger: %v", a.alive(), verdicts(r.Processes, []animal{a}), stranger.alive())
	}
}

// The wrapper of a run that lives afar is spared, though what started it is dead.
func TestALivingWrapperAfarIsSpared(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	wrapper, a, _ := contained(t, s.marker()...)
	s.row(a) // the run it was started in
	f, err := runfile.Create(s.dir, "inner")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release(true)
	at := here(t)
	inner := store.Launch{UID: "inner", Child: noOne(at), Monitor: wrapper, At: at.Now}
	announceChild(t, s.Ledger, s.dir, "inner", inner, wrapper, at)
	if s.reap(); !a.alive() {
		t.Error("it was stopped")
	}
}

// A wrapper in another pid namespace is told at once, and nobody in its stead.
func TestAWrapperAfarIsWoken(t *testing.T) {
	t.Parallel()
	wrapper, _, kill := contained(t)
	row := store.Execution{Announcement: store.Announcement{Wrapper: wrapper}}
	if !wake(row, here(t)) {
		t.Error("it was not told")
	}
	kill()
	if wake(row, here(t)) {
		t.Error("somebody else was told")
	}
}
