package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeManager answers commands by their beginning, the longest that fits, with the
// answers in turn; the last one stays. Everything else succeeds.
type fakeManager struct {
	answers map[string][]Answer
	asked   []string
}

// Run notes the command and answers it.
func (f *fakeManager) Run(_ context.Context, program string, args ...string) (Answer, error) {
	line := program + " " + strings.Join(args, " ")
	f.asked = append(f.asked, line)
	best := ""
	for beginning := range f.answers {
		if strings.HasPrefix(line, beginning) && len(beginning) > len(best) {
			best = beginning
		}
	}
	list := f.answers[best]
	if len(list) == 0 {
		return Answer{}, nil
	}
	if len(list) > 1 {
		f.answers[best] = list[1:]
	}
	return list[0], nil
}

// control is a service whose manager is made up, and whose waits end at once.
func control(m Manager, answers map[string][]Answer) (Control, *fakeManager) {
	f := &fakeManager{answers: answers}
	return Control{Spec: plain(m), Runner: f, Wait: func(context.Context, time.Duration) error { return nil }}, f
}

const runs = "systemctl --user is-system-running"

func TestSystemdStarts(t *testing.T) {
	t.Parallel()
	c, f := control(Systemd, map[string][]Answer{runs: {{Out: "degraded\n", Code: 1}}})
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		runs, "systemctl --user daemon-reload", "systemctl --user restart ocr-run-reap.timer", "systemctl --user start ocr-run-reap.service",
	}
	if !slices.Equal(f.asked, want) {
		t.Errorf("asked for %q", f.asked)
	}
	c, _ = control(Systemd, map[string][]Answer{
		runs: {{Out: "running\n"}}, "systemctl --user start": {{Err: "Job failed.\nSee", Code: 1}},
	})
	if err := c.Start(t.Context()); !errors.Is(err, ErrSweep) || !strings.Contains(err.Error(), "Job failed.") {
		t.Errorf("a sweep that fails: %v", err)
	}
}

func TestSystemdUnreachable(t *testing.T) {
	t.Parallel()
	for _, a := range []Answer{
		{Err: "Failed to connect to bus: No medium found\n", Code: 1},
		{Out: "offline\n", Code: 1},
		{Out: "unknown\n", Code: 1},
	} {
		c, f := control(Systemd, map[string][]Answer{runs: {a}})
		_, state := c.State(t.Context())
		for _, err := range []error{c.Start(t.Context()), c.Stop(t.Context()), c.Forget(t.Context()), state} {
			if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), firstLine(a.Err+a.Out)) {
				t.Errorf("%+v: %v", a, err)
			}
		}
		if slices.ContainsFunc(f.asked, func(line string) bool { return line != runs }) {
			t.Errorf("asked for %q", f.asked)
		}
	}
}

func TestSystemdStops(t *testing.T) {
	t.Parallel()
	running := map[string][]Answer{runs: {{Out: "running\n"}}}
	c, f := control(Systemd, running)
	if err := errors.Join(c.Stop(t.Context()), c.Forget(t.Context())); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"stop ocr-run-reap.timer", "clean --what=state ocr-run-reap.timer", "daemon-reload"} {
		if !slices.Contains(f.asked, "systemctl --user "+want) {
			t.Errorf("asked for %q, and not to %s", f.asked, want)
		}
	}
	// The end of a sweep under way is waited for by nobody, and never forced.
	if slices.ContainsFunc(f.asked, func(line string) bool { return strings.Contains(line, " stop ") && strings.Contains(line, ".service") }) {
		t.Errorf("asked for %q", f.asked)
	}
	c, f = control(Systemd, map[string][]Answer{
		runs: {{Out: "running\n"}}, "systemctl --user show": {{Out: "LoadState=not-found\n"}},
	})
	if err := c.Stop(t.Context()); err != nil || len(f.asked) != 2 {
		t.Errorf("of what is not there it asked for %q, %v", f.asked, err)
	}
}

func TestSystemdState(t *testing.T) {
	t.Parallel()
	c, _ := control(Systemd, map[string][]Answer{
		runs: {{Out: "running\n"}},
		"systemctl --user show --property=LoadState": {{Out: "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n" +
			"NeedDaemonReload=no\nNextElapseUSecRealtime=Sat 2026-11-21 14:25:00 UTC\n"}},
		"systemctl --user show --property=NeedDaemonReload": {{Out: "NeedDaemonReload=yes\nResult=exit-code\nExecMainStatus=1\n" +
			"ExecMainExitTimestamp=Sat 2026-11-21 14:20:03 UTC\n"}},
	})
	got, err := c.State(t.Context())
	at := func(minute, second int) time.Time { return time.Date(2026, 11, 21, 14, minute, second, 0, time.UTC) }
	want := State{
		Loaded: true, Stale: true, Enabled: true, Active: true, Ran: true, Result: "exit-code", ExitCode: 1, Last: at(20, 3), Next: at(25, 0),
	}
	if err != nil || !got.Last.Equal(want.Last) || !got.Next.Equal(want.Next) {
		t.Fatalf("%+v, %v", got, err)
	}
	got.Last, got.Next = want.Last, want.Next
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	c, _ = control(Systemd, map[string][]Answer{
		runs:                    {{Out: "running\n"}},
		"systemctl --user show": {{Out: "LoadState=not-found\nActiveState=inactive\nResult=success\nExecMainStatus=0\nExecMainExitTimestamp=\n"}},
	})
	if got, err := c.State(t.Context()); err != nil || got != (State{}) {
		t.Errorf("of what is not there: %+v, %v", got, err)
	}
}

