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
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
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

func TestExitCodesPass(t *testing.T) {
	for _, code := range []int{0, 1, 7, 126, 255} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			b := newBench(t, "exit "+strconv.Itoa(code))
			want(t, "code", codeOf(t, b.command().Run()), code)
			want(t, "recorded", *b.ending().ExitCode, code)
		})
	}
}

func TestPipesPassByteForByte(t *testing.T) {
	b := newBench(t, "cat; printf 'err\\n' >&2")
	cmd := b.command()
	text := strings.Repeat("0123456789\r\n\x00\xff", 60_000)
	cmd.Stdin = strings.NewReader(text)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	want(t, "code", codeOf(t, err), 0)
	want(t, "stdout intact", string(out) == text, true)
	want(t, "stderr", errs.String(), "err\n")
}

func TestCommandDiesOfSignal(t *testing.T) {
	b := newBench(t, "kill -SEGV $$")
	want(t, "code", codeOf(t, b.command().Run()), 128+int(unix.SIGSEGV))
	want(t, "end", b.ending().End, lifecycle.EndSignalled)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByNobody)
}

func TestNotExecutable(t *testing.T) {
	b := newBench(t, "")
	b.order.Command = []string{"/etc/passwd"}
	want(t, "code", codeOf(t, b.command().Run()), ExitNotExecutable)
	want(t, "end", b.ending().End, lifecycle.EndNotStarted)
}

func TestScriptWithoutFirstLineIsTheShells(t *testing.T) {
	b := newBench(t, "")
	script := filepath.Join(b.order.StateDir, "script")
	if err := os.WriteFile(script, []byte("exit $#\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	b.order.Command = []string{script, "one", "two"}
	want(t, "code", codeOf(t, b.command().Run()), 2)
}

func TestSignalsReachTheGroup(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGHUP, unix.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			b := newBench(t, "trap 'exit 42' "+strconv.Itoa(int(sig))+"; echo ready; while :; do sleep 0.05; done")
			cmd, _ := b.ready()
			_ = cmd.Process.Signal(sig)
			want(t, "code", codeOf(t, cmd.Wait()), 42)
		})
	}
}

func TestTermIsEscalated(t *testing.T) {
	b := newBench(t, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
	b.order.Grace = 200 * time.Millisecond
	cmd, _ := b.ready()
	_ = cmd.Process.Signal(unix.SIGTERM)
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGKILL))
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}

func TestSecondInterruptIsDecisive(t *testing.T) {
	b := newBench(t, "trap 'echo one' INT; echo ready; while :; do sleep 0.05; done")
	cmd, out := b.ready()
	_ = cmd.Process.Signal(unix.SIGINT)
	readLine(t, out, "one")
	_ = cmd.Process.Signal(unix.SIGINT)
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGKILL))
}

func TestDeadline(t *testing.T) {
	b := newBench(t, "exec sleep 60")
	b.order.Timeout = 100 * time.Millisecond
	want(t, "code", codeOf(t, b.command().Run()), 128+int(unix.SIGTERM))
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByDeadline)
}

// An agent is asked as it understands, and so is what it has started elsewhere.
func TestAStopBeginsWithTheCommandsOwnSignal(t *testing.T) {
	// What a shell starts behind itself ignores INT, hence another one.
	b := newBench(t, `trap 'sleep 0.2; exit 7' USR1; trap 'exit 8' TERM
		setsid sh -c 'trap "echo tool >"$0".tool; exit" USR1; echo; while :; do sleep 0.05; done' "$0" | { read -r _; echo ready; cat; } &
		while :; do sleep 0.05; done`)
	b.order.Command = append(b.order.Command, b.order.StateDir+"/said")
	b.order.StopSignal = unix.SIGUSR1
	cmd, _ := b.ready()
	_ = cmd.Process.Signal(unix.SIGTERM)
	want(t, "code", codeOf(t, cmd.Wait()), 7)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
	if _, err := os.Stat(b.order.StateDir + "/said.tool"); err != nil {
		t.Error(err)
	}
}

// One that takes no notice is pressed before it is killed; a command without a signal
// of its own gets TERM once, as ever.
func TestAStopIsPressedHalfWay(t *testing.T) {
	b := newBench(t, "trap '' INT; trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done")
	b.order.StopSignal, b.order.Grace = unix.SIGINT, time.Second
	cmd, _ := b.ready()
	_ = cmd.Process.Signal(unix.SIGTERM)
	want(t, "code", codeOf(t, cmd.Wait()), 8)
}

func TestACommandWithoutASignalOfItsOwnIsNotPressed(t *testing.T) {
	b := newBench(t, "trap 'n=x$n; [ $n = xx ] && exit 9' TERM; echo ready; while :; do sleep 0.05; done")
	b.order.Grace = time.Second
	cmd, _ := b.ready()
	_ = cmd.Process.Signal(unix.SIGTERM)
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGKILL))
}

// Sent to one process, a signal that means something to a program is for that alone.
func TestASignalReachesTheCommandAlone(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGUSR1, unix.SIGHUP} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			b := newBench(t, "sh -c 'until [ -e $0 ]; do sleep 0.05; done' $0/on & trap 'touch $0/on' USR1 HUP; echo ready; wait; wait $!")
			b.order.Command = append(b.order.Command, b.order.StateDir)
			cmd, _ := b.ready()
			_ = cmd.Process.Signal(sig)
			want(t, "code", codeOf(t, cmd.Wait()), 0)
		})
	}
}

