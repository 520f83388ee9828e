package proc

import (
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

// reapAll takes in every exit there is.
func reapAll() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if (err != nil && !errors.Is(err, unix.EINTR)) || (err == nil && pid <= 0) {
			return
		}
	}
}

// realConfig stops everything below this process, on the real clock.
func realConfig(t *testing.T) StopConfig {
	t.Helper()
	if err := BecomeSubreaper(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	return StopConfig{
		Census: func() ([]Process, error) { return Descendants(os.Getpid()) },
		Reap:   reapAll,
		Now:    func() time.Duration { return time.Since(began) },
		Grace:  LeftoverGrace,
	}
}

// Every way out of a tree that we know, and nothing survives.
func TestStopRealEscapees(t *testing.T) {
	cfg := realConfig(t)
	names := []string{
		"plain", "pgrp", "setsid", "setsid-bare", "setsid-bare-proof", "stopped", "stopped-setsid-proof",
		"headless-setsid-bare",
	}
	orphan := exec.Command(os.Args[0], append([]string{helperArg, "orphan"}, names...)...)
	pids := spawn(t, len(names), orphan)
	if err := orphan.Wait(); err != nil {
		t.Fatal(err)
	}
	for name, pid := range pids {
		if strings.Contains(name, "stopped") {
			eventually(t, name+" is stopped", func() bool { p, _ := Read(pid); return p.Stopped() })
		}
	}

	began := cfg.Now()
	r := StopUntilQuiet(t.Context(), cfg)
	took := cfg.Now() - began
	if len(r.Stopped) != len(names) || len(r.Remaining) != 0 || r.Err != nil {
		t.Errorf("%+v", r)
	}
	if took > 2*LeftoverGrace {
		t.Errorf("took %v", took)
	}
	names = nil
	for _, s := range r.Stopped {
		name := nameOf(pids, s.Process.PID)
		names = append(names, name)
		want := syscall.SIGTERM
		if strings.Contains(name, "proof") {
			want = syscall.SIGKILL
		}
		// One without a first thread has no command line to show.
		told := strings.HasSuffix(s.Command, " "+name) || strings.Contains(name, "headless")
		if name == "" || s.Signal != want || !told {
			t.Errorf("%s: %+v", name, s)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(pids) {
		t.Errorf("stopped only %v", names)
	}
	for name, pid := range pids {
		if _, err := Read(pid); !errors.Is(err, ErrGone) {
			t.Errorf("%s survives: %v", name, err)
		}
	}
}

// nameOf is the helper with that pid, or empty.
func nameOf(pids map[string]int, pid int) string {
	for name, p := range pids {
		if p == pid {
			return name
		}
	}
	return ""
}

// hopper is a shell that ignores polite signals and goes on as its own child,
// $1 times at most.
const hopper = `trap "" TERM HUP INT
[ "$1" -gt 0 ] || exit 0
sh "$0" $(($1 - 1)) &
exit 0
`

// Processes that are born faster than they are seen.
func TestStopRealStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("starts thousands of processes")
	}
	cfg := realConfig(t)
	script := filepath.Join(t.TempDir(), "hop")
	if err := os.WriteFile(script, []byte(hopper), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := exec.Command("sh", script, "3000").Start(); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Grace = 20 * time.Millisecond
	r := StopUntilQuiet(t.Context(), cfg)
	t.Logf("%d stopped in %v", len(r.Stopped), cfg.Now())
	if len(r.Stopped) == 0 || len(r.Remaining) != 0 || r.Err != nil {
		t.Errorf("%d stopped, %+v remain, %v", len(r.Stopped), r.Remaining, r.Err)
	}
	if !Childless() {
		t.Error("somebody survives")
	}
}

// With nobody there a stop costs next to nothing: it is on every run's way out.
func BenchmarkStopNobody(b *testing.B) {
	began := time.Now()
	cfg := StopConfig{
		Census: func() ([]Process, error) { return Descendants(os.Getpid()) },
		Now:    func() time.Duration { return time.Since(began) },
	}
	for b.Loop() {
		StopUntilQuiet(b.Context(), cfg)
	}
}
