package supervisor

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// patience bounds every wait of these tests; on an idle machine they take
// milliseconds.
const patience = 30 * time.Second

// bench is one wrapper under test.
type bench struct {
	t     *testing.T
	order order
}

// newBench prepares an order for sh -c script. At the end of the test nothing
// that carries the run's marker may be alive.
func newBench(t *testing.T, script string) *bench {
	t.Helper()
	t.Parallel()
	return prepare(t, script)
}

// prepare is newBench without making the test parallel.
func prepare(t *testing.T, script string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, order: order{
		UID: uuid.NewString(), Command: []string{"/bin/sh", "-c", script}, Grace: 5 * time.Second,
		StateDir: dir, Result: filepath.Join(dir, "result"),
	}}
	t.Cleanup(func() {
		b.assertNothingSurvives()
		// Where everybody was killed nobody has removed it.
		if own, err := proc.Cgroup(os.Getpid()); err == nil {
			if g, there := proc.GroupAt(path.Join(own, "ocr-run-"+b.order.UID)); there {
				b.eventually("the control group is removed", func() bool { return g.Remove() == nil })
			}
		}
	})
	return b
}

// environ is the environment of the wrapper.
func (b *bench) environ() []string {
	b.t.Helper()
	o, err := json.Marshal(b.order)
	if err != nil {
		b.t.Fatal(err)
	}
	// A binary with the race detector would otherwise sleep for a second at its end.
	return append(os.Environ(), "GORACE=atexit_sleep_ms=0", roleKey+"=wrapper", orderKey+"="+string(o))
}

// command is the wrapper without a terminal.
func (b *bench) command() *exec.Cmd {
	cmd := exec.Command(self(b.t))
	cmd.Env = b.environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// ready starts the wrapper without a terminal and waits for its command to say
// that it is ready. The reader has the rest of the output.
func (b *bench) ready() (*exec.Cmd, io.Reader) {
	b.t.Helper()
	cmd := b.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	readLine(b.t, out, "ready")
	return cmd, out
}

// terminal is the wrapper on a terminal of its own; it is the session leader.
func (b *bench) terminal() *ptytest.Terminal {
	b.t.Helper()
	term, err := ptytest.Start(ptytest.Config{Argv: []string{self(b.t)}, Env: b.environ()})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := term.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return term
}

// ending is what the wrapper reported.
func (b *bench) ending() store.Ending {
	b.t.Helper()
	raw, err := os.ReadFile(b.order.Result)
	if err != nil {
		b.t.Fatal(err)
	}
	var e store.Ending
	if err := json.Unmarshal(raw, &e); err != nil {
		b.t.Fatal(err)
	}
	return e
}

// marked lists the living processes that carry the run's marker.
func (b *bench) marked() []proc.Process {
	b.t.Helper()
	all, err := proc.All()
	if err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(p proc.Process) bool {
		uid, _, err := proc.LookupEnv(p.PID, EnvUID)
		return err != nil || uid != b.order.UID || p.Dead()
	})
}

// assertNothingSurvives waits for the run's processes to be gone.
func (b *bench) assertNothingSurvives() {
	b.t.Helper()
	b.eventually("the run's processes are gone", func() bool { return len(b.marked()) == 0 })
}

// eventually waits for a condition.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	if !within(patience, holds) {
		b.t.Errorf("in vain: %s; alive: %v", what, b.marked())
	}
}

// within polls a condition; it is the only place here that waits by time.
func within(limit time.Duration, holds func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// self is the test binary.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// codeOf is the exit code of a finished command.
func codeOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	default:
		t.Fatal(err)
		return -1
	}
}

// want fails the test when got is not want.
func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// readLine reads up to and including text.
func readLine(t *testing.T, from interface{ Read([]byte) (int, error) }, text string) {
	t.Helper()
	var got []byte
	buf := make([]byte, 64)
	for !strings.Contains(string(got), text) {
		n, err := from.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			t.Fatalf("want %q, got %q: %v", text, got, err)
		}
	}
}

// wrapper is the pid of the wrapper: of the two that are parents of others, the
// one that is nobody's monitor.
func (b *bench) wrapper() int {
	b.t.Helper()
	all, err := proc.All()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, p := range all {
		role, _, err := proc.LookupEnv(p.PID, roleKey)
		given, _, _ := proc.LookupEnv(p.PID, orderKey)
		if err == nil && role == "wrapper" && strings.Contains(given, b.order.UID) && hasMonitor(p.PID) {
			return p.PID
		}
	}
	b.t.Fatal("no wrapper")
	return 0
}

// hasMonitor says whether a process is the parent of a monitor.
func hasMonitor(pid int) bool {
	kids, err := proc.Children(pid)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(kids, func(kid int) bool {
		line, err := proc.CommandLine(kid)
		return err == nil && strings.Contains(line, monitor.Name)
	})
}

// recorded says whether the wrapper has reported.
func (b *bench) recorded() bool {
	raw, err := os.ReadFile(b.order.Result)
	return err == nil && json.Valid(raw)
}
