package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// What was read is gone from the file, and what comes meanwhile is not lost.
func TestListenerForgetsWhatItRead(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(string) (*os.File, error){"wherever it can be": placeTelemetry, "on a disk": diskTelemetry} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forgets(t, place)
		})
	}
}

func forgets(t *testing.T, place func(string) (*os.File, error)) {
	t.Helper()
	const told = `{"name": "qwen-code.llm_request", "attributes": {"session.id": "s", "qwen-code.prompt_id": "s########0", "gen_ai.response.finish_reasons": ["length"]}}` + "\n"
	path := filepath.Join(t.TempDir(), "hooks", "u.telemetry")
	f, err := place(path)
	if err != nil {
		t.Fatal(err)
	}
	agents, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = agents.Close() })
	write := func(text string) {
		if _, err := io.WriteString(agents, text); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := agent.ByName("qwen")
	l := &listener{file: f, reader: a.TelemetryReader(agent.Invocation{})}
	write("{\"args\": \"secret\"}\n" + strings.Repeat("{}\n", 4000) + told[:50])
	l.read(100)
	read := l.at
	l.read(outputMost)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if read != 100 || punch(f, 1) && (bytes.Contains(b, []byte("secret")) || len(bytes.Trim(b, "\x00")) > 0) {
		t.Errorf("%d bytes read, and there still is %.200q", read, bytes.Trim(b, "\x00"))
	}
	write(told[50:])
	if got := l.heard("s"); got.Cause != agent.CauseTruncated {
		t.Errorf("%+v", got)
	}
}

// A file in memory leads nowhere once we are gone, and on a disk there is one where
// memory cannot be had.
func TestTelemetryIsPlaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := shelterTelemetry(filepath.Join(dir, "a.telemetry"))
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if info, err := f.Stat(); err != nil || info.Mode() != 0o600 {
		t.Error(info, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.telemetry")); err == nil {
		t.Error("what was in memory is still there")
	}
	if _, err := shelterTelemetry(filepath.Join(dir, "a.telemetry")); err == nil {
		t.Error("what is there was taken over")
	}
	if _, err := placeTelemetry(filepath.Join(dir, "a.telemetry")); err == nil {
		t.Error("what is there was taken over")
	}
}

// Only what a run that this one is part of has put there is ours.
func TestWithoutOurs(t *testing.T) {
	t.Parallel()
	const state = "/state/ocr-run"
	qwen, _ := agent.ByName("qwen")
	gemini, _ := agent.ByName("gemini")
	file := func(uid string) string { return runfile.CompanionPath(state, uid+telemetrySuffix) }
	for name, c := range map[string]struct {
		environ []string
		ours    bool
	}{
		"an outer run's":         {qwen.Telemetry(file("outer")), true},
		"and another agent's":    {slices.Concat(gemini.Telemetry(file("root")), qwen.Telemetry(file("outer"))), true},
		"a stranger's":           {qwen.Telemetry(file("stranger")), false},
		"part of a name":         {qwen.Telemetry(file("out")), false},
		"no name":                {qwen.Telemetry("/home/me/.telemetry"), false},
		"no name, in that place": {qwen.Telemetry(file("")), false},
		"in another place":       {qwen.Telemetry("/home/me/outer.telemetry"), false},
		"another agent's only":   {append(gemini.Telemetry(file("outer")), "QWEN_TELEMETRY_ENABLED=true"), false},
	} {
		left := withoutOurs(append(c.environ, "PATH=/bin"), qwen, state, []string{"root", "outer", "own"})
		mentioned := strings.Contains(fmt.Sprint(left), "QWEN_TELEMETRY_")
		if mentioned == c.ours || !slices.Contains(left, "PATH=/bin") {
			t.Errorf("%s: %q", name, left)
		}
	}
}
