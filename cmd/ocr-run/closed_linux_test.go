package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// lookAtStandard is a shell script that tells descriptor 3 what its standard ones are, and
// ends as a program does that writes to its output.
const lookAtStandard = `for fd in 0 1 2; do
	if [ -t $fd ]; then echo $fd is a terminal >&3
	elif [ -e /proc/self/fd/$fd ]; then echo $fd is open >&3
	else echo $fd is closed >&3
	fi
done
exec env echo x`

// A standard descriptor that was closed is closed for the command, however it is run, and
// every other is what it is for a bare one; with a terminal and without.
func TestClosedStaysClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "ocr-run")
	// As the Makefile has it, but for the version: this is nothing without the linker's flag.
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-tags", "urfave_cli_no_docs",
		"-ldflags", "-s -w -E github.com/ocr-run/ocr-run/supervisor/internal/entry.entry", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	script := filepath.Join(dir, "script")
	env := append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	for where, run := range map[string]func(*testing.T, string, []string){"on a terminal": onTerminal, "without one": withoutTerminal} {
		seen := func(prefix string) []string {
			var lines strings.Builder
			for _, r := range redirections() {
				_, _ = fmt.Fprintf(&lines, "echo 'with %s:' >&3; %s sh -c '%s' %s; echo code $? >&3\n", r, prefix, lookAtStandard, r)
			}
			if err := os.WriteFile(script, []byte("exec 3>script.out\n"+lines.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, dir, env)
			out, err := os.ReadFile(script + ".out")
			if err != nil {
				t.Fatal(err)
			}
			return strings.SplitAfter(string(out), "with")
		}
		bare := seen("")
		if len(bare) != 1+len(redirections()) {
			t.Fatalf("%s: bare %q", where, bare)
		}
		for _, how := range []string{"", "--no-monitor", "--pty never", "--log log", "keep --", "./ocr-run"} {
			got := seen("./ocr-run " + how)
			for i, want := range bare {
				if i >= len(got) || got[i] != want {
					t.Errorf("%s, ocr-run %s: %q, bare %q", where, how, got[min(i, len(got)-1)], want)
				}
			}
		}
	}
}

// redirections are the ways to close some of the standard descriptors, none among them.
func redirections() (all []string) {
	for closed := range 1 << 3 {
		var r strings.Builder
		for fd := range 3 {
			if closed&(1<<fd) != 0 {
				fmt.Fprintf(&r, " %d>&-", fd)
			}
		}
		all = append(all, r.String())
	}
	return all
}

// onTerminal runs the script of a directory on a terminal.
func onTerminal(t *testing.T, dir string, env []string) {
	t.Helper()
	term, err := ptytest.Start(ptytest.Config{Argv: []string{"sh", "script"}, Dir: dir, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	if _, err := term.Wait(time.Minute); err != nil {
		t.Error(err)
	}
}

// withoutTerminal runs it with a file, a pipe and a pipe.
func withoutTerminal(t *testing.T, dir string, env []string) {
	t.Helper()
	in, err := os.Open(filepath.Join(dir, "script"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "script")
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.SysProcAttr = dir, env, in, &syscall.SysProcAttr{Setsid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
