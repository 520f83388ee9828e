package supervisor

import (
	"context"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// obedient is a shell that does what it is told, line by line; at the end its whole
// session is gone.
func obedient(t *testing.T) (pid int, tell func(line string)) {
	t.Helper()
	// The test's own context ends before its clean-up, and the shell with it.
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "/bin/sh", "-c", `while read -r line; do eval "$line"; done`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Until a look finds none: one list of children may miss some.
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			all, err := living(cmd.Process.Pid)
			if err == nil && len(all) == 0 {
				break
			}
			for _, p := range all {
				_ = proc.Signal(p.PID, p.Start, syscall.SIGKILL) // who is gone is gone
			}
		}
		_ = syscall.Kill(cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd.Process.Pid, func(line string) {
		t.Helper()
		if _, err := io.WriteString(in, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
}

// until looks again and again until that is found. The time between looks is said to
// be short: what keeps a processor busy may get little of it on a busy machine.
func until(t *testing.T, w *watch, what string, found func(heartbeat.Glimpse) bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for now := time.Hour; ; now += time.Second / 10 {
		var g heartbeat.Glimpse
		w.takeCensus()
		w.lookAtProcesses(&g, time.Second/200)
		switch {
		case found(g):
			return
		case time.Now().After(deadline):
			t.Fatalf("never %s", what)
		}
		time.Sleep(time.Second / 10)
	}
}

func TestWatchTellsAgentFromTools(t *testing.T) {
	t.Parallel()
	pid, tell := obedient(t)
	tell("sleep 1000 &")
	w := &watch{monitor: pid}
	until(t, w, "a process", func(heartbeat.Glimpse) bool { return len(w.census) > 0 })
	// The first look that finds anybody takes them for the agent's own.
	w.own = nil
	until(t, w, "at rest", func(g heartbeat.Glimpse) bool { return g.Busy == heartbeat.No && !g.Background && !g.Burning })
	tell("setsid sleep 1000 &")
	until(t, w, "a tool in the background", func(g heartbeat.Glimpse) bool { return g.Background && !g.Tools })
	tell("sh -c 'ulimit -t 60; while :; do :; done' &")
	until(t, w, "a tool at work", func(g heartbeat.Glimpse) bool { return g.Tools && g.Busy == heartbeat.Yes && !g.Burning })
	// Had it been there from the start, it would be the agent.
	w.own = nil
	until(t, w, "an agent that burns", func(g heartbeat.Glimpse) bool { return g.Burning && !g.Tools })
	if n := len(w.descendants()); n < 3 {
		t.Errorf("%d processes for the ledger", n)
	}
}

func TestWatchOfOutput(t *testing.T) {
	t.Parallel()
	type seen struct {
		drawn, typed, lines, bytes int64
		prog                       Progress
	}
	const yes, no, unknown = heartbeat.Yes, heartbeat.No, heartbeat.Unknown
	sees := func(grown uint64) Progress { return Progress{Sees: true, Grown: grown} }
	tests := []struct {
		name          string
		terminal      bool
		before, after seen
		want          heartbeat.Witness
		typed         bool
	}{
		{"nothing passes", false, seen{}, seen{}, unknown, false},
		{"bytes pass", false, seen{bytes: 1}, seen{bytes: 9}, yes, false},
		{"no more pass", false, seen{bytes: 9}, seen{bytes: 9}, no, false},
		{"lines on the terminal", true, seen{lines: 1}, seen{drawn: 80, lines: 2}, yes, false},
		{"a spinner on the terminal", true, seen{}, seen{drawn: 8000}, no, false},
		{"keys", true, seen{}, seen{typed: 1}, no, true},
		{"a screen that is understood", true, seen{prog: sees(3)}, seen{lines: 90, prog: sees(3)}, no, false},
		{"a record that grows", true, seen{prog: sees(3)}, seen{prog: sees(4)}, yes, false},
		{"a record that grows, without a terminal", false, seen{prog: sees(3)}, seen{prog: sees(4)}, yes, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var now seen
			w := &watch{passed: &passing{}, cfg: Watching{Progress: func() Progress { return now.prog }}}
			if tt.terminal {
				w.moved = func() (int64, int64) { return now.drawn, now.typed }
			}
			var g heartbeat.Glimpse
			for _, s := range []seen{tt.before, tt.after} {
				now, g = s, heartbeat.Glimpse{}
				w.passed.lines.Store(s.lines)
				w.passed.bytes.Store(s.bytes)
				w.lookAtOutput(&g)
			}
			if g.Grew != tt.want || g.Typed != tt.typed {
				t.Errorf("grew %v, typed %v; want %v, %v", g.Grew, g.Typed, tt.want, tt.typed)
			}
		})
	}
}

func TestWatchOfTurns(t *testing.T) {
	t.Parallel()
	const yes, no, unknown = heartbeat.Yes, heartbeat.No, heartbeat.Unknown
	tests := []struct {
		name     string
		prog     Progress
		heard    store.BeatAnswer
		turn     heartbeat.Witness
		advanced heartbeat.Witness
	}{
		{"nobody tells", Progress{}, store.BeatAnswer{}, unknown, unknown},
		{"the agent works", Progress{Turn: lifecycle.TurnRunning, Steps: 1}, store.BeatAnswer{}, yes, yes},
		{"the agent is done", Progress{Turn: lifecycle.TurnCompleted, Steps: 1}, store.BeatAnswer{}, no, yes},
		{"hooks tell of a turn", Progress{}, store.BeatAnswer{Session: lifecycle.SessionRunning, SessionAtMS: 1, TurnOpen: true}, yes, yes},
		{"hooks tell that it is over", Progress{}, store.BeatAnswer{Session: lifecycle.SessionReady, SessionAtMS: 1}, no, yes},
		{"the agent's own word is newer", Progress{Turn: lifecycle.TurnError}, store.BeatAnswer{Session: lifecycle.SessionRunning, TurnOpen: true}, no, no},
		{"a turn is to be expected", Progress{Turn: lifecycle.TurnPending}, store.BeatAnswer{}, yes, unknown},
		{"but hooks know better", Progress{Turn: lifecycle.TurnPending}, store.BeatAnswer{Session: lifecycle.SessionReady}, no, no},
		{"a workflow moves on", Progress{}, store.BeatAnswer{Revision: 4}, unknown, yes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &watch{passed: &passing{}, cfg: Watching{Progress: func() Progress { return tt.prog }}}
			w.hear(tt.heard)
			var g heartbeat.Glimpse
			w.lookAtOutput(&g)
			w.lookAtTurn(&g, clock.Reading{})
			if g.Turn != tt.turn || g.Advanced != tt.advanced {
				t.Errorf("turn %v, advanced %v; want %v, %v", g.Turn, g.Advanced, tt.turn, tt.advanced)
			}
			w.lookAtOutput(&g)
			if g.Advanced == yes {
				t.Error("it moves on although nothing is new")
			}
		})
	}
}

// Who said that they wait for their user wait until their terminal says otherwise.
func TestWatchOfQuestions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		since, activity int64
		terminal, want  bool
	}{
		{"nobody said so", 0, 0, true, false},
		{"nothing passes any more", 9000, 8000, true, true},
		{"the question is drawn", 9000, 10_900, true, true},
		{"it goes on", 9000, 11_500, true, false},
		{"there is no terminal", 9000, 0, false, true},
	} {
		w := &watch{passed: &passing{}, interval: time.Second, heard: store.BeatAnswer{AwaitsUserMS: tt.since}}
		if tt.terminal {
			w.activity = func() int64 { return tt.activity }
		}
		var g heartbeat.Glimpse
		if w.lookAtOutput(&g); g.Asks != tt.want {
			t.Errorf("%s: asks %v", tt.name, g.Asks)
		}
	}
}

