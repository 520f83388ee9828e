package reaper

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// grouped makes a control group for the run of a sweep, where one is to be had, and
// moves animals into it.
func (s *sweepTest) grouped(all ...animal) proc.Group {
	s.t.Helper()
	g, err := proc.MakeGroup(s.uid+"-"+rand.Text(), false)
	if errors.Is(err, proc.ErrNoCgroup) {
		s.t.Skip("no control group of our own is to be had here")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = g.Freeze(false)
		_ = g.Kill()
		eventually(s.t, "the group is removed", func() bool { return g.Remove() == nil })
	})
	fd, err := g.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, a := range all {
		if err := os.WriteFile(procsOf(fd), []byte(strconv.Itoa(a.PID)), 0); err != nil {
			s.t.Fatal(err)
		}
	}
	return g
}

// procsOf is the list of the members of an open group.
func procsOf(fd int) string { return filepath.Join("/proc/self/fd", strconv.Itoa(fd), "cgroup.procs") }

// ended writes the row of a run of which nothing is left but its group.
func (s *sweepTest) ended(uid string, g proc.Group) {
	s.t.Helper()
	at := here(s.t)
	child := noOne(at)
	child.StartTicks = 1
	announceChild(s.t, s.Ledger, s.dir, uid, store.Launch{UID: uid, Child: child, Monitor: noOne(at), Cgroup: g.Path(), At: at.Now}, noOne(at), at)
	if err := os.MkdirAll(filepath.Join(s.dir, "runs"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(runfile.Path(s.dir, uid), nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// A run that was killed between its announcement and its launch may have made its
// group, and its row does not say so. One that is in no ledger has a run file only.
func TestTheGroupOfARunThatWasNotLaunched(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.uid += "-" + rand.Text()
	lone := s.uid + "-lone"
	var groups []proc.Group
	for _, uid := range []string{s.uid, lone} {
		g, err := proc.MakeGroup(uid, false)
		if errors.Is(err, proc.ErrNoCgroup) {
			t.Skip("no control group of our own is to be had here")
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Remove() })
		f, err := runfile.Create(s.dir, uid)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Release(false); err != nil {
			t.Fatal(err)
		}
		groups = append(groups, g)
	}
	long := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(runfile.Path(s.dir, lone), long, long); err != nil {
		t.Fatal(err)
	}
	at := here(t)
	at.Now.AwakeMS -= time.Hour.Milliseconds() // nobody is launching it any more
	if _, err := s.Ledger.Announce(t.Context(), store.Announcement{
		UID: s.uid, Lineage: s.uid, Command: []string{"agent"}, CWD: "/", Workspace: "/", Wrapper: noOne(at),
		RunFile: runfile.Path(s.dir, s.uid), At: at.Now, BeatMS: 10_000,
	}); err != nil {
		t.Fatal(err)
	}
	s.reap()
	for _, g := range groups {
		if _, there := proc.GroupAt(g.Path()); there {
			t.Errorf("%s is still there", g.Path())
		}
	}
	if left := filedUIDs(s.dir); len(left) != 0 {
		t.Errorf("run files are left: %v", left)
	}
}

// picture is what a sweep sees now.
func (s *sweepTest) picture() *scene {
	s.t.Helper()
	sc, err := sceneOf(s.t.Context(), s.Ledger, s.dir, s.Observe(), thisSystem())
	if err != nil {
		s.t.Fatal(err)
	}
	return sc
}

// A group with somebody in it who is spared is told at the first look, before it is
// halted.
func TestGroupOfTheSparedIsNotHalted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a leftover", "kept", "nested", "protected"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSweep(t)
			env := s.marker()
			switch name {
			case "kept":
				env = append(env, proc.EnvKeep+"="+s.uid)
			case "nested":
				env = []string{proc.EnvUID + "=inner-" + s.uid, proc.EnvLineage + "=" + s.uid + "/inner-" + s.uid}
			}
			member := breed(t, env, "setsid")[0]
			g := s.grouped(member)
			s.ended(s.uid, g)
			at := here(t)
			if name == "nested" {
				f, err := runfile.Create(s.dir, "inner-"+s.uid)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Release(true)
				inner := store.Launch{UID: "inner-" + s.uid, Child: identity(at, 1<<29, 1), Monitor: noOne(at), At: at.Now}
				announceChild(t, s.Ledger, s.dir, inner.UID, inner, me(t, at), at)
			}
			sc := s.picture()
			if name == "protected" {
				sc.protected[member.PID] = true
			}
			if got, want := sc.sparesIn(g), name != "a leftover"; got != want {
				t.Errorf("spared %v, want %v", got, want)
			}
		})
	}
}

// halted says whether a group stands still.
func halted(g proc.Group) bool {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if b, err := os.ReadFile(filepath.Join(root, g.Path(), "cgroup.events")); err == nil {
			return strings.Contains(string(b), "frozen 1")
		}
	}
	return false
}

// Who was left halted by a sweep that was killed goes on at the next, and with
// whoever looks at the ledger, but not while a sweep is under way.
func TestHaltedGroupGoesOn(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	env := append(s.marker(), proc.EnvKeep+"="+s.uid)
	member := breed(t, env, "setsid")[0]
	g := s.grouped(member)
	s.ended(s.uid, g)
	halt := func() {
		t.Helper()
		if err := g.Freeze(true); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is halted", func() bool { return halted(g) })
	}
	halt()
	s.reap()
	if halted(g) || !member.alive() {
		t.Error("a sweep leaves it halted")
	}
	for _, underWay := range []bool{true, false} {
		halt()
		unlock := func() error { return nil }
		if underWay {
			var err error
			if unlock, err = Lock(s.dir); err != nil {
				t.Fatal(err)
			}
		}
		settled(t, s.Ledger, s.dir, s.uid, here(t))
		if halted(g) != underWay {
			t.Errorf("a sweep under way %v: halted %v", underWay, halted(g))
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
	}
	_ = proc.Signal(member.PID, member.Start, syscall.SIGKILL)
}
