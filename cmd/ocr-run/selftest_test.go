package main

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// drillMain is selftest with another program and some of the steps: drill PROGRAM
// STEP….
func drillMain() {
	env := processEnvironment()
	ctx := context.Background()
	c, err := newCall(ctx, env, selftestVerb(), []string{"--json"})
	if err == nil {
		err = c.selftest(ctx, os.Args[1], slices.DeleteFunc(drillSteps(), func(s drillStep) bool { return !slices.Contains(os.Args[2:], s.name) }))
	}
	if code, ok := answeredCode(err); ok {
		os.Exit(code)
	}
	if err != nil {
		fail("drill: %v", err)
	}
}

// drillCommand is a command that holds a drill in a directory for temporary files
// that is its own.
func drillCommand(t *testing.T, words ...string) (cmd *exec.Cmd, dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "XDG_STATE_HOME="+filepath.Join(dir, "state"), "GORACE=atexit_sleep_ms=0")
	return cmd, dir
}

// checkClean checks that a drill has left neither a file nor a process. Whatever it
// starts works below its directory.
func checkClean(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	all, err := proc.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Dead() {
			continue
		}
		at, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.PID), "cwd"))
		if err == nil && strings.HasPrefix(at, dir) {
			t.Errorf("process %d (%s) runs in %s", p.PID, p.Name, at)
		}
	}
}

// stepsOf are the verdicts on the steps of a drill, by their names.
func stepsOf(t *testing.T, out []byte) (steps map[string]render.SelftestStep, result render.Selftest) {
	t.Helper()
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	steps = map[string]render.SelftestStep{}
	for _, s := range result.Steps {
		steps[s.Name] = s
	}
	return steps, result
}

// Some steps are enough for programs that the race detector makes slow: all of them
// might not be done within the minute they have.
func TestADrillPassesAndLeavesNothing(t *testing.T) {
	t.Parallel()
	want := []string{"signals", "double fork", "stopped wrapper", "killed wrapper", "wrapper and monitor", "pid used again"}
	if !raceDetector {
		want = nil
		for _, s := range drillSteps() {
			want = append(want, s.name)
		}
	}
	program, err := exec.LookPath("ocr-run")
	if err != nil {
		t.Fatal(err)
	}
	cmd, dir := drillCommand(t, slices.Concat([]string{"drill", program}, want)...)
	out, err := cmd.Output()
	_, result := stepsOf(t, out)
	if err != nil || result.Failed > 0 || !result.Complete || len(result.Steps) != len(want) {
		t.Errorf("%v: %s", err, out)
	}
	for _, s := range result.Steps {
		if s.Detail == "" || s.Verdict == stepSkipped && s.Name != "full disk" {
			t.Errorf("%+v", s)
		}
	}
	checkClean(t, dir)
}

// TestADrillFindsWhatIsBroken holds it with a program that leaves alone what outlives
// a command, hides how commands end, and stops strangers when it sweeps.
func TestADrillFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "ocr-run")
	if err := os.WriteFile(broken, []byte(`#!/bin/sh
case $1 in
--quiet) ocr-run --leftovers keep "$@"; code=$?; test $code -ne 7 || code=0; exit $code ;;
reap) ocr-run "$@"; if test -e ../pids/bystander; then kill -9 $(cat ../pids/bystander); fi ;;
*) exec ocr-run "$@" ;;
esac
`), 0o755); err != nil {
		t.Fatal(err)
	}
	wrong := map[string]string{
		"exit codes":     "a command exited 7; ocr-run ended with exit status 0",
		"new session":    "left running, and stopped now: ",
		"double fork":    "is not named among those that were stopped",
		"pid used again": "was stopped for one of an earlier life of its pid",
	}
	cmd, dir := drillCommand(t, slices.Concat([]string{"drill", broken, "damaged ledger"}, slices.Collect(maps.Keys(wrong)))...)
	out, _ := cmd.Output()
	steps, result := stepsOf(t, out)
	if cmd.ProcessState.ExitCode() != exitError || !result.Complete {
		t.Errorf("%s: %s", cmd.ProcessState, out)
	}
	for name, why := range wrong {
		if s := steps[name]; s.Verdict != stepFailed || !strings.Contains(s.Detail, why) {
			t.Errorf("%s: %+v, want %q", name, s, why)
		}
	}
	if s := steps["damaged ledger"]; s.Verdict != stepPassed {
		t.Errorf("%+v", s)
	}
	checkClean(t, dir)
}

// TestADrillThatIsInterrupted leaves nothing either, wherever it was.
func TestADrillThatIsInterrupted(t *testing.T) {
	t.Parallel()
	cmd, dir := drillCommand(t, "ocr-run", "selftest")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	said := []string{}
	for lines.Scan() {
		said = append(said, lines.Text())
		// The next step is the one in which a wrapper stands still.
		if strings.Contains(lines.Text(), "cleared environment") {
			waitForStopped(t, dir)
			_ = cmd.Process.Signal(unix.SIGINT)
		}
	}
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitError || !slices.ContainsFunc(said, func(l string) bool { return strings.Contains(l, "; interrupted; nothing is left of it") }) {
		t.Errorf("%s: %q", cmd.ProcessState, said)
	}
	checkClean(t, dir)
}

// waitForStopped waits until a process below a directory stands still.
func waitForStopped(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(stepLimit); time.Now().Before(deadline); {
		all, err := proc.All()
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(all, func(p proc.Process) bool {
			at, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.PID), "cwd"))
			return err == nil && p.Stopped() && strings.HasPrefix(at, dir)
		}) {
			return
		}
	}
	t.Error("no wrapper stands still")
}

// TestStepsAreDocumented checks that the manual names each step, in their order.
func TestStepsAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	chapter := section(t, string(b), "ocr-run selftest")
	for _, s := range drillSteps() {
		at := strings.Index(chapter, "`"+s.name+"`")
		if at < 0 {
			t.Fatalf("step %q is not documented, or not in its place", s.name)
		}
		chapter = chapter[at:]
	}
}

// A pid that was written down is whose it was when it was written.
func TestADrillKnowsItsOwnByMoreThanPIDs(t *testing.T) {
	t.Parallel()
	sleeper := func() proc.Process {
		cmd := exec.CommandContext(t.Context(), "sleep", "59")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
		p, err := proc.Read(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	d := &drill{environment: processEnvironment(), root: t.TempDir(), id: "nobody", self: sleeper()}
	stranger := sleeper()
	b, err := d.newBed("a step")
	if err != nil {
		t.Fatal(err)
	}
	file := b.pid("escapee")
	if err := os.WriteFile(file, []byte(strconv.Itoa(stranger.PID)), 0o600); err != nil {
		t.Fatal(err)
	}
	listed := func() bool {
		all, err := d.census()
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(all, func(p proc.Process) bool { return p.PID == stranger.PID })
	}
	if !listed() {
		t.Error("who wrote down his pid is not known by it")
	}
	before := time.Now().Add(-time.Second)
	if err := os.Chtimes(file, before, before); err != nil {
		t.Fatal(err)
	}
	if listed() {
		t.Error("a process is taken for one that had its pid before")
	}
	if d.forget(); len(d.pidFiles()) > 0 {
		t.Error("pids outlive their step")
	}
}
