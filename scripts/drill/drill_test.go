//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == tracerRole {
		trace(os.Args[2])
	}
	os.Exit(m.Run())
}

// A small drill, as this user and on this machine.
func TestDrill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a hundred processes")
	}
	for _, tool := range []string{"setsid", "setpriv"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	ocrRun := filepath.Join(t.TempDir(), "ocr-run")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", ocrRun, "../../cmd/ocr-run")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var out bytes.Buffer
	err := drill(t.Context(), []string{"-ocr-run", ocrRun, "-runs", "16", "-bystanders", "60", "-linger", "500", "-scenario", "plain"}, &out)
	t.Log(out.String())
	if err != nil {
		t.Error(err)
	}
}

// What belongs to a run is told from what only looks on, and from everybody else.
func TestTags(t *testing.T) {
	t.Parallel()
	s := scenario{seed: 7}
	for _, c := range []struct {
		arg            string
		run, bystander bool
	}{
		{s.tag(0), true, false},
		{s.tag(199), true, false},
		{s.looker(1999), false, true},
		{scenario{seed: 8}.tag(0), false, false},
		{s.tag(0) + "1", false, false},
		{"sleep", false, false},
		{"", false, false},
	} {
		if run, bystander := s.ours([]string{"sleep", c.arg}); run != c.run || bystander != c.bystander {
			t.Errorf("%q: a run's %v, a bystander %v", c.arg, run, bystander)
		}
	}
}
