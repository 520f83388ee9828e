package inhibit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config is a bus on which everybody may do everything.
const config = `<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>`

// bus starts a bus of its own.
func bus(t *testing.T) (address string) {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skipf("needs a bus: %v", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, filepath.Join(dir, "s")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--config-file="+file, "--nofork", "--nopidfile", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Skipf("no bus can be started here: %v", err)
	}
	return strings.TrimSpace(address)
}

// logind is a fake one. Its fields are set before it is on the bus.
type logind struct {
	// refuse is what it does not grant.
	refuse string
	// stall makes it answer only when the test is over.
	stall <-chan struct{}
	// asked gets what it was asked for, and held both ends of each lock it gave out.
	asked chan []string
	held  chan [2]int
}

// Inhibit is the method itself.
func (l *logind) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	if l.stall != nil {
		<-l.stall
	}
	l.asked <- []string{what, who, why, mode}
	if what == l.refuse {
		return 0, dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Permission denied"})
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.held <- pipe
	return dbus.UnixFD(pipe[1]), nil
}

// lock is the end that logind keeps of a lock which has been handed out.
func (l *logind) lock() *os.File {
	pipe := <-l.held
	// The reply carried a copy of it.
	unix.Close(pipe[1])
	return os.NewFile(uintptr(pipe[0]), "lock")
}

// on puts it on a bus.
func (l *logind) on(t *testing.T, address string) {
	t.Helper()
	l.asked, l.held = make(chan []string, 4), make(chan [2]int, 4)
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Export(l, "/org/freedesktop/login1", "org.freedesktop.login1.Manager"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.freedesktop.login1", 0); err != nil {
		t.Fatal(err)
	}
}

// ended waits until nobody holds the other end of a lock.
func ended(t *testing.T, held *os.File) {
	t.Helper()
	defer held.Close()
	held.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := held.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("still held: %v", err)
	}
}

func TestAcquireHoldsUntilReleased(t *testing.T) {
	t.Parallel()
	for refuse, want := range map[string][]string{"": {"sleep:idle"}, "sleep:idle": {"sleep:idle", "idle"}} {
		address, l := bus(t), &logind{refuse: refuse}
		l.on(t, address)
		lock, err := acquire(t.Context(), address, "a turn runs")
		if err != nil {
			t.Fatal(err)
		}
		if lock.PID() != 0 {
			t.Errorf("held by %d", lock.PID())
		}
		for _, what := range want {
			if asked := strings.Join(<-l.asked, ","); asked != what+",ocr-run,a turn runs,block" {
				t.Errorf("asked for %s", asked)
			}
		}
		held := l.lock()
		held.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := held.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("not held: %v", err)
		}
		if err := errors.Join(lock.Release(), lock.Release()); err != nil {
			t.Error(err)
		}
		ended(t, held)
	}
}

// A child that lives on does not keep the machine awake.
func TestNoChildInheritsIt(t *testing.T) {
	t.Parallel()
	address, l := bus(t), &logind{}
	l.on(t, address)
	lock, err := acquire(t.Context(), address, "")
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), "sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill(); child.Wait() })
	held := l.lock()
	lock.Release()
	ended(t, held)
}

func TestAcquireSaysWhyNot(t *testing.T) {
	t.Parallel()
	stall := make(chan struct{})
	silent := &logind{stall: stall}
	stalled := bus(t)
	silent.on(t, stalled)
	t.Cleanup(func() { close(stall) })
	over, cancel := context.WithCancel(t.Context())
	cancel()
	cases := []struct {
		name, address, says string
		over                bool
		is                  error
	}{
		{"no bus", "unix:path=" + filepath.Join(t.TempDir(), "none"), "reach the system bus", false, os.ErrNotExist},
		{"a bus that says nothing", mute(t), "reach the system bus", false, context.DeadlineExceeded},
		{"no logind", bus(t), "ask logind", false, nil},
		{"a logind that says nothing", stalled, "ask logind", false, context.DeadlineExceeded},
		{"a run that is over", bus(t), "keep awake", true, context.Canceled},
		{"no address", "nonsense", "reach the system bus", false, nil},
	}
	for _, c := range cases {
		began, ctx := time.Now(), t.Context()
		if c.over {
			ctx = over
		}
		lock, err := acquire(ctx, c.address, "")
		if err == nil || lock != nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, %v", c.name, lock, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %v", c.name, took)
		}
		if err := lock.Release(); err != nil {
			t.Errorf("%s: releasing nothing: %v", c.name, err)
		}
	}
}

// mute is a bus that takes connections and never answers.
func mute(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("the path of a socket is too long here: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return "unix:path=" + path
}

func TestAcquireUsesTheEnvironment(t *testing.T) {
	address, l := bus(t), &logind{}
	l.on(t, address)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
	lock, err := Acquire(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
	ended(t, l.lock())
}
