package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Without a /proc the command runs, and what needs the monitor says so.
func TestWithoutProc(t *testing.T) {
	t.Parallel()
	in := func(args ...string) (out string, code int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `mount -t tmpfs none /proc || exit 99; exec "$0" "$@"`, "ocr-run"}, args...)...)
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
		b, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99 {
			t.Skipf("no mounts of our own are to be had here: %s%v", b, err)
		}
		return string(b), cmd.ProcessState.ExitCode()
	}
	if out, code := in("sh", "-c", "echo hi; exit 7"); !strings.HasSuffix(out, "hi\n") || strings.Contains(out, "ocr-run:") || code != 7 {
		t.Errorf("%q, exit code %d", out, code)
	}
	if out, code := in("--pty", "always", "true"); !strings.Contains(out, "--no-monitor") || code != 125 {
		t.Errorf("%q, exit code %d", out, code)
	}
}
