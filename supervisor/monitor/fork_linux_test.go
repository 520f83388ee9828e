package monitor

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// patience is how long a test waits for what should take no time at all.
const patience = 30 * time.Second

// within waits until something holds, for so long at most.
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

// held starts a shell that is to write a file, and holds it.
func held(t *testing.T) (pid int, written func() bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	pid, err := new(monitor).forkHeld("/bin/sh", []string{"sh", "-c", "echo > " + file + "; kill -TERM $$"},
		&syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err == errNotHeld {
		t.Skip("tracing is forbidden here")
	}
	if err != nil {
		t.Fatal(err)
	}
	if !within(patience, func() bool { p, err := proc.Read(pid); return err == nil && p.State == 'T' }) {
		t.Error("it does not stand still")
	}
	return pid, func() bool { _, err := os.Stat(file); return err == nil }
}

// endOf waits for the end of a child.
func endOf(t *testing.T, pid int) unix.WaitStatus {
	t.Helper()
	var ws unix.WaitStatus
	for {
		if _, err := unix.Wait4(pid, &ws, 0, nil); err != unix.EINTR {
			if err != nil {
				t.Fatal(err)
			}
			return ws
		}
	}
}

func TestHeldProcessRunsWhenToldTo(t *testing.T) {
	pid, written := held(t)
	if written() {
		t.Error("it ran before it was let go")
	}
	if err := unix.Kill(pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	// Its own signal shows that nobody traces it any more.
	if ws := endOf(t, pid); ws.Signal() != unix.SIGTERM || !written() {
		t.Errorf("it ended with %v, written: %v", ws, written())
	}
}

func TestHeldProcessCanBeKilled(t *testing.T) {
	pid, written := held(t)
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if ws := endOf(t, pid); ws.Signal() != unix.SIGKILL || written() {
		t.Errorf("it ended with %v, written: %v", ws, written())
	}
}

// TestRunIsOverWhenItIsKilledBeforeItBegins: it is killed while it is held.
func TestRunIsOverWhenItIsKilledBeforeItBegins(t *testing.T) {
	near, child, done := launching(t, "exit 3")
	_ = unix.Kill(child.PID, unix.SIGKILL)
	if err := near.Send(wire.MsgGo, wire.GoOrder{}.Pack()); err != nil {
		t.Fatal(err)
	}
	got, err := near.Receive()
	if err != nil || got.Kind != wire.MsgExited {
		t.Fatalf("%v, %v", got, err)
	}
	if e, err := wire.UnpackExit(got.Body); err != nil || e.Signal != unix.SIGKILL {
		t.Errorf("%+v, %v", e, err)
	}
	near.Close()
	<-done
}

// TestHeldRunDiesWithItsWrapper: nobody knows of it, so nobody may find it.
func TestHeldRunDiesWithItsWrapper(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	near, child, done := launching(t, "echo > "+file)
	near.Close()
	<-done
	if err := unix.Kill(child.PID, 0); err != unix.ESRCH {
		t.Errorf("it is there: %v", err)
	}
	if _, there := proc.GroupAt(child.CGroup); there {
		t.Error("its control group is there")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it ran")
	}
}

// launching plays the wrapper of a shell up to the moment the command is ready.
// done is closed when the monitor is.
func launching(t *testing.T, script string) (near *wire.Conn, child wire.ChildReport, done chan struct{}) {
	t.Helper()
	a, b, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	near = wire.New(a)
	m := newMonitor(wire.New(b), -1, -1)
	t.Cleanup(near.Close)
	t.Cleanup(m.wire.Close)
	done = make(chan struct{})
	go func() {
		defer close(done)
		m.run(t.Context())
	}()
	order := wire.LaunchOrder{Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Dir: "/", UID: rand.Text()}
	if err := near.Send(wire.MsgLaunch, order.Pack()); err != nil {
		t.Fatal(err)
	}
	if !near.Await(int(patience.Milliseconds())) {
		t.Skip("tracing is forbidden here")
	}
	got, err := near.Receive()
	if err != nil || got.Kind != wire.MsgStarted {
		t.Fatalf("%v, %v", got, err)
	}
	if child, err = wire.UnpackChild(got.Body); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if g, there := proc.GroupAt(child.CGroup); there { // the test failed halfway
			_ = g.Kill()
			_ = g.Remove()
		}
	})
	return near, child, done
}

// What may have us wait when it is opened is not looked into: nobody could end that.
func TestPipeIsNotLookedInto(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o700); err != nil {
		t.Fatal(err)
	}
	answered := make(chan bool, 1)
	go func() { answered <- gainsPrivileges("/", path) }()
	var gains bool
	if !within(patience/3, func() bool {
		select {
		case gains = <-answered:
			return true
		default:
			return false
		}
	}) {
		t.Fatal("it waits for a writer")
	}
	if !gains {
		t.Error("a pipe is said to be a program")
	}
}

// A process that is killed while it is brought to its start has an end, which is left to
// whoever waits for it.
func TestKilledAtStart(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range 300 {
		pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "exit 3"},
			&syscall.ProcAttr{Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: true, Ptrace: true}})
		if err == unix.EPERM {
			t.Skip("tracing is forbidden here")
		}
		if err != nil {
			t.Fatal(err)
		}
		var killing sync.WaitGroup
		killing.Go(func() {
			for {
				// The moment at which the other one wakes up, too.
				if p, err := proc.Read(pid); err != nil || p.Stopped() {
					_ = unix.Kill(pid, unix.SIGKILL)
					return
				}
			}
		})
		if stoppedAtStart(pid) {
			detachStopped(pid)
		}
		killing.Wait()
		if ws := endOf(t, pid); ws.Signal() != unix.SIGKILL {
			t.Fatalf("it ended with %v", ws)
		}
	}
}