// A monitor that somebody has stopped is set going to obey.
func TestAStopReachesAStoppedMonitor(t *testing.T) {
	b := newBench(t, "echo ready; exec sleep 60")
	cmd, _ := b.ready()
	m := monitorOf(t, cmd.Process.Pid)
	_ = unix.Kill(m, unix.SIGSTOP)
	b.eventually("the monitor is stopped", func() bool { return stopped(m) })
	_ = cmd.Process.Signal(unix.SIGTERM)
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGTERM))
}

func TestALaunchIsPutOff(t *testing.T) {
	b := newBench(t, "exit 5")
	b.order.WaitMS = 300
	want(t, "code", codeOf(t, b.command().Run()), 5)
}

func TestALaunchIsCalledOff(t *testing.T) {
	b := newBench(t, "exit 5")
	b.order.WaitMS = 3_600_000
	cmd := b.command()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.waits()
	_ = cmd.Process.Signal(unix.SIGTERM)
	want(t, "code", codeOf(t, cmd.Wait()), ExitNotLaunched)
	want(t, "end", b.ending().End, lifecycle.EndNotStarted)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}

// waits returns when the wrapper waits for its launch.
func (b *bench) waits() {
	b.t.Helper()
	b.eventually("it holds its lease", func() bool {
		held, err := runfile.Held(runfile.Path(b.order.StateDir, b.order.UID))
		return held && err == nil
	})
}

// Whom nobody could wake is not put to sleep by a key.
func TestAWaitIsNotSuspendedInAnOrphanedGroup(t *testing.T) {
	b := newBench(t, "exit 5")
	b.order.WaitMS = 3_600_000
	cmd := b.command()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.waits()
	_ = cmd.Process.Signal(unix.SIGTSTP)
	b.eventually("the signal has come", func() bool {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/status")
		return err != nil || strings.Contains(string(status), "ShdPnd:\t0000000000000000")
	})
	_ = cmd.Process.Signal(unix.SIGTERM)
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	select {
	case err := <-over:
		want(t, "code", codeOf(t, err), ExitNotLaunched)
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		t.Errorf("it stands still: %v", <-over)
	}
}

// Who cancels writes the wish down and then wakes the wrapper; a beat may come first.
func TestACancelSeenTwiceIsOneWish(t *testing.T) {
	b := newBench(t, "trap 'echo asked' TERM; trap 'echo alive' USR1; echo ready; while :; do sleep 0.05; done")
	b.order.Grace = time.Minute
	cmd, out := b.ready()
	l, err := store.Open(t.Context(), store.Config{Path: filepath.Join(b.order.StateDir, "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.RequestStop(t.Context(), b.order.UID, lifecycle.StoppedByUser, store.Instant{WallMS: 1}); err != nil {
		t.Fatal(err)
	}
	readLine(t, out, "asked")
	_ = cmd.Process.Signal(unix.SIGTERM)
	_ = cmd.Process.Signal(unix.SIGUSR1)
	readLine(t, out, "alive")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	b.eventually("another one is decisive", func() bool {
		_ = cmd.Process.Signal(unix.SIGTERM)
		return len(ended) > 0
	})
	want(t, "code", codeOf(t, <-ended), 128+int(unix.SIGKILL))
}

func TestEscapeesAreStopped(t *testing.T) {
	for name, script := range map[string]string{
		"own session":   "setsid sleep 300 >/dev/null 2>&1 & sleep 0.2",
		"double fork":   "(setsid sh -c 'sleep 300 & exec sleep 300' >/dev/null 2>&1 &); sleep 0.2",
		"no marker":     "env -i setsid sleep 300 >/dev/null 2>&1 & sleep 0.2",
		"ignores TERM":  "setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 0.2; done' >/dev/null 2>&1 & sleep 0.2",
		"holds the pty": "(setsid sleep 300 &); sleep 0.2",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, script)
			term := b.terminal()
			state, err := term.Wait(patience)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "code", state.ExitStatus(), 0)
			if len(b.ending().Leftovers.Stopped) == 0 {
				t.Error("no leftover was stopped")
			}
			for _, l := range b.ending().Leftovers.Stopped {
				want(t, "gone: "+l.Command, proc.Alive(l.PID, l.StartTicks), false)
			}
		})
	}
}

func TestKeptLeftoversAreKept(t *testing.T) {
	b := newBench(t, "setsid sleep 300 >/dev/null 2>&1 & sleep 0.1")
	b.order.Leftovers = wire.LeftoversKeep
	want(t, "code", codeOf(t, b.command().Run()), 0)
	kept := b.ending().Leftovers.Kept
	if len(kept) != 1 {
		t.Fatalf("kept: %v", kept)
	}
	want(t, "alive", proc.Alive(kept[0].PID, kept[0].StartTicks), true)
	if err := proc.Signal(kept[0].PID, kept[0].StartTicks, unix.SIGKILL); err != nil {
		t.Error(err)
	}
}

func TestWrapperKilled(t *testing.T) {
	b := newBench(t, "trap '' HUP; stty raw -echo; printf '\\033[?1049h\\033[?1000hready'; exec sleep 300")
	b.order.Grace = time.Second
	term := b.terminal()
	if err := term.Expect("ready", patience); err != nil {
		t.Fatal(err)
	}
	if err := term.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	b.assertNothingSurvives()
	if _, err := os.Stat(filepath.Join(b.order.StateDir, "runs", b.order.UID)); err != nil {
		t.Errorf("no exit record: %v", err)
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
