package supervisor

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

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

// What nobody could wake is not put to sleep.
func TestAnOrphanIsNotStopped(t *testing.T) {
	b := newBench(t, "trap 'exit 42' USR1; echo ready; while :; do sleep 0.05; done")
	cmd, _ := b.ready()
	_ = cmd.Process.Signal(unix.SIGTSTP)
	_ = cmd.Process.Signal(unix.SIGUSR1)
	want(t, "code", codeOf(t, cmd.Wait()), 42)
}

// A command that tells by its code that a signal has ended it was ended by it.
func TestAHangUpThatWasPassedOnIsAWish(t *testing.T) {
	b := newBench(t, "trap 'exit 129' HUP; echo ready; while :; do sleep 0.05; done")
	cmd, _ := b.ready()
	_ = cmd.Process.Signal(unix.SIGHUP)
	want(t, "code", codeOf(t, cmd.Wait()), 129)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
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
	b := newBench(t, "trap 'sleep 0.05; echo one' INT; echo ready; while :; do sleep 0.05; done")
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
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGTERM))
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
		want(t, "code", codeOf(t, err), 128+int(unix.SIGTERM))
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
