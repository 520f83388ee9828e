package wire

import (
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
)

func TestOrdersSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.String())
		in := LaunchOrder{
			Path: rapid.String().Draw(t, "path"), Argv: words.Draw(t, "argv"), Env: words.Draw(t, "env"),
			Dir: rapid.String().Draw(t, "dir"), Foreground: rapid.Bool().Draw(t, "front"),
			UID: rapid.String().Draw(t, "uid"), Leftovers: LeftoversKeep, GraceMS: rapid.Int64().Draw(t, "grace"),
		}
		in.Argv, in.Env = append([]string{}, in.Argv...), append([]string{}, in.Env...)
		out, err := UnpackLaunch(in.Pack())
		if err != nil || !reflect.DeepEqual(in, out) {
			t.Fatalf("%+v became %+v (%v)", in, out, err)
		}
	})
}

func TestReportsSurviveTheWire(t *testing.T) {
	t.Parallel()
	stop, err := UnpackStop(StopOrder{First: unix.SIGTERM, Escalate: true, Press: true, By: lifecycle.StoppedByUser}.Pack())
	if err != nil || stop != (StopOrder{unix.SIGTERM, true, true, lifecycle.StoppedByUser}) {
		t.Errorf("stop: %+v, %v", stop, err)
	}
	exit, err := UnpackExit(ExitReport{Code: -1, Signal: unix.SIGSEGV, Core: true, Killed: true, Lost: true, Clean: true}.Pack())
	if err != nil || exit != (ExitReport{Code: -1, Signal: unix.SIGSEGV, Core: true, Killed: true, Lost: true, Clean: true}) {
		t.Errorf("exit: %+v, %v", exit, err)
	}
	start, err := UnpackGo(GoOrder{Generation: 1 << 40, RunFile: "f"}.Pack())
	if err != nil || start != (GoOrder{1 << 40, "f"}) {
		t.Errorf("go: %+v, %v", start, err)
	}
	child, err := UnpackChild(ChildReport{PID: 7, Start: 1 << 63, SID: 6, CGroup: "/a/b"}.Pack())
	if err != nil || child != (ChildReport{7, 1 << 63, 6, "/a/b"}) {
		t.Errorf("child: %+v, %v", child, err)
	}
	state := TerminalState{Raw: true, Found: unix.Termios{Iflag: 1}, Set: unix.Termios{Oflag: 2}, Reset: []byte("x")}
	if got, err := UnpackTerminal(state.Pack()); err != nil || !reflect.DeepEqual(got, state) {
		t.Errorf("terminal: %+v, %v", got, err)
	}
}

// FuzzUnpack: nothing that arrives makes the reader panic or ask for memory
// that is not there.
func FuzzUnpack(f *testing.F) {
	f.Add(LaunchOrder{Argv: []string{"a"}}.Pack())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = UnpackLaunch(b)
		_, _ = UnpackGo(b)
		_, _ = UnpackStop(b)
		_, _ = UnpackTerminal(b)
		_, _ = UnpackChild(b)
		_, _ = UnpackExit(b)
		_ = UnpackNum(b)
	})
}

func TestWireCarriesMessagesInOrder(t *testing.T) {
	t.Parallel()
	a, b, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	near, far := New(a), New(b)
	t.Cleanup(near.Close)
	got, done := make(chan Message), make(chan struct{})
	go far.ReceiveAll(got, done)
	for i := range int64(100) {
		if err := near.Send(MsgSignal, PackNum(i)); err != nil {
			t.Fatal(err)
		}
		if m := <-got; m.Kind != MsgSignal || UnpackNum(m.Body) != i {
			t.Fatalf("message %d arrived as %v", i, m)
		}
	}
	near.Close()
	if _, open := <-got; open {
		t.Error("the end was not noticed")
	}
	close(done)
	far.Close()
}
