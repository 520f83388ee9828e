package wire

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// LeftoverPolicy says what becomes of processes that outlive the run's command.
type LeftoverPolicy string

// The leftover policies. The zero value is LeftoversStop.
const (
	// LeftoversStop stops them until two looks in a row find none.
	LeftoversStop LeftoverPolicy = "stop"
	// LeftoversKeep leaves them alone and lists them as kept.
	LeftoversKeep LeftoverPolicy = "keep"
	// LeftoversReport leaves them alone and lists them as remaining.
	LeftoversReport LeftoverPolicy = "report"
)

// LaunchOrder is everything the monitor needs to make a run ready.
type LaunchOrder struct {
	Path string // the file to execute, already resolved
	Argv []string
	Env  []string
	Dir  string // to start in; empty for the directory the monitor was started in
	// Foreground: the run starts as the foreground of its terminal.
	Foreground bool
	UID        string
	Leftovers  LeftoverPolicy
	GraceMS    int64
	// Scope: our control group was asked for, and is ours to divide.
	Scope bool
}

// Pack is the payload.
func (o LaunchOrder) Pack() []byte {
	var p packer
	p.str(o.Path)
	p.strs(o.Argv)
	p.strs(o.Env)
	p.str(o.Dir)
	p.flag(o.Foreground)
	p.str(o.UID)
	p.str(string(o.Leftovers))
	p.num(o.GraceMS)
	p.flag(o.Scope)
	return p.b
}

// UnpackLaunch reads it.
func UnpackLaunch(b []byte) (LaunchOrder, error) {
	u := unpacker{b: b}
	o := LaunchOrder{
		Path: u.str(), Argv: u.strs(), Env: u.strs(), Dir: u.str(), Foreground: u.flag(),
		UID: u.str(), Leftovers: LeftoverPolicy(u.str()), GraceMS: u.num(), Scope: u.flag(),
	}
	return o, checked("launch order", u)
}

// GoOrder is what is known of a run once it is recorded.
type GoOrder struct {
	Generation int64
	RunFile    string // empty: no exit record
}

// Pack is the payload.
func (o GoOrder) Pack() []byte {
	var p packer
	p.num(o.Generation)
	p.str(o.RunFile)
	return p.b
}

// UnpackGo reads it.
func UnpackGo(b []byte) (GoOrder, error) {
	u := unpacker{b: b}
	o := GoOrder{Generation: u.num(), RunFile: u.str()}
	return o, checked("go order", u)
}

// StopOrder asks for the run to end.
type StopOrder struct {
	// First is sent to the group at once; SIGKILL skips the grace. Once the run has ended
	// that is said of what it left behind.
	First syscall.Signal
	// Escalate: KILL follows when the grace is over.
	Escalate bool
	// Press: TERM comes in between. Programs with a signal of their own were seen
	// to take no notice of the first one in the middle of something.
	Press bool
	// By goes into the exit record, for the case that nobody is left to write
	// the ledger.
	By lifecycle.StoppedBy
}

// Pack is the payload.
func (o StopOrder) Pack() []byte {
	var p packer
	p.num(int64(o.First))
	p.flag(o.Escalate)
	p.flag(o.Press)
	p.str(string(o.By))
	return p.b
}

// UnpackStop reads it.
func UnpackStop(b []byte) (StopOrder, error) {
	u := unpacker{b: b}
	o := StopOrder{First: syscall.Signal(u.num()), Escalate: u.flag(), Press: u.flag(), By: lifecycle.StoppedBy(u.str())}
	return o, checked("stop order", u)
}

// TerminalState tells the monitor how to give the user's terminal back if the
// wrapper cannot. The zero value means: leave it alone.
type TerminalState struct {
	Raw        bool
	Found, Set unix.Termios
	// Reset undoes the modes the run has switched on.
	Reset []byte
}

// Pack is the payload.
func (s TerminalState) Pack() []byte {
	var p packer
	p.flag(s.Raw)
	p.str(termiosBytes(s.Found))
	p.str(termiosBytes(s.Set))
	p.str(string(s.Reset))
	return p.b
}

// UnpackTerminal reads it.
func UnpackTerminal(b []byte) (TerminalState, error) {
	u := unpacker{b: b}
	s := TerminalState{Raw: u.flag(), Found: termiosOf(u.str()), Set: termiosOf(u.str()), Reset: []byte(u.str())}
	return s, checked("terminal state", u)
}

// termiosBytes is the structure as it lies in memory: both ends of the wire are
// the same binary on the same machine.
func termiosBytes(t unix.Termios) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(&t)), unsafe.Sizeof(t))) //nolint:gosec // see above
}

func termiosOf(s string) (t unix.Termios) {
	if uintptr(len(s)) == unsafe.Sizeof(t) {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&t)), unsafe.Sizeof(t)), s) //nolint:gosec // same size
	}
	return t
}

// ChildReport is the run as the monitor launched it.
type ChildReport struct {
	PID   int
	Start uint64
	SID   int
	// CGroup is the path of the run's own control group, empty without one.
	CGroup string
}

// Pack is the payload.
func (r ChildReport) Pack() []byte {
	var p packer
	p.num(int64(r.PID))
	p.num(int64(r.Start))
	p.num(int64(r.SID))
	p.str(r.CGroup)
	return p.b
}

// UnpackChild reads it.
func UnpackChild(b []byte) (ChildReport, error) {
	u := unpacker{b: b}
	r := ChildReport{PID: int(u.num()), Start: uint64(u.num()), SID: int(u.num()), CGroup: u.str()}
	return r, checked("launch report", u)
}

// ExitReport is how the run's command ended, as waitid(2) said.
type ExitReport struct {
	// Code is the exit code, -1 when a signal ended it.
	Code int
	// Signal is 0 when it exited by itself.
	Signal syscall.Signal
	Core   bool
	// Killed: the grace of a stop ran out and KILL was sent.
	Killed bool
	// Lost: nobody saw the end; set by giving up.
	Lost bool
	// Clean: nothing of the run is left. No MsgDone follows.
	Clean bool
	// Done marks a report that has arrived; it is not sent.
	Done bool
}

// Pack is the payload.
func (r ExitReport) Pack() []byte {
	var p packer
	p.num(int64(r.Code))
	p.num(int64(r.Signal))
	p.flag(r.Core)
	p.flag(r.Killed)
	p.flag(r.Lost)
	p.flag(r.Clean)
	return p.b
}

// UnpackExit reads it.
func UnpackExit(b []byte) (ExitReport, error) {
	u := unpacker{b: b}
	r := ExitReport{Code: int(u.num()), Signal: syscall.Signal(u.num()), Core: u.flag(), Killed: u.flag(), Lost: u.flag(), Clean: u.flag()}
	return r, checked("exit report", u)
}

// End puts it into the words of the ledger. What was lost has to be told apart.
func (r ExitReport) End() (end lifecycle.ProcessEnd, code, sig *int) {
	if r.Signal != 0 {
		return lifecycle.EndSignalled, nil, new(int(r.Signal))
	}
	return lifecycle.EndExited, new(r.Code), nil
}

// PackNum is a payload of one number.
func PackNum(v int64) []byte {
	var p packer
	p.num(v)
	return p.b
}

// UnpackNum reads a payload of one number; 0 when it is none.
func UnpackNum(b []byte) int64 {
	u := unpacker{b: b}
	return u.num()
}

// checked says whether everything was there.
func checked(what string, u unpacker) error {
	if u.bad {
		return fmt.Errorf("read %s: payload too short", what)
	}
	return nil
}
