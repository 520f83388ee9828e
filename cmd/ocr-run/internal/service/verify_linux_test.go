package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSystemdVerifies asks systemd itself whether it understands the units, word
// for word.
func TestSystemdVerifies(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	s := hostile(Systemd)
	s.Home, s.ConfigHome = t.TempDir(), ""
	s.Binary = filepath.Join(s.Home, "%h ${HOME} $PATH;&<x>#é", "ocr-run")
	write(t, s.Binary, "#!/bin/sh\n", 0o755)
	files, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Examples() {
		more, err := s.Example(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	// It only warns about what it does not know, unless told to mind.
	args := []string{"--user", "--man=no", "--recursive-errors=no", "verify"}
	for _, f := range files {
		if f.Target == "" {
			write(t, f.Path, f.Text, 0o644)
			args = append(args, f.Path)
		}
	}
	verify := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), analyze, args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir(), "HOME="+s.Home, "XDG_CONFIG_HOME=")
		return cmd.CombinedOutput()
	}
	if out, err := verify(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	write(t, files[0].Path, files[0].Text+"NoSuchSetting=1\n", 0o644)
	if out, err := verify(); err == nil {
		t.Errorf("it would not have noticed anything: %s", out)
	}
}

func TestLingers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "u"), "", 0o644)
	for user, want := range map[string][2]bool{"u": {true, true}, "v": {false, true}, "": {false, false}} {
		if on, known := lingersIn(dir, user); [2]bool{on, known} != want {
			t.Errorf("%q: %v, known %v", user, on, known)
		}
	}
}
