package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// monitorOf is the monitor of the wrapper with that pid.
func monitorOf(t *testing.T, wrapper int) int {
	t.Helper()
	kids, err := proc.Children(wrapper)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range kids {
		if line, err := proc.CommandLine(pid); err == nil && strings.Contains(line, monitor.Name) {
			return pid
		}
	}
	t.Fatal("no monitor")
	return 0
}

func TestMonitorKilled(t *testing.T) {
	b := newBench(t, "trap '' HUP; echo ready; while :; do sleep 0.05; done")
	b.order.Grace = 0
	cmd, _ := b.ready()
	if err := unix.Kill(monitorOf(t, cmd.Process.Pid), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Killed before it could say whom it launched, nobody saw the end.
	code := codeOf(t, cmd.Wait())
	if end := b.ending().End; code == 0 || (end != lifecycle.EndSignalled && end != lifecycle.EndLost) {
		t.Errorf("code %d, end %q", code, end)
	}
}

// What is stopped because its monitor is gone has not finished, whatever it says.
func TestMonitorKilledIsNoSuccess(t *testing.T) {
	b := newBench(t, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done")
	cmd, _ := b.ready()
	if err := unix.Kill(monitorOf(t, cmd.Process.Pid), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if by := b.ending().StoppedBy; by != lifecycle.StoppedByReaper {
		t.Errorf("stopped by %q", by)
	}
}

// What the monitor was about to stop is stopped in its stead, and named.
func TestMonitorKilledOverLeftovers(t *testing.T) {
	b := newBench(t, "")
	over := filepath.Join(b.order.StateDir, "over")
	b.order.Command[2] = `setsid sh -c 'trap "echo asked" TERM; echo ready; while :; do sleep 0.05; done' & until [ -e ` + over + ` ]; do sleep 0.05; done; exit 6`
	b.order.Grace = 0
	cmd, out := b.ready()
	if err := os.WriteFile(over, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readLine(t, out, "asked")
	lost := monitorOf(t, cmd.Process.Pid)
	if err := unix.Kill(lost, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	want(t, "code", codeOf(t, cmd.Wait()), 6)
	stopped := b.ending().Leftovers.Stopped
	isLost := func(l lifecycle.Leftover) bool { return l.PID == lost }
	isLeft := func(l lifecycle.Leftover) bool { return strings.Contains(l.Command, "echo asked") }
	if !slices.ContainsFunc(stopped, isLeft) || slices.ContainsFunc(stopped, isLost) {
		t.Errorf("stopped: %+v", stopped)
	}
}

func TestBothKilledLeaveNoSuccess(t *testing.T) {
	b := newBench(t, "echo ready; while :; do sleep 0.05; done")
	term := b.terminal()
	if err := term.Expect("ready", patience); err != nil {
		t.Fatal(err)
	}
	wrapper := term.Pid()
	monitor := monitorOf(t, wrapper)
	// The wrapper is to stand still, so that it does not notice. It cannot be the
	// monitor: the kernel sets it going when the wrapper's end of the terminal goes.
	_ = unix.Kill(wrapper, unix.SIGSTOP)
	b.eventually("every thread of the wrapper stands", func() bool { return standsStill(wrapper) })
	_ = unix.Kill(monitor, unix.SIGKILL)
	_ = unix.Kill(wrapper, unix.SIGKILL)
	b.assertNothingSurvives()
	if rec, ok, _ := runfile.ReadExit(runfile.Path(b.order.StateDir, b.order.UID)); ok {
		t.Errorf("an exit nobody saw was recorded: %+v", rec)
	}
}

// standsStill says whether a stopped process has stopped with all its threads,
// which the system does one after the other.
func standsStill(pid int) bool {
	p, err := proc.Read(pid)
	if err != nil || !p.Stopped() {
		return false
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		if stat, err := os.ReadFile(path); err == nil && !strings.Contains(string(stat), ") T") {
			return false
		}
	}
	return true
}

func TestExitRecordOfAnOrphan(t *testing.T) {
	b := newBench(t, "trap 'exit 9' TERM HUP; echo ready; while :; do sleep 0.05; done")
	term := b.terminal()
	if err := term.Expect("ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := term.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	path := runfile.Path(b.order.StateDir, b.order.UID)
	var rec runfile.ExitRecord
	b.eventually("the exit is recorded", func() bool {
		var ok bool
		rec, ok, _ = runfile.ReadExit(path)
		return ok
	})
	if rec.ExitCode == nil || *rec.ExitCode != 9 || rec.StoppedBy != lifecycle.StoppedByReaper {
		t.Errorf("recorded %+v", rec)
	}
}

// What a run whose wrapper was killed left behind is stopped, and kept for whoever
// settles the run.
func TestLeftoversOfAnOrphanAreKept(t *testing.T) {
	b := newBench(t, "setsid sh -c 'echo ready; exec sleep 300' & while :; do sleep 0.05; done")
	cmd, _ := b.ready()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	path := runfile.Path(b.order.StateDir, b.order.UID)
	var left lifecycle.Leftovers
	b.eventually("what became of them is kept", func() bool {
		var err error
		left, err = runfile.ReadLeftovers(path, 1)
		return err == nil && !left.None()
	})
	if len(left.Stopped) != 1 || left.Stopped[0].Signal == "" {
		t.Errorf("leftovers %+v", left)
	}
	b.assertNothingSurvives()
}

func TestWithoutMonitor(t *testing.T) {
	b := newBench(t, "(setsid sleep 300 &); sleep 0.1; exit 6")
	b.order.NoMonitor = true
	want(t, "code", codeOf(t, b.command().Run()), 6)
	want(t, "leftovers stopped", len(b.ending().Leftovers.Stopped), 1)
}

func TestWithoutMonitorJobControlWorks(t *testing.T) {
	b := newBench(t, "echo ready; cat; exit 3")
	b.order.NoMonitor = true
	s := newShell(b)
	s.send("$W\n")
	s.expect("ready")
	s.catReads()
	s.send("\x1a")
	s.expect("Stopped")
	s.expect("> ")
	s.send("fg\n")
	s.expect("$W\r\n") // the shell says what it brings to the front
	s.jobInFront()
	s.send("more\n")
	s.expect("more\r\nmore")
	s.send("\x04")
	s.prompt(3)
}

func TestTapSeesRedirectedOutput(t *testing.T) {
	b := newBench(t, "printf 'out\\r\\n'; printf 'err\\n' >&2; exit 5")
	b.order.Tap = filepath.Join(b.order.StateDir, "tapped")
	cmd := b.command()
	var both strings.Builder
	cmd.Stdout, cmd.Stderr = &both, &both
	want(t, "code", codeOf(t, cmd.Run()), 5)
	want(t, "passed", both.String(), "out\r\nerr\n")
	tapped, err := os.ReadFile(b.order.Tap)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "tapped", string(tapped), "out\r\nerr\n")
}

func TestReaderThatLeavesEndsATappedRun(t *testing.T) {
	b := newBench(t, "exec yes")
	b.order.Tap = filepath.Join(b.order.StateDir, "tapped")
	cmd := b.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readLine(t, out, "y")
	_ = out.Close()
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGPIPE))
}

func TestNestedRunIsNobodysLeftover(t *testing.T) {
	inner := newInner(t)
	outer := prepare(t, `"$W" >/dev/null 2>&1 & echo started; until [ -e `+inner.order.StateDir+`/up ]; do sleep 0.05; done`)
	outer.order.StateDir = inner.order.StateDir
	cmd := outer.command()
	script := filepath.Join(inner.order.StateDir, "inner")
	writeScript(t, script, inner)
	cmd.Env = append(cmd.Env, "W="+script)
	want(t, "code", codeOf(t, cmd.Run()), 0)
	kept := outer.ending().Leftovers.Kept
	if len(kept) == 0 {
		t.Fatalf("leftovers: %+v", outer.ending().Leftovers)
	}
	inner.eventually("the nested run lives", func() bool { return len(inner.marked()) > 0 })
	if err := os.WriteFile(filepath.Join(inner.order.StateDir, "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inner.assertNothingSurvives()
}

// A nested run that still waits has a lease, and no process of its own yet.
func TestNestedRunThatWaitsIsNobodysLeftover(t *testing.T) {
	inner := newInner(t)
	inner.order.WaitMS = 3 * patience.Milliseconds()
	lease := runfile.Path(inner.order.StateDir, inner.order.UID)
	outer := prepare(t, `"$W" >/dev/null 2>&1 & until [ -e `+lease+` ]; do sleep 0.05; done`)
	// The way to the lease is another than the kernel's.
	outer.order.StateDir = filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(inner.order.StateDir, outer.order.StateDir); err != nil {
		t.Fatal(err)
	}
	cmd := outer.command()
	script := filepath.Join(inner.order.StateDir, "inner")
	writeScript(t, script, inner)
	cmd.Env = append(cmd.Env, "W="+script)
	want(t, "code", codeOf(t, cmd.Run()), 0)
	kept := outer.ending().Leftovers.Kept
	if len(kept) != 1 || kept[0].Reason != "belongs to execution "+inner.order.UID {
		t.Fatalf("leftovers: %+v", outer.ending().Leftovers)
	}
	if held, err := runfile.Held(lease); err != nil || !held {
		t.Errorf("lease held: %v, %v", held, err)
	}
	if err := unix.Kill(kept[0].PID, unix.SIGTERM); err != nil {
		t.Error(err)
	}
	inner.eventually("the wait is called off", func() bool { return !proc.Alive(kept[0].PID, kept[0].StartTicks) })
}

// newInner is a run that says that it is up and waits to be told to end.
func newInner(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, "")
	dir := b.order.StateDir
	b.order.Command = []string{"/bin/sh", "-c", ": >" + dir + "/up; until [ -e " + dir + "/end ]; do sleep 0.05; done"}
	return b
}

// writeScript writes a program that becomes the wrapper of b, in a session of its
// own as a service would have it.
func writeScript(t *testing.T, path string, b *bench) {
	t.Helper()
	var text strings.Builder
	text.WriteString("#!/bin/sh\n")
	for _, kv := range b.environ() {
		if k, v, _ := strings.Cut(kv, "="); k == roleKey || k == orderKey {
			text.WriteString("export " + k + "='" + strings.ReplaceAll(v, "'", `'\''`) + "'\n")
		}
	}
	text.WriteString("exec setsid " + self(t) + "\n")
	if err := os.WriteFile(path, []byte(text.String()), 0o700); err != nil {
		t.Fatal(err)
	}
}
