package proc

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testGroup is a real group, where one is to be had.
func testGroup(t *testing.T) Group {
	t.Helper()
	g, err := MakeGroup(strings.ReplaceAll(t.Name(), "/", "-")+"-"+rand.Text(), false)
	if errors.Is(err, ErrNoCgroup) {
		t.Skip("no control group of our own is to be had here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = g.Freeze(false)
		_ = g.Kill()
		eventually(t, "the group is removed", func() bool { return g.Remove() == nil })
		eventually(t, "no child is left", func() bool { reapAll(); return Childless() })
	})
	return g
}

// into has a command be born in a group.
func into(t *testing.T, g Group, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	fd, err := g.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, fd
	return cmd
}

// inGroup lists the living members with their identities.
func inGroup(g Group) func() ([]Process, error) {
	return func() ([]Process, error) {
		pids, err := g.Members()
		var list []Process
		for _, pid := range pids {
			if p, err := Read(pid); err == nil {
				list = append(list, p)
			}
		}
		return list, err
	}
}

// A process that leaves its session, its parent and its environment behind is
// still in the group, and so is one that hops from process to process faster than
// anybody looks.
func TestGroupHoldsEverybody(t *testing.T) {
	cfg := realConfig(t)
	g := testGroup(t)
	orphan := into(t, g, exec.Command(os.Args[0], helperArg, "orphan", "setsid-bare-proof"))
	pid := spawn(t, 1, orphan)["setsid-bare-proof"]
	if err := orphan.Wait(); err != nil {
		t.Fatal(err)
	}
	if at, err := Cgroup(pid); err != nil || at != g.Path() {
		t.Errorf("it is in %q, %v", at, err)
	}
	hopper := filepath.Join(t.TempDir(), "hop")
	script := "#!/bin/sh\n[ $1 -gt 0 ] || exit\nsetsid \"$0\" $(($1-1)) </dev/null >/dev/null 2>&1 &\n"
	if err := os.WriteFile(hopper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := into(t, g, exec.Command(hopper, "20000")).Run(); err != nil {
		t.Fatal(err)
	}
	cfg.Census, cfg.Groups, cfg.Grace = inGroup(g), []Group{g}, 10*time.Millisecond
	r := StopUntilQuiet(t.Context(), cfg)
	if len(r.Remaining) != 0 || len(r.Stopped) < 2 || r.Err != nil {
		t.Errorf("%+v", r)
	}
	if members, err := g.Members(); len(members) != 0 || err != nil {
		t.Errorf("members %v, %v", members, err)
	}
	eventually(t, "the group can be removed", func() bool { return g.Remove() == nil })
	if _, there := GroupAt(g.Path()); there {
		t.Error("the group is still there")
	}
}

// A group with somebody who is spared is neither killed nor left halted, and when
// it is given up he lives on outside of it.
func TestGroupSparesTheKept(t *testing.T) {
	cfg := realConfig(t)
	g := testGroup(t)
	orphan := into(t, g, exec.Command(os.Args[0], helperArg, "orphan", "setsid-kept", "setsid-proof"))
	pids := spawn(t, 2, orphan)
	if err := orphan.Wait(); err != nil {
		t.Fatal(err)
	}
	kept, err := Read(pids["setsid-kept"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = Signal(kept.PID, kept.Start, syscall.SIGKILL)
		reapAll()
	})
	cfg.Census, cfg.Groups, cfg.Grace = inGroup(g), []Group{g}, 10*time.Millisecond
	cfg.Keep = func(p Process) (string, bool) { return "kept", p.PID == kept.PID }
	r := StopUntilQuiet(t.Context(), cfg)
	if len(r.Kept) != 1 || len(r.Stopped) != 1 || len(r.Remaining) != 0 {
		t.Errorf("%+v", r)
	}
	if err := g.Freeze(true); err != nil { // as if somebody had died who held it
		t.Fatal(err)
	}
	if err := g.Release(); err != nil {
		t.Errorf("release: %v", err)
	}
	at, err := Cgroup(kept.PID)
	if err != nil || at == g.Path() || !Alive(kept.PID, kept.Start) {
		t.Errorf("the kept one is in %q, %v", at, err)
	}
}

// A group below another one outlives its release, and takes it along at its end.
func TestGroupOfNestedRun(t *testing.T) {
	outer := testGroup(t)
	inner := Group{dir: filepath.Join(outer.dir, groupPrefix+"inner"), path: outer.path + "/" + groupPrefix + "inner"}
	if err := os.Mkdir(inner.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := into(t, inner, sitter("setsid"))
	pid := spawn(t, 1, cmd)["setsid"]
	launching := filepath.Join(outer.dir, groupPrefix+"launching")
	if err := os.Mkdir(launching, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := outer.Remove(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("remove: %v", err)
	}
	if err := os.Remove(launching); err != nil {
		t.Errorf("what somebody in the group may have made for a run was removed: %v", err)
	}
	if members, err := outer.Members(); err != nil || !slices.Equal(members, []int{pid}) {
		t.Errorf("members %v, %v", members, err)
	}
	if err := outer.Freeze(true); err != nil { // as if somebody had died who held it
		t.Fatal(err)
	}
	if err := outer.Release(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("release: %v", err)
	}
	eventually(t, "the nested one goes on", func() bool {
		b, err := os.ReadFile(filepath.Join(outer.dir, "cgroup.events"))
		return err == nil && strings.Contains(string(b), "frozen 0")
	})
	if at, err := Cgroup(pid); err != nil || at != inner.Path() {
		t.Errorf("the nested one is in %q, %v", at, err)
	}
	if err := inner.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	eventually(t, "the inner one is removed", func() bool { return inner.Remove() == nil })
	if _, there := GroupAt(outer.Path()); there {
		t.Error("the outer one is still there")
	}
}

// What is not ours to divide is left alone, and a path that is of no group of ours
// leads nowhere.
func TestGroupsThatAreNotOurs(t *testing.T) {
	t.Parallel()
	fake := func(kind string, names ...string) string {
		root := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if kind != "" {
			if err := os.WriteFile(filepath.Join(root, "cgroup.type"), []byte(kind+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return root
	}
	for _, c := range []struct {
		name, dir string
		want      bool
	}{
		{"the root", fake("", "cgroup.procs", "cgroup.subtree_control"), true},
		{"an ordinary group", fake("domain", "cgroup.procs", "cgroup.subtree_control"), true},
		{"one for threads", fake("threaded", "cgroup.procs", "cgroup.subtree_control"), false},
		{"one with threads below it", fake("domain threaded", "cgroup.procs", "cgroup.subtree_control"), false},
		{"nothing is to be distributed", fake("domain", "cgroup.procs"), false},
		{"no group at all", fake(""), false},
	} {
		if got := divisible(c.dir); got != c.want {
			t.Errorf("%s: divisible %v", c.name, got)
		}
		if delegated(c.dir) {
			t.Errorf("%s: delegated", c.name)
		}
		g, err := makeGroup(c.dir, "/", "ocr-run-x", true)
		if (err == nil) != c.want || c.want && g.Path() != "/ocr-run-x" {
			t.Errorf("%s: group %+v, %v", c.name, g, err)
		}
		if _, err := makeGroup(c.dir, "/", "ocr-run-y", false); !errors.Is(err, ErrNoCgroup) {
			t.Errorf("%s, of systemd's and not marked: %v", c.name, err)
		}
	}
	for _, at := range []string{"", "/", "/user.slice", "/ocr-run-x/..", "../ocr-run-x", "/none/ocr-run-x"} {
		if g, there := GroupAt(at); there {
			t.Errorf("%q is %+v", at, g)
		}
	}
	for uid, want := range map[string]string{"u1": "ocr-run-u1", "": "", "a/b": "", "a\nb": "", strings.Repeat("x", 201): ""} {
		if got := groupName(uid); got != want {
			t.Errorf("the group of %q is %q", uid, got)
		}
	}
}

// The mark of delegation is read from a real group.
func TestDelegationMark(t *testing.T) {
	g := testGroup(t)
	if delegated(g.dir) {
		t.Error("delegated without a mark")
	}
	if err := unix.Setxattr(g.dir, "user.delegate", []byte("1"), 0); err != nil {
		t.Skipf("groups take no marks here: %v", err)
	}
	if !delegated(g.dir) {
		t.Error("not delegated with the mark")
	}
}

// The zero group is nowhere and does nothing.
func TestNoGroup(t *testing.T) {
	t.Parallel()
	var g Group
	members, err := g.Members()
	if len(members) != 0 || err != nil || g.Release() != nil || g.Remove() != nil || g.Path() != "" {
		t.Errorf("members %v, %v", members, err)
	}
	if _, err := g.Open(); !errors.Is(err, ErrNoCgroup) || !errors.Is(g.Kill(), ErrNoCgroup) || !errors.Is(g.Freeze(true), ErrNoCgroup) {
		t.Errorf("open: %v", err)
	}
}
