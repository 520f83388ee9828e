package reaper

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// here is an observer on this machine, now.
func here(t *testing.T) heartbeat.Observer {
	t.Helper()
	boot, err := clock.BootID()
	if err != nil {
		t.Fatal(err)
	}
	return heartbeat.Observer{MachineID: "m", Now: heartbeat.InstantOf(clock.System().Now(), boot)}
}

// identity names a process of this machine and boot.
func identity(at heartbeat.Observer, pid int, start uint64) store.Identity {
	return store.Identity{
		MachineID: at.MachineID, BootID: at.Now.BootID, PIDNamespace: proc.PIDNamespace(), PID: pid, StartTicks: start,
	}
}

// me is this process.
func me(t *testing.T, at heartbeat.Observer) store.Identity {
	t.Helper()
	self, err := proc.Self()
	if err != nil {
		t.Fatal(err)
	}
	return identity(at, self.PID, self.Start)
}

// noOne is a process that cannot exist: its pid is above every limit.
func noOne(at heartbeat.Observer) store.Identity { return identity(at, 1<<30, 1) }

// announce writes a running row into l with its run file in dir.
func announce(t *testing.T, l *store.Ledger, dir, uid string, wrapper, monitor store.Identity, at heartbeat.Observer) store.Announcement {
	t.Helper()
	return announceChild(t, l, dir, uid, store.Launch{UID: uid, Child: noOne(at), Monitor: monitor, At: at.Now}, wrapper, at)
}

// announceChild is announce with all of the launch.
func announceChild(t *testing.T, l *store.Ledger, dir, uid string, launch store.Launch, wrapper store.Identity, at heartbeat.Observer) store.Announcement {
	t.Helper()
	a := store.Announcement{
		UID: uid, Lineage: uid, Command: []string{"agent"}, CWD: "/", Workspace: "/", Wrapper: wrapper,
		RunFile: runfile.Path(dir, uid), At: at.Now, BeatMS: 10_000,
	}
	if _, err := l.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := l.Launched(t.Context(), launch); err != nil {
		t.Fatal(err)
	}
	return a
}

// settled runs a sweep and returns the row afterwards.
func settled(t *testing.T, l *store.Ledger, dir, uid string, at heartbeat.Observer) (store.Execution, Report) {
	t.Helper()
	r, err := Settle(t.Context(), l, filepath.Join(dir, "spool"), at)
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Execution(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	return e, r
}

func TestDeadWrapperWithoutRecordIsLost(t *testing.T) {
	t.Parallel()
	l, dir, at := storetest.New(t), t.TempDir(), here(t)
	announce(t, l, dir, "a", noOne(at), noOne(at), at)
	e, r := settled(t, l, dir, "a", at)
	if e.Process.End != lifecycle.EndLost || r.Lost != 1 {
		t.Errorf("end %q, report %+v", e.Process.End, r)
	}
	if _, r := settled(t, l, dir, "a", at); r != (Report{}) {
		t.Errorf("the second sweep did %+v", r)
	}
}

// The end of a wrapper that could not write it into the ledger is its end, whoever comes
// upon the row before upon the spool.
func TestTheLastWordOfADeadWrapperIsHeard(t *testing.T) {
	t.Parallel()
	s, at := newSweep(t), here(t)
	announce(t, s.Ledger, s.dir, s.uid, noOne(at), noOne(at), at)
	journal := store.NewRecorder(store.RecorderConfig{
		SpoolDir: s.spoolDir(), Open: func(context.Context) (*store.Ledger, error) { return nil, store.ErrBusy },
	})
	if _, err := journal.Finish(t.Context(), store.Ending{UID: s.uid, Generation: 1, End: lifecycle.EndExited, ExitCode: new(3), At: at.Now}); err != nil {
		t.Fatal(err)
	}
	if err := Await(t.Context(), s.Config, s.uid); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Ledger.Execution(t.Context(), s.uid); err != nil || e.Process.End != lifecycle.EndExited || len(e.Evidence) != 0 {
		t.Errorf("%+v, %v", e.Process, err)
	}
}

// What lives on of a lost run is named: by its exact identity, and here only.
func TestSurvivorsOfALostRunAreNamed(t *testing.T) {
	t.Parallel()
	self, at := me(t, here(t)), here(t)
	for name, c := range map[string]struct {
		child store.Identity
		list  []store.Descendant
		boot  string
		want  int
	}{
		"the command":            {child: self, want: 1},
		"the command, twice":     {child: self, list: []store.Descendant{{PID: self.PID, StartTicks: self.StartTicks}}, want: 1},
		"below the command":      {child: noOne(at), list: []store.Descendant{{PID: self.PID, StartTicks: self.StartTicks}, {PID: 1 << 30, StartTicks: 1}}, want: 1},
		"another of that pid":    {child: noOne(at), list: []store.Descendant{{PID: self.PID, StartTicks: self.StartTicks + 1}}},
		"nothing":                {child: noOne(at)},
		"of a boot that is over": {child: self, boot: "an earlier boot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, dir := storetest.New(t), t.TempDir()
			wrapper := noOne(at)
			if c.boot != "" {
				wrapper.BootID, c.child.BootID = c.boot, c.boot
			}
			announceChild(t, l, dir, "a", store.Launch{UID: "a", Child: c.child, Monitor: noOne(at), At: at.Now}, wrapper, at)
			if _, err := l.Beat(t.Context(), store.Beat{UID: "a", Generation: 1, At: at.Now, Descendants: c.list}); err != nil {
				t.Fatal(err)
			}
			e, _ := settled(t, l, dir, "a", at)
			got := e.Leftovers.Remaining
			if len(got) != c.want || c.want == 1 && (got[0].PID != self.PID || got[0].Command == "" || got[0].Reason == "") {
				t.Errorf("remaining %+v, want %d", got, c.want)
			}
		})
	}
}

