package supervisor

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// held starts a shell that is to write a file, and holds it.
func held(t *testing.T) (pid int, written func() bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	pid, err := forkHeld("/bin/sh", []string{"sh", "-c", "echo > " + file + "; kill -TERM $$"},
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
	_ = unix.Kill(child.pid, unix.SIGKILL)
	if err := near.send(msgGo, goOrder{}.pack()); err != nil {
		t.Fatal(err)
	}
	got, err := near.receive()
	if err != nil || got.kind != msgExited {
		t.Fatalf("%v, %v", got, err)
	}
	if e, err := unpackExit(got.body); err != nil || e.signal != unix.SIGKILL {
		t.Errorf("%+v, %v", e, err)
	}
	near.close()
	<-done
}

// TestHeldRunDiesWithItsWrapper: nobody knows of it, so nobody may find it.
func TestHeldRunDiesWithItsWrapper(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	near, child, done := launching(t, "echo > "+file)
	near.close()
	<-done
	if ws := endOf(t, child.pid); ws.Signal() != unix.SIGKILL {
		t.Errorf("it ended with %v", ws)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it ran")
	}
}

// launching plays the wrapper of a shell up to the moment the command is ready.
// done is closed when the monitor is.
func launching(t *testing.T, script string) (near *wire, child childReport, done chan struct{}) {
	t.Helper()
	a, b, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	near = newWire(a)
	m := newMonitor(newWire(b), -1, -1)
	t.Cleanup(near.close)
	t.Cleanup(m.wire.close)
	done = make(chan struct{})
	go func() {
		defer close(done)
		m.run(t.Context())
	}()
	order := launchOrder{path: "/bin/sh", argv: []string{"sh", "-c", script}, dir: "/", uid: rand.Text()}
	if err := near.send(msgLaunch, order.pack()); err != nil {
		t.Fatal(err)
	}
	if !near.await(int(patience.Milliseconds())) {
		t.Skip("tracing is forbidden here")
	}
	got, err := near.receive()
	if err != nil || got.kind != msgStarted {
		t.Fatalf("%v, %v", got, err)
	}
	if child, err = unpackChild(got.body); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if g, there := proc.GroupAt(child.cgroup); there { // the test failed halfway
			_ = g.Kill()
			_ = g.Remove()
		}
	})
	return near, child, done
}
