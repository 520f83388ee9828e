package doctor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program writes a shell script that can be executed.
func program(t *testing.T, dir, name, script string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindProgram(t *testing.T) {
	t.Parallel()
	a, b, c := t.TempDir(), t.TempDir(), t.TempDir()
	self, other := program(t, b, "ocr-run", ""), program(t, c, "ocr-run", "")
	if err := os.Symlink(self, filepath.Join(a, "ocr-run")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a, "no-program"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{"/nowhere", filepath.Base(a), b, c}, ":")
	p := FindProgram("ocr-run", self, path, filepath.Dir(a))
	if len(p.Found) != 2 || p.Found[0] != filepath.Join(a, "ocr-run") || !p.Same[0] || p.Found[1] != other || p.Same[1] {
		t.Errorf("%+v", p)
	}
	if p := FindProgram("no-program", self, a, "/"); len(p.Found) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestFindHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := FindHome(func(key string) (string, bool) { return dir, key == "HOME" })
	if !h.Set || !h.Exists || h.Home != dir || h.Owner != os.Geteuid() || h.UID != os.Geteuid() {
		t.Errorf("%+v", h)
	}
}

func TestFindState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state := filepath.Join(dir, "a", "b")
	s := FindState(state)
	if s.Nearest != dir || !s.IsDir || !s.Writable || s.Entries != nil || s.Free <= 0 || s.ReadOnly {
		t.Errorf("%+v", s)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("made %v", left)
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(state, "f"), nil, 0o640); err != nil {
		t.Fatal(err)
	}
	s = FindState(state)
	if s.Nearest != state || len(s.Entries) != 2 || s.Entries[1].Mode != 0o640 || s.Entries[1].Owner != os.Geteuid() {
		t.Errorf("%+v", s)
	}
	if s := FindState(filepath.Join(state, "f", "g")); s.IsDir {
		t.Errorf("%+v", s)
	}
}

// What the system tells differs; that it can be asked and stays as it is does not.
func TestProbesAnswer(t *testing.T) {
	t.Parallel()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if term := FindTerminal([3]*os.File{null, null, null}, "x"); term.Is != [3]bool{} || term.Term != "x" {
		t.Errorf("%+v", term)
	}
	if l := FindLimits(); !l.Asked || l.Files == 0 {
		t.Errorf("%+v", l)
	}
	if k := FindKernel(); k.System == "" || k.Subreaper != "" && k.System == "linux" {
		t.Errorf("%+v", k)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	agents := []Agent{
		{Name: "good", Path: program(t, dir, "good", `echo; echo "1.2.3 (Good)"; echo more`)},
		{Name: "reads", Path: program(t, dir, "reads", `cat; echo "read: 2"`)},
		{Name: "bad", Path: program(t, dir, "bad", `echo "no module" >&2; exit 3`)},
		{Name: "silent", Path: program(t, dir, "silent", `exit 0`)},
		{Name: "killed", Path: program(t, dir, "killed", `kill -9 $$`)},
		{Name: "long", Path: program(t, dir, "long", `yes | head -c 100000`)},
		{Name: "warns", Path: program(t, dir, "warns", `echo "WARNING: no links" >&2; echo "Note."; echo "warns v0.80.1"`)},
		{Name: "elsewhere", Path: program(t, dir, "elsewhere", `echo "Welcome"; echo "1.0" >&2`)},
		{Name: "missing", Path: filepath.Join(dir, "missing")},
		{Name: "not found"},
	}
	Versions(t.Context(), agents, []string{"PATH=/usr/bin:/bin"}, dir, time.Minute)
	want := []string{"1.2.3 (Good)|", "read: 2|", "|it exited 3: no module", "|it said nothing", "|signal: killed", "y|", "warns v0.80.1|", "1.0|", "", "|"}
	for i, a := range agents {
		if got := a.Version + "|" + a.Failure; want[i] != "" && got != want[i] {
			t.Errorf("%s: %q, want %q", a.Name, got, want[i])
		}
	}
	if agents[8].Failure == "" {
		t.Error("a program that is not there has a version")
	}
}

// Who does not answer is given up, together with what it has started.
func TestVersionHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	agents := []Agent{{Path: program(t, dir, "hangs", `sleep 59 & echo $! >`+dir+`/pid; wait`)}}
	Versions(t.Context(), agents, []string{"PATH=/usr/bin:/bin"}, dir, 2*time.Second)
	if agents[0].Failure != "no answer within 2s" || agents[0].Version != "" {
		t.Errorf("%+v", agents[0])
	}
	b, err := os.ReadFile(filepath.Join(dir, "pid"))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid == 0 {
		t.Fatalf("%q, %v", b, err)
	}
	for deadline := time.Now().Add(10 * time.Second); unix.Kill(pid, 0) == nil; {
		// One that nobody has taken in yet has no command line.
		if line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline")); err == nil && len(line) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}