const (
	loadedAgent = "gui/1000/com.github.ocr-run-reap = {\n\tactive count = 0\n\tpath = /x\n\tstate = not running\n\n\truns = 3\n\tlast exit code = 0\n\n\tspawn type = daemon (3)\n}\n"
	printAgent  = "launchctl print gui/1000/com.github.ocr-run-reap"
)

// gone is how launchctl says that it does not know a service.
func gone() Answer {
	return Answer{Err: "Bad request.\nCould not find service \"x\" in domain for user gui: 1000\n", Code: 113}
}

func TestLaunchdStarts(t *testing.T) {
	t.Parallel()
	// It answers the first look after it was told to let go as if nothing had been.
	c, f := control(Launchd, map[string][]Answer{printAgent: {{Out: loadedAgent}, {Out: loadedAgent}, gone()}})
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		printAgent, "launchctl bootout gui/1000/com.github.ocr-run-reap", printAgent, printAgent,
		"launchctl enable gui/1000/com.github.ocr-run-reap",
		"launchctl bootstrap gui/1000 /home/u/Library/LaunchAgents/com.github.ocr-run-reap.plist",
	}
	if !slices.Equal(f.asked, want) {
		t.Errorf("asked for %q", f.asked)
	}
	c, f = control(Launchd, map[string][]Answer{printAgent: {gone()}})
	if err := c.Start(t.Context()); err != nil || slices.ContainsFunc(f.asked, func(l string) bool { return strings.Contains(l, "bootout") }) {
		t.Errorf("of what is not loaded it asked for %q, %v", f.asked, err)
	}
}

func TestLaunchdTrouble(t *testing.T) {
	t.Parallel()
	c, f := control(Launchd, map[string][]Answer{printAgent: {{Out: loadedAgent}}})
	if err := c.Stop(t.Context()); err == nil || len(f.asked) > 100 {
		t.Errorf("one that never goes: %v after %d questions", err, len(f.asked))
	}
	c, _ = control(Launchd, map[string][]Answer{printAgent: {{Err: "Could not find domain for user gui: 1000", Code: 112}}})
	if err := c.Start(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody at the screen: %v", err)
	}
	c, _ = control(Launchd, map[string][]Answer{
		printAgent: {gone()}, "launchctl bootstrap": {{Err: "Bootstrap failed: 125: Domain does not support specified action", Code: 125}},
	})
	if err := c.Start(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody at the screen: %v", err)
	}
	c, _ = control(Launchd, map[string][]Answer{printAgent: {gone()}, "launchctl bootstrap": {{Err: "Bootstrap failed: 5: Input/output error", Code: 5}}})
	if err := c.Start(t.Context()); err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("a refusal: %v", err)
	}
}

func TestLaunchdState(t *testing.T) {
	t.Parallel()
	off := "disabled services = {\n\t\t\"com.github.ocr-run-reap\" => disabled\n\t}\n"
	with := func(old, replacement string) string { return strings.Replace(loadedAgent, old, replacement, 1) }
	for name, tt := range map[string]struct {
		print, disabled Answer
		want            State
	}{
		"well":      {Answer{Out: loadedAgent}, Answer{}, State{Loaded: true, Active: true, Enabled: true, Ran: true, Result: "success"}},
		"new":       {Answer{Out: with("= 0\n\n", "= (never exited)\n\n")}, Answer{}, State{Loaded: true, Active: true, Enabled: true}},
		"busy":      {Answer{Out: with("code = 0", "code = 8")}, Answer{}, State{Loaded: true, Active: true, Enabled: true, Ran: true, Result: "success", ExitCode: 8}},
		"bad":       {Answer{Out: with("code = 0", "code = 78: EX_CONFIG")}, Answer{}, State{Loaded: true, Active: true, Enabled: true, Ran: true, Result: "exit-code", ExitCode: 78}},
		"off":       {gone(), Answer{Out: off}, State{}},
		"off, 10.x": {gone(), Answer{Out: strings.Replace(off, "disabled\n", "true\n", 1)}, State{}},
		"gone":      {gone(), Answer{}, State{Enabled: true}},
	} {
		c, _ := control(Launchd, map[string][]Answer{printAgent: {tt.print}, "launchctl print-disabled": {tt.disabled}})
		if got, err := c.State(t.Context()); err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}