func TestExitRecordBeatsLost(t *testing.T) {
	t.Parallel()
	l, dir, at := storetest.New(t), t.TempDir(), here(t)
	f, err := runfile.Create(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	rec := runfile.ExitRecord{
		UID: "a", Generation: 1, End: lifecycle.EndExited, ExitCode: new(7),
		StoppedBy: lifecycle.StoppedByReaper, At: at.Now, Note: "seen by the monitor",
	}
	if err := runfile.WriteExit(f.Path(), rec, true); err != nil {
		t.Fatal(err)
	}
	if err := f.Release(false); err != nil {
		t.Fatal(err)
	}
	announce(t, l, dir, "a", noOne(at), noOne(at), at)
	e, r := settled(t, l, dir, "a", at)
	if e.Process.End != lifecycle.EndExited || e.Process.ExitCode == nil || *e.Process.ExitCode != 7 || r.Recovered != 1 {
		t.Errorf("process %+v, report %+v", e.Process, r)
	}
	if _, err := os.Stat(f.Path()); !os.IsNotExist(err) {
		t.Errorf("the run file is still there: %v", err)
	}
}

// TestARecordSaysWhatTheLedgerMisses: of a run whose launch and end nothing but its run file
// took the row says when it began, and that facts of it were missed.
func TestARecordSaysWhatTheLedgerMisses(t *testing.T) {
	t.Parallel()
	l, dir, at := storetest.New(t), t.TempDir(), here(t)
	f, err := runfile.Create(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	began, launched := at.Now, at.Now
	launched.WallMS, launched.AwakeMS = began.WallMS+100, began.AwakeMS+100
	ended := began
	ended.WallMS, ended.AwakeMS = began.WallMS+400, began.AwakeMS+400
	rec := runfile.ExitRecord{UID: "a", Generation: 1, End: lifecycle.EndExited, ExitCode: new(3), At: ended, Started: &launched, Degraded: true}
	if err := errors.Join(runfile.WriteExit(f.Path(), rec, false), f.Release(false)); err != nil {
		t.Fatal(err)
	}
	a := store.Announcement{
		UID: "a", Lineage: "a", Command: []string{"agent"}, CWD: "/", Workspace: "/", Wrapper: noOne(at),
		RunFile: f.Path(), At: began, BeatMS: 10_000,
	}
	if _, err := l.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	e, _ := settled(t, l, dir, "a", at)
	if !e.Degraded || e.StartedAtMS != launched.WallMS || e.AwakeMS != 300 || e.Process.End != lifecycle.EndExited {
		t.Errorf("degraded %v, started %d, awake %d, %+v", e.Degraded, e.StartedAtMS, e.AwakeMS, e.Process)
	}
}

// What a monitor alone stopped is in the row afterwards, and in its history, and what it
// could not end has the file stay.
func TestLeftoversOfAMonitorAloneAreTakenIn(t *testing.T) {
	t.Parallel()
	stopped, stuck := store.Leftover{PID: 7, StartTicks: 8, Command: "tool", Signal: "SIGTERM"}, store.Leftover{PID: 9, StartTicks: 1, Command: "disk"}
	for name, c := range map[string]struct {
		left store.Leftovers
		file bool
	}{
		"stopped":   {left: store.Leftovers{Stopped: []store.Leftover{stopped}}},
		"remaining": {left: store.Leftovers{Stopped: []store.Leftover{stopped}, Remaining: []store.Leftover{stuck}}, file: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, dir, at := storetest.New(t), t.TempDir(), here(t)
			f, err := runfile.Create(dir, "a")
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(runfile.WriteLeftovers(f.Path(), 1, c.left), f.Release(false)); err != nil {
				t.Fatal(err)
			}
			announce(t, l, dir, "a", noOne(at), noOne(at), at)
			e, _ := settled(t, l, dir, "a", at)
			if len(e.Leftovers.Stopped) != 1 || e.Leftovers.Stopped[0] != stopped || len(e.Leftovers.Remaining) != len(c.left.Remaining) {
				t.Errorf("leftovers %+v", e.Leftovers)
			}
			if left, err := runfile.ReadLeftovers(f.Path(), 1); err != nil || !left.None() {
				t.Errorf("still kept: %+v, %v", left, err)
			}
			if _, err := os.Stat(f.Path()); (err == nil) != c.file {
				t.Errorf("run file: %v", err)
			}
		})
	}
}

// What a monitor could write down half only, as on a full disk, keeps no row open and no
// sweep busy: the row says so, and it goes with the rest.
func TestLeftoversThatCannotBeReadHoldNothingUp(t *testing.T) {
	t.Parallel()
	for name, over := range map[string]bool{"while the row is open": false, "after its end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, at := newSweep(t), here(t)
			s.row()
			if over {
				e := store.Ending{UID: s.uid, Generation: 1, End: lifecycle.EndExited, ExitCode: new(3), At: at.Now}
				if _, err := s.Ledger.Finish(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			half := runfile.CompanionPath(s.dir, s.uid+".leftovers")
			if err := errors.Join(os.Mkdir(filepath.Dir(half), 0o700), os.WriteFile(half, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			s.reap()
			for _, path := range []string{half, runfile.Path(s.dir, s.uid)} {
				if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is still there: %v", path, err)
				}
			}
			e, err := s.Ledger.Execution(t.Context(), s.uid)
			if err != nil || !e.Process.End.Over() {
				t.Fatalf("%+v, %v", e.Process, err)
			}
			said := slices.ContainsFunc(e.Evidence, func(ev lifecycle.Evidence) bool { return strings.Contains(ev.Detail, "cannot be read") })
			if said == over {
				t.Errorf("evidence %+v", e.Evidence)
			}
		})
	}
}

// Of a run whose launch was never written down an unknown monitor may live, which is
// no reason to wait once its end is in its run file.
func TestARecordedEndIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{false, true} {
		l, dir, at := storetest.New(t), t.TempDir(), here(t)
		f, err := runfile.Create(dir, "a")
		if err != nil {
			t.Fatal(err)
		}
		if ended {
			rec := runfile.ExitRecord{UID: "a", Generation: 1, End: lifecycle.EndExited, ExitCode: new(7), At: at.Now}
			if err := runfile.WriteExit(f.Path(), rec, true); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Release(false); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Announce(t.Context(), store.Announcement{
			UID: "a", Lineage: "a", Command: []string{"agent"}, CWD: "/", Workspace: "/", Wrapper: noOne(at), RunFile: f.Path(), At: at.Now, BeatMS: 10_000,
		}); err != nil {
			t.Fatal(err)
		}
		if e, r := settled(t, l, dir, "a", at); e.Process.End.Over() != ended || (r.Recovered == 1) != ended {
			t.Errorf("with a record: %v, end %q, report %+v", ended, e.Process.End, r)
		}
	}
}

func TestWhoeverMayStillWriteIsLeftAlone(t *testing.T) {
	t.Parallel()
	at := here(t)
	for name, c := range map[string]struct {
		wrapper, monitor store.Identity
		lease            bool
	}{
		"wrapper lives":            {wrapper: me(t, at), monitor: noOne(at)},
		"monitor lives":            {wrapper: noOne(at), monitor: me(t, at)},
		"lease held":               {wrapper: noOne(at), monitor: noOne(at), lease: true},
		"another pid namespace":    {wrapper: store.Identity{MachineID: "m", BootID: at.Now.BootID, PIDNamespace: 1, PID: 1 << 30}, monitor: noOne(at)},
		"another machine and boot": {wrapper: store.Identity{MachineID: "other", BootID: "other", PID: 1 << 30}, monitor: noOne(at)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, dir := storetest.New(t), t.TempDir()
			if c.lease {
				f, err := runfile.Create(dir, "a")
				if err != nil {
					t.Fatal(err)
				}
				defer f.Release(true)
			}
			announce(t, l, dir, "a", c.wrapper, c.monitor, at)
			if e, r := settled(t, l, dir, "a", at); e.Process.End != lifecycle.EndRunning {
				t.Errorf("end %q, report %+v", e.Process.End, r)
			}
		})
	}
}

func TestOtherBootIsOver(t *testing.T) {
	t.Parallel()
	l, dir, at := storetest.New(t), t.TempDir(), here(t)
	before := at
	before.Now.BootID = "an earlier boot"
	announce(t, l, dir, "a", identity(before, os.Getpid(), 1), identity(before, os.Getpid(), 1), before)
	if e, _ := settled(t, l, dir, "a", at); e.Process.End != lifecycle.EndLost {
		t.Errorf("end %q", e.Process.End)
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	at := here(t)
	row := store.Execution{Announcement: store.Announcement{Wrapper: me(t, at), At: at.Now, BeatMS: 10_000}}
	row.Process.End, row.LastBeat = lifecycle.EndRunning, at.Now
	look := func(what string, want heartbeat.Liveness) {
		t.Helper()
		if got := Look(row, at); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	look("own process", heartbeat.LivenessLive)
	row.Wrapper.StartTicks++
	look("a process of another start", heartbeat.LivenessGone)
	row.Wrapper.PIDNamespace++
	row.Wrapper.StartTicks = 0
	look("another namespace cannot be asked", heartbeat.LivenessLive)
	row.LastBeat.AwakeMS -= time.Hour.Milliseconds()
	look("another namespace, silent", heartbeat.LivenessLate)
	row.RunFile = filepath.Join(t.TempDir(), "absent")
	look("silent and without a lease", heartbeat.LivenessGone)
	row.LastBeat = at.Now
	look("without a lease", heartbeat.LivenessLive)
	f, err := runfile.Create(filepath.Dir(row.RunFile), "a")
	if err != nil {
		t.Fatal(err)
	}
	row.RunFile = f.Path()
	look("with its lease", heartbeat.LivenessLive)
	if err := f.Release(false); err != nil {
		t.Fatal(err)
	}
	look("its lease is free", heartbeat.LivenessGone)
}

func TestARowThatWaitsHasNoMonitorBeforeItsTime(t *testing.T) {
	t.Parallel()
	at := here(t)
	row := store.Execution{Announcement: store.Announcement{Wrapper: me(t, at), At: at.Now, BeatMS: 10_000}}
	row.Process.End, row.LastBeat = lifecycle.EndRunning, at.Now
	row.Wrapper.StartTicks++ // gone
	for _, c := range []struct {
		name           string
		notBefore, age int64
		silent         int64
		want           bool
	}{
		{"just announced", 0, 1000, 1000, false},
		{"announced long ago", 0, 60_000, 60_000, true},
		{"its turn has just come", 0, 3_600_000, 1000, false},
		{"its turn came long ago", 0, 3_600_000, 60_000, true},
		{"waits for its time", 3_600_000, 1000, 1000, true},
		{"its time has just come", -1000, 60_000, 60_000, false},
		{"its time came long ago", -60_000, 120_000, 120_000, true},
		{"its time came long ago, its turn just now", -60_000, 120_000, 1000, false},
	} {
		row.At.AwakeMS, row.LastBeat.AwakeMS = at.Now.AwakeMS-c.age, at.Now.AwakeMS-c.silent
		if row.NotBeforeMS = 0; c.notBefore != 0 {
			row.NotBeforeMS = at.Now.WallMS + c.notBefore
		}
		if got := abandoned(row, at); got != c.want {
			t.Errorf("%s: abandoned %v", c.name, got)
		}
	}
}

// What died ahead of a queued run is settled, however much of it there is, and by
// nobody who is not behind it.
func TestTheDeadAheadAreSettled(t *testing.T) {
	t.Parallel()
	l, dir, at := storetest.New(t), t.TempDir(), here(t)
	if _, _, _, err := l.CreateFlow(t.Context(), store.NewFlow{ID: "f", Workspace: "/", Owner: "me", MaxParallel: 1, At: at.Now}); err != nil {
		t.Fatal(err)
	}
	queue := func(uid string, wrapper store.Identity) {
		t.Helper()
		_, err := l.RunInFlow(t.Context(), store.FlowRun{Announcement: store.Announcement{
			UID: uid, Lineage: uid, Command: []string{"agent"}, CWD: "/", FlowID: "f", Wrapper: wrapper, At: at.Now, BeatMS: 10_000,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	const dead = 40
	for i := range dead {
		queue("dead"+strconv.Itoa(i), noOne(at))
	}
	queue("waits", me(t, at))
	queue("behind", noOne(at))
	lost := 0
	for range 2 {
		r, err := SettleAhead(t.Context(), l, filepath.Join(dir, "spool"), "waits", at)
		if err != nil {
			t.Fatal(err)
		}
		lost += r.Lost
	}
	a, err := l.TakeSlot(t.Context(), store.SlotRequest{UID: "waits", Generation: 1})
	if err != nil || lost != dead || !a.Taken {
		t.Errorf("%d of %d are lost, %+v, %v", lost, dead, a, err)
	}
	// One that runs is in the way of those behind it and before it.
	if r, err := SettleAhead(t.Context(), l, filepath.Join(dir, "spool"), "behind", at); err != nil || r != (Report{}) {
		t.Errorf("%+v, %v", r, err)
	}
}
