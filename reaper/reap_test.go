package reaper

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// sweepTest is a ledger with everything a sweep needs.
type sweepTest struct {
	Config
	t   *testing.T
	dir string
	uid string
	// nth tells the commands of several runs apart.
	nth uint64
}

// newSweep makes an empty ledger. The marker's uid is unlike that of any other
// test, for they share the process table.
func newSweep(t *testing.T) *sweepTest {
	t.Helper()
	s := &sweepTest{t: t, dir: t.TempDir(), uid: strings.ReplaceAll(t.Name(), "/", "-")}
	s.Config = Config{
		Ledger: storetest.New(t), StateDir: s.dir, Observe: func() heartbeat.Observer { return here(t) },
		wait: func(context.Context, time.Duration) error { return nil }, grace: 300 * time.Millisecond,
	}
	return s
}

// marker is the environment that marks a process as one of the run.
func (s *sweepTest) marker() []string {
	return []string{proc.EnvUID + "=" + s.uid, proc.EnvLineage + "=" + s.uid}
}

// row writes the row of a run whose wrapper and monitor are dead, and whose last
// beat saw the animals given. It starts before them.
func (s *sweepTest) row(seen ...animal) {
	s.t.Helper()
	at := here(s.t)
	child := noOne(at)
	child.StartTicks = 1 + s.nth
	announceChild(s.t, s.Ledger, s.dir, s.uid, store.Launch{UID: s.uid, Child: child, Monitor: noOne(at), At: at.Now}, noOne(at), at)
	list := []store.Descendant{}
	for _, a := range seen {
		list = append(list, store.Descendant{PID: a.PID, StartTicks: a.Start, Name: a.Name})
	}
	if _, err := s.Ledger.Beat(s.t.Context(), store.Beat{UID: s.uid, Generation: 1, At: at.Now, Descendants: list}); err != nil {
		s.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "runs"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(runfile.Path(s.dir, s.uid), nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reap plans and sweeps.
func (s *sweepTest) reap() Result {
	s.t.Helper()
	plan, err := Survey(s.t.Context(), s.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := Reap(s.t.Context(), s.Config, plan)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// verdicts are the steps about the animals, by name.
func verdicts(steps []ProcessStep, all []animal) map[string]ProcessStep {
	found := map[string]ProcessStep{}
	for _, a := range all {
		for _, step := range steps {
			if identityOf(step.Process) == identityOf(a.Process) {
				found[a.name] = step
			}
		}
	}
	return found
}

// What escaped from a dead run is found and stopped, whatever it did to get away,
// and what may be anybody's is named and left alone.
func TestReapStopsEscapees(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	seen := breed(t, s.marker(), "setsid", "setsid-proof", "setsid-bare", "setsid-bare-proof")
	unseen := breed(t, s.marker(), "setsid-unseen")
	strangers := breed(t, nil, "stranger")
	s.row(seen...)
	r := s.reap()
	got := verdicts(r.Processes, append(slices.Clone(seen), unseen...))
	for _, a := range seen {
		if step := got[a.name]; step.Verdict != VerdictStop || !step.Done || a.alive() {
			t.Errorf("%s: %+v, alive %v", a.name, step, a.alive())
		}
	}
	if step := got["setsid-unseen"]; step.Verdict != VerdictReport || !unseen[0].alive() || !slices.Equal(step.Proofs, []Proof{ProofMarker}) {
		t.Errorf("with one proof: %+v, alive %v", step, unseen[0].alive())
	}
	if len(verdicts(r.Processes, strangers)) != 0 || !strangers[0].alive() {
		t.Error("a stranger was touched")
	}
	e, err := s.Ledger.Execution(t.Context(), s.uid)
	if err != nil {
		t.Fatal(err)
	}
	if e.Process.End != lifecycle.EndLost || len(e.Leftovers.Stopped) != 4 || len(e.Leftovers.Remaining) != 0 {
		t.Errorf("end %s, leftovers %+v", e.Process.End, e.Leftovers)
	}
	if _, err := os.Stat(e.RunFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the run file is still there: %v", err)
	}
	// The second time there is nothing to do, and the same one is named.
	if r := s.reap(); len(r.Runs) != 0 || len(of(r.Processes, s.uid)) != 1 || of(r.Processes, s.uid)[0].Verdict != VerdictReport {
		t.Errorf("the second sweep: %+v", r)
	}
}

// A settled row keeps its run file for as long as something of it lives, and that
// is how a later sweep finds it.
func TestSettledRunIsFoundAgain(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	bare := breed(t, nil, "setsid-bare")
	s.row(bare...)
	settled(t, s.Ledger, s.dir, s.uid, here(t))
	if _, err := os.Stat(runfile.Path(s.dir, s.uid)); err != nil {
		t.Fatal(err)
	}
	if r := s.reap(); bare[0].alive() || len(of(r.Processes, s.uid)) != 1 {
		t.Errorf("%+v", r)
	}
}

// A storm of children that ignore every polite signal ends with their parent.
func TestReapStorm(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts dozens of processes")
	}
	s := newSweep(t)
	storm := breed(t, s.marker(), "setsid-storm-proof")
	s.row(storm...)
	s.grace = 50 * time.Millisecond
	r := s.reap()
	t.Logf("%d stopped", len(of(r.Processes, s.uid)))
	if len(of(r.Processes, s.uid)) < 2 {
		t.Error("the storm was over before it was stopped")
	}
	if left := s.living(); len(left) != 0 {
		t.Errorf("%v survive", left)
	}
}

// living are the processes with the run's marker.
func (s *sweepTest) living() (left []int) {
	s.t.Helper()
	all, err := proc.All()
	if err != nil {
		s.t.Fatal(err)
	}
	var reader proc.MarkerReader
	for _, p := range all {
		if m, err := reader.Read(p.PID); err == nil && m.UID == s.uid && !p.Dead() {
			left = append(left, p.PID)
		}
	}
	return left
}

// Whatever might still be looked after, or is not of here, is never signalled.
func TestReapSpares(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"lease held", "wrapper lives", "monitor lives", "other boot", "kept", "nested"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSweep(t)
			at := here(t)
			env := s.marker()
			if name == "kept" {
				env = append(env, proc.EnvKeep+"=other/"+s.uid)
			}
			if name == "nested" {
				env = []string{proc.EnvUID + "=inner-" + s.uid, proc.EnvLineage + "=" + s.uid + "/inner-" + s.uid}
			}
			all := breed(t, env, "setsid")
			wrapper, monitor, boot := noOne(at), noOne(at), at
			switch name {
			case "wrapper lives":
				wrapper = me(t, at)
			case "monitor lives":
				monitor = me(t, at)
			case "other boot":
				boot.Now.BootID = "an earlier boot"
				wrapper, monitor = identity(boot, 1<<30, 1), identity(boot, 1<<30, 1)
			}
			child := wrapper
			child.PID, child.StartTicks = all[0].PID, all[0].Start
			launch := store.Launch{UID: s.uid, Child: child, Monitor: monitor, At: boot.Now}
			if name == "nested" {
				launch.Child.StartTicks, launch.Child.PID = 1, 1<<30
			}
			announceChild(t, s.Ledger, s.dir, s.uid, launch, wrapper, boot)
			held := s.uid
			if name == "nested" {
				inner := store.Launch{UID: "inner-" + s.uid, Child: child, Monitor: noOne(at), At: at.Now}
				announceChild(t, s.Ledger, s.dir, inner.UID, inner, noOne(at), at)
				if _, err := s.Ledger.Beat(t.Context(), store.Beat{UID: s.uid, Generation: 1, At: at.Now, Descendants: []store.Descendant{
					{PID: all[0].PID, StartTicks: all[0].Start},
				}}); err != nil {
					t.Fatal(err)
				}
				held = inner.UID
			}
			if name == "lease held" || name == "nested" {
				f, err := runfile.Create(s.dir, held)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Release(true)
			}
			want := VerdictNone
			if name == "kept" || name == "nested" {
				want = VerdictKeep
			}
			if name == "kept" {
				// The command itself is not kept; what it started is.
				launch.Child.PID = 1 << 30
				s = s.again(launch)
			}
			r := s.reap()
			step := verdicts(r.Processes, all)["setsid"]
			if !all[0].alive() || step.Verdict != want && step.Verdict != "" {
				t.Errorf("%+v, alive %v", step, all[0].alive())
			}
			if want == VerdictKeep && step.Verdict != want {
				t.Errorf("it is not listed as kept: %+v", r.Processes)
			}
		})
	}
}

// again is the same ledger anew, with another launch of the run.
func (s *sweepTest) again(launch store.Launch) *sweepTest {
	s.t.Helper()
	at := here(s.t)
	uid := s.uid
	s = newSweep(s.t)
	s.uid = uid
	launch.Child.StartTicks = 1
	launch.SID = 0
	announceChild(s.t, s.Ledger, s.dir, uid, launch, noOne(at), at)
	return s
}

// Only runs that nobody looked after at both looks are tidied up after.
func TestReapLooksTwice(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	all := breed(t, s.marker(), "setsid")
	s.row(all...)
	plan, err := Survey(t.Context(), s.Config)
	if err != nil {
		t.Fatal(err)
	}
	waited := time.Duration(0)
	s.wait = func(_ context.Context, d time.Duration) error {
		waited = d
		err := os.Remove(runfile.Path(s.dir, s.uid))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		f, err := runfile.Create(s.dir, s.uid) // the wrapper turns up again
		if err == nil {
			t.Cleanup(func() { _ = f.Release(true) })
		}
		return err
	}
	if _, err := Reap(t.Context(), s.Config, plan); err != nil {
		t.Fatal(err)
	}
	if waited <= 0 || waited > secondLook || !all[0].alive() {
		t.Errorf("waited %s, alive %v", waited, all[0].alive())
	}
	plan.At.BootID = "an earlier boot"
	if _, err := Reap(t.Context(), s.Config, plan); err == nil {
		t.Error("a plan of another boot was carried out")
	}
}

// What a person was not shown is not done on his word: neither to runs that ended
// while he thought, nor to what became too old meanwhile.
func TestReapWithin(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.KeepHistory = HistoryLeast
	hour, at := time.Hour.Milliseconds(), here(t)
	young := at.Now
	young.WallMS += hour - HistoryLeast.Milliseconds()
	announce(t, s.Ledger, s.dir, "young", noOne(at), noOne(at), heartbeat.Observer{Now: young})
	if _, err := s.Ledger.Finish(t.Context(), store.Ending{UID: "young", Generation: 1, End: lifecycle.EndNotStarted, ExitCode: new(127), At: young}); err != nil {
		t.Fatal(err)
	}
	young.WallMS = at.Now.WallMS + hour - 7*24*hour
	if _, _, err := s.Ledger.BeginWorkflow(t.Context(), store.Begin{ID: "young", Kind: lifecycle.KindReview, Branch: "b", Workspace: "/", At: young}); err != nil {
		t.Fatal(err)
	}
	shown := breed(t, s.marker(), "setsid")
	s.row(shown...)
	survey := func() Plan {
		plan, err := Survey(t.Context(), s.Config)
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	agreed := survey()
	later := *s
	later.uid, later.nth = s.uid+"-later", 1
	unshown := breed(t, later.marker(), "setsid")
	later.row(unshown...)
	s.Observe = func() heartbeat.Observer {
		at := here(t)
		at.Now.WallMS += 2 * hour
		return at
	}
	now := survey()
	if len(now.Workflows) != 1 || now.Forget.Executions != 1 || len(agreed.Workflows) != 0 || agreed.Forget.Executions != 0 {
		t.Fatalf("agreed to %+v, and now it is %+v", agreed, now)
	}
	r, err := Reap(t.Context(), s.Config, now.Within(agreed))
	if err != nil || shown[0].alive() || !unshown[0].alive() || len(r.Workflows) != 0 || r.Forgotten != (store.Forgotten{}) {
		t.Errorf("%+v, %v; shown alive %v, unshown %v", r, err, shown[0].alive(), unshown[0].alive())
	}
	if r := s.reap(); unshown[0].alive() || len(r.Workflows) != 1 || r.Forgotten.Executions != 1 {
		t.Errorf("the next one: %+v", r)
	}
}

// The row of one run that cannot be settled does not hold up the others.
func TestReapIsolatesRows(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	at := here(t)
	announce(t, s.Ledger, s.dir, "a", noOne(at), noOne(at), at)
	announceChild(t, s.Ledger, s.dir, "b", store.Launch{UID: "b", Child: identity(at, 1<<29, 1), Monitor: noOne(at), At: at.Now}, noOne(at), at)
	// A directory in the place of the run file can neither be read nor removed.
	if err := os.MkdirAll(filepath.Join(runfile.Path(s.dir, "a"), "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	plan, err := Survey(t.Context(), s.Config)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Reap(t.Context(), s.Config, plan)
	if err == nil || !strings.Contains(err.Error(), "execution a") || len(r.Runs) != 2 || r.Runs[0].Done || !r.Runs[1].Done {
		t.Errorf("%v, and %+v", err, r.Runs)
	}
	e, err := s.Ledger.Execution(t.Context(), "b")
	if err != nil || e.Process.End != lifecycle.EndLost {
		t.Errorf("b: %s, %v", e.Process.End, err)
	}
}

// A umask that takes from the owner does not keep the next sweep from the lock. It is the
// whole process's: no other test runs meanwhile.
func TestAUmaskLeavesTheLockToItsOwner(t *testing.T) { //nolint:paralleltest // see above
	dir := t.TempDir()
	before := unix.Umask(0o777)
	unlock, err := Lock(dir)
	unix.Umask(before)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, lockName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	if held, ok := errors.AsType[*HeldError](err); !ok || held.PID != os.Getpid() || !errors.Is(err, ErrHeld) {
		t.Errorf("%v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	// A holder that has not signed yet, or whose name another process has, is not
	// named.
	b, _ := json.Marshal(holder{PID: os.Getpid(), Start: 1})
	if err := os.WriteFile(filepath.Join(dir, lockName), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || strings.Contains(err.Error(), "process") {
		t.Errorf("%v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
}

// With the history go the logs of runs that are forgotten, and no others.
func TestForgottenLogs(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.KeepHistory = HistoryLeast
	s.flow("f")
	s.child("f", "known", noOne(here(t)), true)
	old := time.UnixMilli(here(t).Now.WallMS).Add(-2 * HistoryLeast)
	if err := os.MkdirAll(filepath.Dir(LogPath(s.dir, "")), 0o700); err != nil {
		t.Fatal(err)
	}
	for uid, at := range map[string]time.Time{"known": old, "forgotten": old, "new": old.Add(2 * HistoryLeast)} {
		if err := os.WriteFile(LogPath(s.dir, uid), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(LogPath(s.dir, uid), at, at); err != nil {
			t.Fatal(err)
		}
	}
	s.reap()
	for uid, stays := range map[string]bool{"known": true, "forgotten": false, "new": true} {
		if _, err := os.Stat(LogPath(s.dir, uid)); (err == nil) != stays {
			t.Errorf("log of %s: %v", uid, err)
		}
	}
}
