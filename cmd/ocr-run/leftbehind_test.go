package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// scriptTime is how long a script may take that works: far more than any needs.
const scriptTime = 3 * time.Minute

// stopLeftBehind has what a script that fails leaves running be stopped: its own ways
// of ending that come after the line that failed. One that hangs is made to fail by
// the same, so that it does so under its own name and the others are not lost with it.
func stopLeftBehind(env *testscript.Env) {
	hung := time.AfterFunc(scriptTime, func() { stopBelow(env.WorkDir) })
	env.Defer(func() {
		hung.Stop()
		if t, ok := env.T().(interface{ Failed() bool }); ok && t.Failed() {
			stopBelow(env.WorkDir)
		}
	})
}

// stopBelow kills everybody who works in a directory or below it, until nobody does or
// ten seconds are over. Where nobody says where others work it finds none.
func stopBelow(dir string) {
	if at, err := filepath.EvalSymlinks(dir); err == nil {
		dir = at
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		found := worksBelow(dir)
		for _, p := range found {
			_ = proc.Signal(p.PID, p.Start, unix.SIGKILL) // who is gone is gone
		}
		if len(found) == 0 {
			return
		}
	}
}

// worksBelow are the living processes that work in a directory or below it, this one
// apart. Who has become somebody else while we looked is not among them.
func worksBelow(dir string) (found []proc.Process) {
	all, err := proc.All()
	if err != nil {
		return nil
	}
	for _, p := range all {
		at, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(p.PID), "cwd"))
		below := err == nil && (at == dir || strings.HasPrefix(at, dir+"/"))
		if below && !p.Dead() && p.PID != os.Getpid() && proc.Alive(p.PID, p.Start) {
			found = append(found, p)
		}
	}
	return found
}

// Who works below a directory is stopped, and nobody who works beside it.
func TestStopBelow(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		t.Skip("nobody says here where others work")
	}
	top := t.TempDir()
	sleeper := func(name string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "sleep", "59")
		if cmd.Dir = filepath.Join(top, name); os.MkdirAll(cmd.Dir, 0o700) != nil || cmd.Start() != nil {
			t.Fatal("no sleeper")
		}
		return cmd
	}
	beside, below := sleeper("dir-2"), sleeper("dir/sub")
	stopBelow(filepath.Join(top, "dir"))
	_ = below.Wait()
	if !below.ProcessState.Sys().(interface{ Signaled() bool }).Signaled() {
		t.Errorf("below: %s", below.ProcessState)
	}
	p, err := proc.Read(beside.Process.Pid)
	if err != nil || p.Dead() {
		t.Errorf("beside: %+v, %v", p, err)
	}
	_ = beside.Process.Kill()
	_ = beside.Wait()
}
