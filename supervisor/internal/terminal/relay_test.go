package terminal

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a relay between two terminals, with a hand on both far ends.
type rig struct {
	t *testing.T
	// person is the far side of the user's terminal, program that of the inner.
	person, program *os.File
	relay           *Relay
	user, master    int
}

// newRig connects two raw terminals. tap and gone may be nil.
func newRig(t *testing.T, cfg RelayConfig) *rig {
	t.Helper()
	t.Parallel()
	r := &rig{t: t}
	var slave *os.File
	r.person, slave = openRaw(t)
	r.user = dup(t, slave)
	shut(t, slave)
	var master *os.File
	master, r.program = openRaw(t)
	r.master = dup(t, master)
	shut(t, master)
	cfg.User, cfg.Master = r.user, r.master
	relay, err := NewRelay(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.relay = relay
	t.Cleanup(func() {
		r.relay.Close()
		_ = unix.Close(r.user)
		_ = unix.Close(r.master)
		_ = r.person.Close()
		_ = r.program.Close()
	})
	return r
}

// openRaw opens a terminal that changes no byte.
func openRaw(t *testing.T) (master, slave *os.File) {
	t.Helper()
	m, s, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	now, err := getTermios(int(s.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	raw := MakeRaw(*now, false)
	if err := setTermios(int(s.Fd()), &raw); err != nil {
		t.Fatal(err)
	}
	return m, s
}

func dup(t *testing.T, f *os.File) int {
	t.Helper()
	fd, err := dupNonblock(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func shut(t *testing.T, f *os.File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// start starts the relay, both ways.
func (r *rig) start() {
	r.relay.Start(false)
	r.relay.Input(true)
}

// read reads n bytes from a far end.
func (r *rig) read(from io.Reader, n int) []byte {
	r.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(from, b); err != nil {
		r.t.Fatal(err)
	}
	return b
}

// write writes to a far end.
func (r *rig) write(to io.Writer, b []byte) {
	r.t.Helper()
	if _, err := to.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// text is n bytes of every value.
func text(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestBothWays(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	r.write(r.person, []byte("typed"))
	if got := r.read(r.program, 5); string(got) != "typed" {
		t.Errorf("program got %q", got)
	}
	r.write(r.program, []byte("said"))
	if got := r.read(r.person, 4); string(got) != "said" {
		t.Errorf("person got %q", got)
	}
	out, in := r.relay.Moved()
	if out != 4 || in != 5 {
		t.Errorf("moved %d out and %d in", out, in)
	}
}

// First comes before the first output, or with Begin; once.
func TestFirst(t *testing.T) {
	for name, begin := range map[string]func(r *rig){
		"begun": func(r *rig) { r.relay.Begin() },
		"output": func(r *rig) {
			r.write(r.program, []byte("line\r\n"))
			if got := r.read(r.person, 6); string(got) != "line\r\n" {
				t.Errorf("person got %q", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			r := newRig(t, RelayConfig{First: func() (cooked bool) { calls++; return false }})
			r.relay.Start(true)
			begin(r)
			r.relay.Begin()
			if calls != 1 {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

func TestLargePasteIsEchoedWithoutDeadlock(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	pasted := text(4 << 20)
	go func() { _, _ = io.Copy(r.program, io.LimitReader(r.program, int64(len(pasted)))) }()
	go func() { _, _ = r.person.Write(pasted) }()
	got := r.read(r.person, len(pasted))
	if sha256.Sum256(got) != sha256.Sum256(pasted) {
		t.Error("the echo differs")
	}
}

func TestInputWaitsUntilSwitchedOn(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.relay.Start(false)
	r.write(r.person, []byte("later"))
	r.write(r.program, []byte("x"))
	r.read(r.person, 1) // the relay has been around
	if n := queued(t, r.program); n != 0 {
		t.Errorf("something got through")
	}
	r.relay.Input(true)
	if got := r.read(r.program, 5); string(got) != "later" {
		t.Errorf("program got %q", got)
	}
}

func TestParkedRelayTouchesNothing(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	r.relay.Park()
	r.write(r.person, []byte("typed"))
	r.write(r.program, []byte("said"))
	if n := queued(t, r.program); n != 0 {
		t.Errorf("something got through")
	}
	r.relay.Unpark(true)
	r.read(r.program, 5)
	r.read(r.person, 4)
}

func TestParkHandsOverWhatWasSaid(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	r.write(r.program, []byte("said"))
	r.relay.Park()
	if got := r.read(r.person, 4); string(got) != "said" {
		t.Errorf("person got %q", got)
	}
}

func TestParkDoesNotWaitForAFlood(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	go func() { _, _ = io.Copy(io.Discard, r.person) }()
	flood := make(chan struct{})
	go func() {
		defer close(flood)
		for {
			if _, err := r.program.Write(text(4096)); err != nil {
				return
			}
		}
	}()
	r.relay.Park()
	r.relay.Close()
	unixClose(r)
	<-flood
}

func TestFinishHandsOverEverything(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	said := text(300_000)
	got := make(chan []byte)
	go func() {
		b := make([]byte, len(said))
		_, _ = io.ReadFull(r.person, b)
		got <- b
	}()
	r.write(r.program, said)
	shut(t, r.program)
	r.relay.Finish(nil)
	if b := <-got; !bytes.Equal(b, said) {
		t.Error("output differs")
	}
}

func TestFinishDoesNotWaitForAHolder(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	r.write(r.program, []byte("done"))
	r.relay.Finish(nil) // r.program stays open
	if got := r.read(r.person, 4); string(got) != "done" {
		t.Errorf("person got %q", got)
	}
}

func TestFinishDoesNotWaitForATrickle(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	go func() { _, _ = io.Copy(io.Discard, r.person) }()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer func() { stopped <- struct{}{} }()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = r.program.WriteString("x")
			case <-stop:
				return
			}
		}
	}()
	r.relay.Finish(nil)
	stop <- struct{}{}
	<-stopped
}

func TestFinishDoesNotWaitForAStalledTerminal(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	go func() { _, _ = r.program.Write(text(1 << 20)) }()
	waitFor(t, func() bool { out, _ := r.relay.Moved(); return out > 0 })
	r.relay.Finish(nil) // nobody reads r.person
}

func TestFinishOnAStalledTerminalAfterAHangup(t *testing.T) {
	r := newRig(t, RelayConfig{})
	r.start()
	said := make(chan struct{})
	go func() {
		_, _ = r.program.Write(text(1 << 20))
		said <- struct{}{}
	}()
	waitFor(t, func() bool { out, _ := r.relay.Moved(); return out > 0 })
	_ = r.program.Close()
	r.relay.Finish(nil)
	unixClose(r)
	<-said
}

// A tap that does not return holds up nothing once the rest is given up, and nothing is
// touched when it does.
func TestFinishLeavesARelayThatIsHeld(t *testing.T) {
	tapped, let := make(chan struct{}), make(chan struct{})
	r := newRig(t, RelayConfig{Tap: func([]byte) { close(tapped); <-let }})
	r.start()
	r.write(r.program, []byte("said"))
	<-tapped
	enough := make(chan struct{})
	close(enough)
	if r.relay.Finish(enough) {
		t.Error("it is not the terminal that stalls")
	}
	close(let)
	<-r.relay.done
	if queued(t, r.person) != 0 {
		t.Error("it was handed over all the same")
	}
}

// A tap that takes long holds up a wish by one chunk, and not by all that are on their way.
func TestASlowTapHoldsUpAWishByOneChunk(t *testing.T) {
	step := make(chan struct{})
	r := newRig(t, RelayConfig{Tap: func([]byte) { <-step }})
	go func() { _, _ = r.program.Write(text(64 << 10)) }()
	waitFor(t, func() bool {
		n, err := pollWait([]unix.PollFd{{Fd: int32(r.master), Events: wantRead}}, 0)
		return err == nil && n > 0
	})
	r.relay.Start(false)
	waitFor(t, func() bool { out, _ := r.relay.Moved(); return out > 0 })
	obeyed := make(chan struct{})
	go func() {
		r.relay.Input(true)
		close(obeyed)
	}()
	waitFor(t, func() bool { return len(r.relay.cmds) > 0 })
	step <- struct{}{}
	<-obeyed
	close(step)
}

// unreadPipe is a pipe that nobody reads.
func unreadPipe(t *testing.T) []int {
	t.Helper()
	p := make([]int, 2)
	if err := pipeNonblock(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Close(p[0])
		_ = unix.Close(p[1])
	})
	return p
}

// A reader who takes nothing of what is diverted holds up nothing but the output.
func TestNothingWaitsForWhoeverReadsInstead(t *testing.T) {
	p := unreadPipe(t)
	var unread atomic.Int32
	r := newRig(t, RelayConfig{Divert: p[1], Unread: func() { unread.Add(1) }})
	r.start()
	flood := make(chan struct{})
	go func() {
		_, _ = r.program.Write(text(1 << 20))
		close(flood)
	}()
	waitFor(t, func() bool { out, _ := r.relay.Moved(); return out >= 60<<10 })
	r.relay.Park()
	r.relay.Unpark(true)
	r.write(r.person, []byte("typed"))
	if got := r.read(r.program, 5); string(got) != "typed" {
		t.Errorf("program got %q", got)
	}
	if err := unix.Dup2(p[1], p[0]); err != nil { // whoever reads is gone
		t.Fatal(err)
	}
	<-flood
	waitFor(t, func() bool { return unread.Load() == 1 })
}

// What is diverted is waited for until that is enough.
func TestFinishWaitsForWhoeverReadsInstead(t *testing.T) {
	p := unreadPipe(t)
	r := newRig(t, RelayConfig{Divert: p[1]})
	r.start()
	flood := make(chan struct{})
	go func() {
		_, _ = r.program.Write(text(1 << 20))
		close(flood)
	}()
	waitFor(t, func() bool { out, _ := r.relay.Moved(); return out >= 60<<10 })
	enough := make(chan struct{})
	close(enough)
	if r.relay.Finish(enough) {
		t.Error("it is no terminal")
	}
	unixClose(r)
	<-flood
}

// unixClose hangs the program's terminal up, so that a write to it ends.
func unixClose(r *rig) {
	_ = unix.Close(r.master)
	r.master = -1
}

func TestClosedTerminalIsToldAndOutputFlowsOn(t *testing.T) {
	var told atomic.Int32
	r := newRig(t, RelayConfig{Gone: func() { told.Add(1) }})
	r.start()
	shut(t, r.person)
	waitFor(t, func() bool { return told.Load() == 1 })
	r.write(r.program, text(1<<20)) // would stop if nobody took it
}

func TestTapSeesWhatPasses(t *testing.T) {
	var seen atomic.Int64
	r := newRig(t, RelayConfig{Tap: func(b []byte) { seen.Add(int64(len(b))) }})
	r.start()
	r.write(r.program, text(1000))
	r.read(r.person, 1000)
	if seen.Load() != 1000 {
		t.Errorf("tap saw %d bytes", seen.Load())
	}
}

// queued is 0 when no byte waits at a far end.
func queued(t *testing.T, f *os.File) int {
	t.Helper()
	fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: wantRead}}
	n, err := pollWait(fds, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// waitFor polls a condition.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("waited in vain")
		}
	}
}

// Once the relay is over its wake-up pipe may be closed, and the number another file's.
func TestARelayThatIsOverIsNotWoken(t *testing.T) {
	t.Parallel()
	p := make([]int, 2)
	if err := pipeNonblock(p); err != nil {
		t.Fatal(err)
	}
	r := &Relay{wakeR: p[0], wakeW: p[1], cmds: make(chan func(*loop), 1), done: make(chan struct{})}
	defer r.release()
	close(r.done)
	for range 64 {
		r.Cooked(true)
	}
	if n, err := unix.Read(p[0], make([]byte, 1)); n > 0 || err != unix.EAGAIN {
		t.Errorf("%d bytes came: %v", n, err)
	}
}
