package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/supervisor"
)

// options parses flags as a wrapped run does.
func options(t *testing.T, base string, args ...string) (runOptions, error) {
	t.Helper()
	c, err := parseFlags(t.Context(), program, wrapFlags(), args)
	if err != nil {
		return runOptions{}, err
	}
	return parseOptions(c, base)
}

func TestOptionsDefaults(t *testing.T) {
	t.Parallel()
	got, err := options(t, "/here")
	want := runOptions{
		pty: supervisor.PTYAuto, grace: 5 * time.Second, cwd: "/here", logSize: 10 << 20, heartbeat: 10 * time.Second,
		onHangup: supervisor.HangupStop, leftovers: supervisor.LeftoversStop, env: []string{},
		watchOptions: watchOptions{heal: healNever, awake: awakeNever},
	}
	if err != nil || !reflect.DeepEqual(normal(got), normal(want)) {
		t.Errorf("options() = %+v, %v, want %+v", got, err, want)
	}
}

// normal makes an empty list comparable.
func normal(o runOptions) runOptions {
	if len(o.env) == 0 {
		o.env = nil
	}
	return o
}

func TestOptions(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	got, err := options(t, base,
		"--pty=always", "--timeout", "2h", "--grace", "0", "--cwd", ".",
		"--env", "A=1,2", "--env", "B= x ", "--env", "A=", "--name", "nightly", "--agent", "claude",
		"--log", "out.log", "--log-size", "64K", "--heartbeat", "500ms", "--on-hangup", "keep",
		"--leftovers", "report", "--receipt", "/dev/null", "--json", "-q", "--on-end", "cat >x", "--debug", "d.log",
		"--idle-timeout", "1h", "--stop-idle", "--stall-timeout", "10m", "--stop-stalled", "--stop-runaway", "--heal", "after-sleep", "--awake", "working")
	want := runOptions{
		pty: supervisor.PTYAlways, timeout: 2 * time.Hour, grace: 0, cwd: base,
		env: []string{"A=1,2", "B= x ", "A="}, name: "nightly", agent: "claude",
		log: filepath.Join(base, "out.log"), logSize: 64 << 10, heartbeat: 500 * time.Millisecond,
		onHangup: supervisor.HangupKeep, leftovers: supervisor.LeftoversReport, receipt: "/dev/null", json: true, quiet: true,
		onEnd: "cat >x", debug: filepath.Join(base, "d.log"),
		watchOptions: watchOptions{
			idle: time.Hour, stall: 10 * time.Minute, stopIdle: true, stopStalled: true, stopRunaway: true, heal: healAfterSleep, awake: awakeWorking,
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("options() = %+v, %v\nwant %+v", got, err, want)
	}
}

// TestOptionsRefused checks that every value that makes no sense is refused,
// and that the error names the flag.
func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	tests := [][]string{
		{"--pty", "maybe"},
		{"--timeout", "5"},
		{"--timeout", "-5s"},
		{"--timeout", ""},
		{"--grace", "soon"},
		{"--heartbeat", "1ms"},
		{"--heartbeat", "0"},
		{"--cwd", "does-not-exist"},
		{"--env", "NOVALUE"},
		{"--env", "=value"},
		{"--name", "a\x1b[2J"},
		{"--name", ""},
		{"--agent", "claud"},
		{"--receipt", "nowhere/r.json"},
		{"--receipt", "."},
		{"--receipt", "-"},
		{"--log", "-"},
		{"--debug", "-"},
		{"--log", "nowhere/out.log"},
		{"--debug", "/dev/null/d.log"},
		{"--log-size", "0"},
		{"--log-size", "9999999999G"},
		{"--log-size", "10X"},
		{"--on-hangup", "report"},
		{"--leftovers", "kill"},
		{"--pty", "always", "--no-monitor"},
		{"--log", "f", "--no-monitor"},
		{"--stop-idle"},
		{"--stop-stalled", "--idle-timeout", "1h"},
		{"--idle-timeout", "0"},
		{"--stall-timeout", "1ms"},
		{"--heal", "always"},
		{"--awake", "maybe"},
		{"--log", "f", "--pty", "never"},
	}
	for _, args := range tests {
		t.Run(strings.Join(args, "="), func(t *testing.T) {
			t.Parallel()
			_, err := options(t, t.TempDir(), args...)
			if err == nil || !strings.Contains(err.Error(), args[0]+":") {
				t.Errorf("options(%q) error = %v, want one that names the flag", args, err)
			}
		})
	}
}

func TestDirectoryThatCannotBeEntered(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root enters any directory")
	}
	base := t.TempDir()
	if err := os.Mkdir(filepath.Join(base, "closed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := options(t, base, "--cwd", "closed"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// TestOutputFiles checks that files are refused that cannot be written to, and that
// none is made or changed by looking.
func TestOutputFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closed, file := filepath.Join(dir, "closed"), filepath.Join(dir, "file")
	if err := errors.Join(os.Mkdir(closed, 0o500), os.WriteFile(file, []byte("kept"), 0o400)); err != nil {
		t.Fatal(err)
	}
	root := os.Geteuid() == 0 // may write everywhere
	for path, refused := range map[string]bool{filepath.Join(closed, "new"): !root, file: !root, filepath.Join(dir, "new"): false, "/dev/null": false} {
		if err := writable(path); (err != nil) != refused || err != nil && !strings.HasPrefix(err.try, "ls -l") {
			t.Errorf("writable(%s) = %+v, want refused %v", path, err, refused)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("looking has made a file")
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != "kept" {
		t.Errorf("file holds %q, %v", kept, err)
	}
}

func TestOptionsUnknownFlag(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--nope"}, {"--name"}, {"--quiet=perhaps"}} {
		if _, err := options(t, "/", args...); err == nil {
			t.Errorf("options(%q) was accepted", args)
		}
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"90s", 90 * time.Second, true},
		{"1h30m", 90 * time.Minute, true},
		{"2d", 48 * time.Hour, true},
		{"0.5d", 12 * time.Hour, true},
		{"0", 0, true},
		{"5", 0, false},
		{"-1s", 0, false},
		{"-1d", 0, false},
		{"NaNd", 0, false},
		{"Infd", 0, false},
		{"1e9d", 0, false},
		{"d", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		got, err := parseDuration(tt.text)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("parseDuration(%q) = %v, %v", tt.text, got, err)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	tests := map[string]int64{
		"1": 1, "500B": 500, "2K": 2048, "2KiB": 2048, "2KB": 2000, "10MiB": 10 << 20, "1MB": 1e6, "1G": 1 << 30, "1GB": 1e9, "1k": 1024, "3mib": 3 << 20,
		"": 0, "K": 0, "-1": 0, "0": 0, "1.5M": 0, "1MM": 0, "99999999999999999999": 0, "9223372036854775807K": 0,
	}
	for text, want := range tests {
		if got, err := parseSize(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("parseSize(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}
