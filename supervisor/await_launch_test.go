package supervisor

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// A launch that does not come about is called off by a signal, and its monitor ends
// though it waits for something that does not answer.
func TestStuckLaunchIsCalledOff(t *testing.T) {
	t.Parallel()
	ours, theirs, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	stuck := exec.Command("sleep", "100")
	stuck.ExtraFiles = []*os.File{os.NewFile(uintptr(theirs), "wire")}
	if err := stuck.Start(); err != nil {
		t.Fatal(err)
	}
	_ = stuck.ExtraFiles[0].Close()
	r := &run{
		cfg: Config{Clock: clock.System()}, wire: wire.New(ours), monitor: stuck.Process.Pid,
		sigs: make(chan os.Signal, 2), recorded: make(chan struct{}),
	}
	defer r.wire.Close()
	close(r.recorded)
	r.sigs <- unix.SIGUSR1
	r.sigs <- unix.SIGTERM
	if r.comesUp(t.Context()) {
		t.Fatal("nothing came up")
	}
	want(t, "stopped by", r.stop.by, lifecycle.StoppedByUser)
	r.killMonitor()
	if unix.Kill(stuck.Process.Pid, 0) == nil {
		t.Error("the monitor lives on")
		_ = stuck.Process.Kill()
	}
}

// What comes once the command runs is for the command, however late its launch is heard of;
// and what comes before has it never run.
func TestACommandThatRunsIsNotCalledOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ ordered, reported, off bool }{
		"waits to be written": {reported: true, off: true},
		"stands":              {off: true},
		"is stuck":            {ordered: true, off: true},
		"runs":                {ordered: true, reported: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, monitor := wired(t)
			r := &run{cfg: Config{Clock: clock.System()}, wire: ours, sigs: make(chan os.Signal, 2)}
			r.decided.Store(c.ordered)
			if c.reported {
				if err := monitor.Send(wire.MsgStarted, nil); err != nil {
					t.Fatal(err)
				}
			}
			r.sigs <- unix.SIGUSR1
			r.sigs <- unix.SIGTERM
			want(t, "called off", r.unwanted(t.Context()), c.off)
			want(t, "decided", r.decided.Load(), c.ordered || c.off)
			if c.off {
				want(t, "stopped by", r.stop.by, lifecycle.StoppedByUser)
				return
			}
			want(t, "stop", r.stop, stopState{})
			want[os.Signal](t, "first", <-r.sigs, unix.SIGUSR1)
			want[os.Signal](t, "second", <-r.sigs, unix.SIGTERM)
		})
	}
}

// A monitor that a key has ended before it could be told anything was ended by the user; one
// that ends otherwise is trouble.
func TestStillborn(t *testing.T) {
	t.Parallel()
	trouble := errors.New("broken pipe")
	for how, by := range map[string]syscall.Signal{
		"kill -INT $$": unix.SIGINT, "kill -QUIT $$": unix.SIGQUIT, "exit 1": 0, "kill -SEGV $$": 0, "exec sleep 100": 0,
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			monitor := exec.Command("sh", "-c", "ulimit -c 0; "+how)
			out, err := monitor.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := monitor.Start(); err != nil {
				t.Fatal(err)
			}
			if how != "exec sleep 100" { // which is one that still lives
				_, _ = io.Copy(io.Discard, out) // closed by its end
			}
			r := &run{monitor: monitor.Process.Pid}
			err = r.stillborn(trouble)
			want(t, "signal", r.stop.signal, by)
			if by == 0 {
				want[error](t, "error", err, trouble)
				want[error](t, "launch error", r.launchErr, nil)
				return
			}
			want[error](t, "error", err, nil)
			want[error](t, "launch error", r.launchErr, errCalledOff)
			want(t, "stopped by", r.stop.by, lifecycle.StoppedByUser)
		})
	}
}

// wired are the two ends between a wrapper and its monitor.
func wired(t *testing.T) (ours, monitors *wire.Conn) {
	t.Helper()
	a, b, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	ours, monitors = wire.New(a), wire.New(b)
	t.Cleanup(ours.Close)
	t.Cleanup(monitors.Close)
	return ours, monitors
}
