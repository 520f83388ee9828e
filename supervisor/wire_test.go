package supervisor

import (
	"os"
	"reflect"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
)

func TestOrdersSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.String())
		in := launchOrder{
			path: rapid.String().Draw(t, "path"), argv: words.Draw(t, "argv"), env: words.Draw(t, "env"),
			dir: rapid.String().Draw(t, "dir"), foreground: rapid.Bool().Draw(t, "front"),
			uid: rapid.String().Draw(t, "uid"), leftovers: LeftoversKeep, graceMS: rapid.Int64().Draw(t, "grace"),
		}
		in.argv, in.env = append([]string{}, in.argv...), append([]string{}, in.env...)
		out, err := unpackLaunch(in.pack())
		if err != nil || !reflect.DeepEqual(in, out) {
			t.Fatalf("%+v became %+v (%v)", in, out, err)
		}
	})
}

func TestReportsSurviveTheWire(t *testing.T) {
	t.Parallel()
	stop, err := unpackStop(stopOrder{first: unix.SIGTERM, escalate: true, press: true, by: lifecycle.StoppedByUser}.pack())
	if err != nil || stop != (stopOrder{unix.SIGTERM, true, true, lifecycle.StoppedByUser}) {
		t.Errorf("stop: %+v, %v", stop, err)
	}
	exit, err := unpackExit(exitReport{code: -1, signal: unix.SIGSEGV, core: true, killed: true, lost: true, clean: true}.pack())
	if err != nil || exit != (exitReport{code: -1, signal: unix.SIGSEGV, core: true, killed: true, lost: true, clean: true}) {
		t.Errorf("exit: %+v, %v", exit, err)
	}
	start, err := unpackGo(goOrder{generation: 1 << 40, runFile: "f"}.pack())
	if err != nil || start != (goOrder{1 << 40, "f"}) {
		t.Errorf("go: %+v, %v", start, err)
	}
	child, err := unpackChild(childReport{pid: 7, start: 1 << 63, sid: 6, cgroup: "/a/b"}.pack())
	if err != nil || child != (childReport{7, 1 << 63, 6, "/a/b"}) {
		t.Errorf("child: %+v, %v", child, err)
	}
	state := terminalState{raw: true, found: unix.Termios{Iflag: 1}, set: unix.Termios{Oflag: 2}, reset: []byte("x")}
	if got, err := unpackTerminal(state.pack()); err != nil || !reflect.DeepEqual(got, state) {
		t.Errorf("terminal: %+v, %v", got, err)
	}
}

// FuzzUnpack: nothing that arrives makes the reader panic or ask for memory
// that is not there.
func FuzzUnpack(f *testing.F) {
	f.Add(launchOrder{argv: []string{"a"}}.pack())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = unpackLaunch(b)
		_, _ = unpackGo(b)
		_, _ = unpackStop(b)
		_, _ = unpackTerminal(b)
		_, _ = unpackChild(b)
		_, _ = unpackExit(b)
		_ = unpackNum(b)
	})
}

func TestWireCarriesMessagesInOrder(t *testing.T) {
	t.Parallel()
	a, b, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	near, far := newWire(a), newWire(b)
	t.Cleanup(near.close)
	got, done := make(chan message), make(chan struct{})
	go far.receiveAll(got, done)
	for i := range int64(100) {
		if err := near.send(msgSignal, packNum(i)); err != nil {
			t.Fatal(err)
		}
		if m := <-got; m.kind != msgSignal || unpackNum(m.body) != i {
			t.Fatalf("message %d arrived as %v", i, m)
		}
	}
	near.close()
	if _, open := <-got; open {
		t.Error("the end was not noticed")
	}
	close(done)
	far.close()
}

func TestPlan(t *testing.T) {
	t.Parallel()
	all, none := [3]bool{true, true, true}, [3]bool{}
	for _, c := range []struct {
		name string
		in   circumstances
		want plan
	}{
		{"no terminal", circumstances{mode: PTYAuto}, plan{}},
		{
			"at a prompt",
			circumstances{mode: PTYAuto, terminal: true, ours: true, isTerminal: all},
			plan{pair: true, onPair: all, front: true},
		},
		{
			"in the background",
			circumstances{mode: PTYAuto, terminal: true, isTerminal: all},
			plan{pair: true, onPair: all},
		},
		{
			"all redirected still has a terminal for /dev/tty",
			circumstances{mode: PTYAuto, terminal: true, ours: true},
			plan{pair: true, front: true},
		},
		{
			"into a pager waits to be asked",
			circumstances{mode: PTYAuto, terminal: true, ours: true, isTerminal: [3]bool{true, false, true}, isPipe: [3]bool{false, true, false}},
			plan{pair: true, onPair: [3]bool{true, false, true}, keepOutput: true},
		},
		{
			"never",
			circumstances{mode: PTYNever, terminal: true, ours: true, isTerminal: all},
			plan{direct: true, front: true},
		},
		{
			"without a monitor",
			circumstances{mode: PTYAuto, noMonitor: true, terminal: true, ours: true, isTerminal: all},
			plan{direct: true, front: true},
		},
		{"always, in a service", circumstances{mode: PTYAlways}, plan{pair: true, onPair: all, front: true, toStdout: true}},
		{
			"always, with data on standard input",
			circumstances{mode: PTYAlways, isFile: true},
			plan{pair: true, onPair: [3]bool{false, true, true}, front: true, toStdout: true},
		},
		{
			"always, and no monitor",
			circumstances{mode: PTYAlways, noMonitor: true, terminal: true, ours: true, isTerminal: all},
			plan{direct: true, front: true},
		},
		{
			"always, redirected",
			circumstances{mode: PTYAlways, terminal: true, ours: true, isTerminal: none},
			plan{pair: true, onPair: all, front: true, toStdout: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := decide(c.in); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestEverySignalCaughtHasAPolicy(t *testing.T) {
	t.Parallel()
	want := map[syscall.Signal]signalPolicy{
		unix.SIGTERM: firm, unix.SIGINT: polite, unix.SIGQUIT: polite, unix.SIGHUP: hangUp,
		unix.SIGWINCH: resize, unix.SIGUSR1: passOn, unix.SIGTSTP: passOn, unix.SIGSEGV: passOn,
	}
	for sig, policy := range want {
		if got := policyOf(sig); got != policy {
			t.Errorf("%s: got %d, want %d", sig, got, policy)
		}
	}
	for _, s := range caught() {
		if s == os.Signal(unix.SIGURG) || s == os.Signal(unix.SIGCHLD) {
			t.Errorf("%s must not be forwarded", s)
		}
	}
}