func TestWatchSeesThatTheCommandIsStopped(t *testing.T) {
	t.Parallel()
	pid, tell := obedient(t)
	tell("sleep 1000 & sleep 1000 &")
	w := &watch{monitor: pid}
	until(t, w, "both", func(heartbeat.Glimpse) bool { return len(w.census) == 2 })
	w.command = w.census[0].PID
	stop := func(pid int, sig syscall.Signal) {
		if err := syscall.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	stop(w.census[1].PID, syscall.SIGSTOP)
	until(t, w, "a tool that is stopped", func(g heartbeat.Glimpse) bool { return w.census[1].Stopped() && !g.Halted })
	stop(w.command, syscall.SIGSTOP)
	until(t, w, "stopped", func(g heartbeat.Glimpse) bool { return g.Halted })
	stop(w.command, syscall.SIGCONT)
	until(t, w, "going on", func(g heartbeat.Glimpse) bool { return !g.Halted })
}

func TestWatchRecovers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		grew time.Duration
		want bool
	}{
		{"nothing came after", 50 * time.Second, false},
		{"it went on for a while", 70 * time.Second, true},
		{"only the news of its end came", 115 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := &watch{rules: heartbeat.NewWatch(heartbeat.Rules{}), interval: 10 * time.Second}
			w.rules.Take(heartbeat.Glimpse{At: tt.grew, Grew: heartbeat.Yes})
			if got := w.recovered(time.Minute, 2*time.Minute); got != tt.want {
				t.Errorf("recovered: %v", got)
			}
		})
	}
}

func TestSleepCounts(t *testing.T) {
	t.Parallel()
	lost := []lifecycle.Evidence{{Points: lifecycle.CauseAgentError}, {Points: lifecycle.CauseDisconnect}}
	const patience = 30 * time.Minute
	for _, tt := range []struct {
		name     string
		ago      time.Duration
		evidence []lifecycle.Evidence
		want     bool
	}{
		{"just before the end", time.Minute, nil, true},
		{"long before", 10 * time.Minute, nil, false},
		{"long before, and the connection was lost", 10 * time.Minute, lost, true},
		{"longer than it tries", 40 * time.Minute, lost, false},
	} {
		if got := sleepCounts(tt.ago, patience, tt.evidence); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
