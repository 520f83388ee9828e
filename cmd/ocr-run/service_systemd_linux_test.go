package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestServiceUnderSystemd installs the service under a real manager, which it
// starts in namespaces of its own, and has it sweep beside other units.
func TestServiceUnderSystemd(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may give a manager control groups of its own")
	}
	for _, need := range []string{"unshare", "systemctl", "systemd-run", "pgrep", "flock"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("%s is not installed", need)
		}
	}
	manager := ""
	for _, path := range []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd"} {
		if _, err := os.Stat(path); err == nil {
			manager = path
		}
	}
	if manager == "" {
		t.Skip("systemd is not installed")
	}
	dir, err := filepath.Abs(filepath.Join("testdata", "systemd"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", filepath.Join(dir, "manager.sh"), t.TempDir(), manager, filepath.Join(dir, "service.sh"))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TERM=dumb")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 77 {
		t.Skipf("no manager can be started here:\n%s", out)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
