package ocrdb

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	const (
		exited    = lifecycle.EndExited
		signalled = lifecycle.EndSignalled
		lost      = lifecycle.EndLost
	)
	for _, c := range []struct {
		name string
		p    lifecycle.Process
		code int
		over bool
	}{
		{"running", lifecycle.Process{End: lifecycle.EndRunning}, 0, false},
		{"queued", lifecycle.Process{End: lifecycle.EndQueued}, 0, false},
		{"exit 0", lifecycle.Process{End: exited, ExitCode: new(0)}, 0, true},
		{"exit 255", lifecycle.Process{End: exited, ExitCode: new(255)}, 255, true},
		{"signal", lifecycle.Process{End: signalled, Signal: new(9)}, exitSignalled, true},
		{"user, exit 0", lifecycle.Process{End: exited, ExitCode: new(0), StoppedBy: lifecycle.StoppedByUser}, exitCancelled, true},
		{"user, signal", lifecycle.Process{End: signalled, Signal: new(2), StoppedBy: lifecycle.StoppedByUser}, exitCancelled, true},
		{"user in vain", lifecycle.Process{End: exited, ExitCode: new(0), StoppedBy: lifecycle.StoppedByUser, StopFailed: true}, 0, true},
		{"parent", lifecycle.Process{End: signalled, Signal: new(15), StoppedBy: lifecycle.StoppedByParent}, exitCascaded, true},
		{"deadline, exit 0", lifecycle.Process{End: exited, ExitCode: new(0), StoppedBy: lifecycle.StoppedByDeadline}, exitDeadline, true},
		{"reaper", lifecycle.Process{End: signalled, Signal: new(9), StoppedBy: lifecycle.StoppedByReaper}, exitOrphaned, true},
		{"lost", lifecycle.Process{End: lost}, exitOrphaned, true},
		{"lost while being stopped", lifecycle.Process{End: lost, StoppedBy: lifecycle.StoppedByUser}, exitOrphaned, true},
		{"idle, exit 0", lifecycle.Process{End: exited, ExitCode: new(0), StoppedBy: lifecycle.StoppedByIdle}, exitSignalled, true},
		{"stalled, exit 3", lifecycle.Process{End: exited, ExitCode: new(3), StoppedBy: lifecycle.StoppedByStalled}, 3, true},
		{"terminal", lifecycle.Process{End: signalled, Signal: new(1), StoppedBy: lifecycle.StoppedByTerminal}, exitSignalled, true},
		{"not found", lifecycle.Process{End: lifecycle.EndNotStarted, ExitCode: new(127)}, 127, true},
		{"not started", lifecycle.Process{End: lifecycle.EndNotStarted}, exitSignalled, true},
		{"called off", lifecycle.Process{End: lifecycle.EndNotStarted, ExitCode: new(125), StoppedBy: lifecycle.StoppedByUser}, exitCancelled, true},
	} {
		if code, over := ExitCode(c.p); code != c.code || over != c.over {
			t.Errorf("%s: %d, %v, want %d, %v", c.name, code, over, c.code, c.over)
		}
	}
}

// anyProcess draws an end of every kind.
func anyProcess(t *rapid.T) lifecycle.Process {
	p := lifecycle.Process{
		End:        rapid.SampledFrom(lifecycle.ProcessEnds()).Draw(t, "end"),
		StoppedBy:  rapid.SampledFrom(append(lifecycle.Stoppers(), lifecycle.StoppedByNobody)).Draw(t, "by"),
		StopFailed: rapid.Bool().Draw(t, "failed"),
	}
	switch p.End {
	case lifecycle.EndExited, lifecycle.EndNotStarted:
		p.ExitCode = new(rapid.IntRange(0, 255).Draw(t, "code"))
	case lifecycle.EndSignalled:
		p.Signal = new(rapid.IntRange(1, 64).Draw(t, "signal"))
	case lifecycle.EndQueued, lifecycle.EndRunning, lifecycle.EndLost:
	}
	return p
}

// TestTheProductNeverReadsBetterThanWeDo: what we write, read back by the
// product's rules, is a success only where our own verdict is one.
func TestTheProductNeverReadsBetterThanWeDo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyProcess(t)
		work := rapid.SampledFrom(append(lifecycle.Completenesses(), lifecycle.CompletenessNone)).Draw(t, "work")
		code, over := ExitCode(p)
		if over != p.End.Over() {
			t.Fatalf("over is %v", over)
		}
		ours := lifecycle.Judge(lifecycle.Facts{Process: p, Workflow: work, Turn: lifecycle.TurnNone}).Outcome
		theirs := lifecycle.Judge(lifecycle.Facts{Process: processOf(over, &code), Workflow: work, Turn: lifecycle.TurnNone}).Outcome
		if ours != theirs {
			t.Fatalf("%+v with work %q is %s for us and %s for the product (code %d)", p, work, ours, theirs, code)
		}
	})
}

func TestEndNoteIsOneLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := anyProcess(t)
		cause := rapid.SampledFrom(lifecycle.Causes()).Draw(t, "cause")
		note := endNote(p, cause)
		if strings.Contains(note, "\n") || !strings.HasPrefix(note, "ocr-run: "+string(p.End)) || !strings.HasSuffix(note, string(cause)) {
			t.Fatal(note)
		}
		if !hasLine("before\n"+note+"\nafter", note) || hasLine("x"+note, note) {
			t.Fatal("not found as a line")
		}
	})
}

func TestMillis(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"2026-07-30 12:00:00":       noon,
		"2026-07-30T12:00:00.000Z":  noon,
		"2026-07-30T12:00:00Z":      noon,
		"2026-07-30T12:00:00.205Z":  noon + 205,
		"2026-07-30 12:00:00.205":   noon + 205,
		"2026-07-30T14:00:00+02:00": noon,
		" 2026-07-30 12:00:00\n":    noon,
	} {
		if got, ok := Millis(s); !ok || got != want {
			t.Errorf("%q: %d, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "now", "2026-07-30", "12:00:00", "2026-02-30 12:00:00", "1785412800000"} {
		if got, ok := Millis(s); ok {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestStampsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 253402300799999).Draw(t, "ms")
		if got, ok := Millis(stamp(ms)); !ok || got != ms {
			t.Fatalf("%s: %d, %v", stamp(ms), got, ok)
		}
		if got, ok := Millis(time.UnixMilli(ms).UTC().Format(time.DateTime)); !ok || got != ms-ms%1000 {
			t.Fatalf("%d: %d, %v", ms, got, ok)
		}
	})
}

func FuzzMillis(f *testing.F) {
	for _, s := range []string{"2026-07-30 12:00:00", "2026-07-30T12:00:00.000Z", "x", "9999-99-99T99:99:99Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ms, ok := Millis(s)
		if again, okAgain := Millis(stamp(ms)); ok && ms >= 0 && ms < 253402300800000 && (!okAgain || again != ms) {
			t.Fatalf("%q is %d, read back as %d", s, ms, again)
		}
	})
}

func FuzzArgs(f *testing.F) {
	for _, s := range []string{`["a"]`, `[]`, `null`, `{"a":1}`, `["a",1]`, `[`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if argsIn(s) != nil && !strings.HasPrefix(strings.TrimLeft(s, " \t\r\n"), "[") {
			t.Fatalf("%q has arguments", s)
		}
	})
}

func FuzzThreshold(f *testing.F) {
	f.Add("runtime:\n  agent_heartbeat_seconds: 30\n")
	f.Add("runtime: { agent_heartbeat_seconds: 30 }")
	f.Fuzz(func(t *testing.T, s string) {
		if v := thresholdIn(s); v != "" && !strings.Contains(s, v) {
			t.Fatalf("%q is not in %q", v, s)
		}
	})
}

func TestThreshold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, yaml string
		want       time.Duration
		fails      bool
	}{
		{"empty", "", DefaultThreshold, false},
		{"block", "team:\n  x: 1\nruntime:\n  other: 2\n\n  # note\n  agent_heartbeat_seconds: 30 # half\n", 30 * time.Second, false},
		{"inline", "runtime: { other: 1, agent_heartbeat_seconds: 90 }\n", 90 * time.Second, false},
		{"quoted", "runtime:\n  agent_heartbeat_seconds: \"45\"\n", 45 * time.Second, false},
		{"windows", "runtime:\r\n  agent_heartbeat_seconds: 30\r\n", 30 * time.Second, false},
		{"elsewhere", "other:\n  agent_heartbeat_seconds: 30\n", DefaultThreshold, false},
		{"after the block", "runtime:\n  a: 1\nother:\n  agent_heartbeat_seconds: 30\n", DefaultThreshold, false},
		{"comment", "# runtime:\n#   agent_heartbeat_seconds: 30\n", DefaultThreshold, false},
		{"zero", "runtime:\n  agent_heartbeat_seconds: 0\n", DefaultThreshold, true},
		{"fraction", "runtime:\n  agent_heartbeat_seconds: 1.5\n", DefaultThreshold, true},
		{"word", "runtime:\n  agent_heartbeat_seconds: soon\n", DefaultThreshold, true},
		{"huge", "runtime:\n  agent_heartbeat_seconds: 99999999999999\n", DefaultThreshold, true},
	} {
		h := Host{Root: t.TempDir()}
		put(t, h.Root+"/.ocr/config.yaml", c.yaml)
		if got, err := h.Threshold(); got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
	if got, err := (Host{Root: t.TempDir()}).Threshold(); got != DefaultThreshold || err != nil {
		t.Errorf("no file: %s, %v", got, err)
	}
	for threshold, want := range map[time.Duration]time.Duration{
		DefaultThreshold: 20 * time.Second, time.Hour: 20 * time.Second, 15 * time.Second: 5 * time.Second, time.Second: time.Second,
	} {
		if got := Interval(threshold); got != want {
			t.Errorf("interval of %s: %s", threshold, got)
		}
	}
}
