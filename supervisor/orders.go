package supervisor

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

// launchOrder is everything the monitor needs to make a run ready.
type launchOrder struct {
	path string // the file to execute, already resolved
	argv []string
	env  []string
	dir  string
	// foreground: the run starts as the foreground of its terminal.
	foreground bool
	uid        string
	leftovers  LeftoverPolicy
	graceMS    int64
	// scope: our control group was asked for, and is ours to divide.
	scope bool
}

func (o launchOrder) pack() []byte {
	var p packer
	p.str(o.path)
	p.strs(o.argv)
	p.strs(o.env)
	p.str(o.dir)
	p.flag(o.foreground)
	p.str(o.uid)
	p.str(string(o.leftovers))
	p.num(o.graceMS)
	p.flag(o.scope)
	return p.b
}

func unpackLaunch(b []byte) (launchOrder, error) {
	u := unpacker{b: b}
	o := launchOrder{
		path: u.str(), argv: u.strs(), env: u.strs(), dir: u.str(), foreground: u.flag(),
		uid: u.str(), leftovers: LeftoverPolicy(u.str()), graceMS: u.num(), scope: u.flag(),
	}
	return o, checked("launch order", u)
}

// goOrder is what is known of a run once it is recorded.
type goOrder struct {
	generation int64
	runFile    string // empty: no exit record
}

func (o goOrder) pack() []byte {
	var p packer
	p.num(o.generation)
	p.str(o.runFile)
	return p.b
}

func unpackGo(b []byte) (goOrder, error) {
	u := unpacker{b: b}
	o := goOrder{generation: u.num(), runFile: u.str()}
	return o, checked("go order", u)
}

// stopOrder asks for the run to end.
type stopOrder struct {
	// first is sent to the group at once; SIGKILL skips the grace.
	first syscall.Signal
	// escalate: KILL follows when the grace is over.
	escalate bool
	// press: TERM comes in between. Programs with a signal of their own were seen
	// to take no notice of the first one in the middle of something.
	press bool
	// by goes into the exit record, for the case that nobody is left to write
	// the ledger.
	by lifecycle.StoppedBy
}

func (o stopOrder) pack() []byte {
	var p packer
	p.num(int64(o.first))
	p.flag(o.escalate)
	p.flag(o.press)
	p.str(string(o.by))
	return p.b
}

func unpackStop(b []byte) (stopOrder, error) {
	u := unpacker{b: b}
	o := stopOrder{first: syscall.Signal(u.num()), escalate: u.flag(), press: u.flag(), by: lifecycle.StoppedBy(u.str())}
	return o, checked("stop order", u)
}

// terminalState tells the monitor how to give the user's terminal back if the
// wrapper cannot. The zero value means: leave it alone.
type terminalState struct {
	raw        bool
	found, set unix.Termios
	// reset undoes the modes the run has switched on.
	reset []byte
}

func (s terminalState) pack() []byte {
	var p packer
	p.flag(s.raw)
	p.str(termiosBytes(s.found))
	p.str(termiosBytes(s.set))
	p.str(string(s.reset))
	return p.b
}

func unpackTerminal(b []byte) (terminalState, error) {
	u := unpacker{b: b}
	s := terminalState{raw: u.flag(), found: termiosOf(u.str()), set: termiosOf(u.str()), reset: []byte(u.str())}
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

// childReport is the run as the monitor launched it.
type childReport struct {
	pid   int
	start uint64
	sid   int
	// cgroup is the path of the run's own control group, empty without one.
	cgroup string
}

func (r childReport) pack() []byte {
	var p packer
	p.num(int64(r.pid))
	p.num(int64(r.start))
	p.num(int64(r.sid))
	p.str(r.cgroup)
	return p.b
}

func unpackChild(b []byte) (childReport, error) {
	u := unpacker{b: b}
	r := childReport{pid: int(u.num()), start: uint64(u.num()), sid: int(u.num()), cgroup: u.str()}
	return r, checked("launch report", u)
}

// exitReport is how the run's command ended, as waitid(2) said.
type exitReport struct {
	// code is the exit code, -1 when a signal ended it.
	code int
	// signal is 0 when it exited by itself.
	signal syscall.Signal
	core   bool
	// killed: the grace of a stop ran out and KILL was sent.
	killed bool
	// lost: nobody saw the end; set by giving up.
	lost bool
	// clean: nothing of the run is left. No msgDone follows.
	clean bool
	// done marks a report that has arrived; it is not sent.
	done bool
}

func (r exitReport) pack() []byte {
	var p packer
	p.num(int64(r.code))
	p.num(int64(r.signal))
	p.flag(r.core)
	p.flag(r.killed)
	p.flag(r.lost)
	p.flag(r.clean)
	return p.b
}

func unpackExit(b []byte) (exitReport, error) {
	u := unpacker{b: b}
	r := exitReport{code: int(u.num()), signal: syscall.Signal(u.num()), core: u.flag(), killed: u.flag(), lost: u.flag(), clean: u.flag()}
	return r, checked("exit report", u)
}

// packNum is a payload of one number.
func packNum(v int64) []byte {
	var p packer
	p.num(v)
	return p.b
}

// unpackNum reads a payload of one number; 0 when it is none.
func unpackNum(b []byte) int64 {
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
