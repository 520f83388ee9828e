package monitor

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// UnkillableWait is how long a process may outlive its KILL before it is named
// instead of waited for: one in an uninterruptible sleep may never end.
const UnkillableWait = 5 * time.Second

// orphanGrace is the grace of a run whose wrapper has vanished: nobody is left to
// wait for a tidy end, and a stray agent costs money.
const orphanGrace = 2 * time.Second

// monitor is the parent of one run. All of it belongs to the goroutine of start,
// and then to that of run.
type monitor struct {
	wire  *wire.Conn
	sigs  chan os.Signal // see hear
	inner int            // the run's terminal, -1 without one
	user  int            // the user's terminal, -1 without one
	// terminalErr is why the run's terminal could not be made ours.
	terminalErr error
	// leads: this process leads the session and owns the terminal the run lives
	// on. False inside a wrapper that runs without a monitor process, where the
	// run lives on the user's own terminal.
	leads bool
	// bound: the goroutine we are on is bound to its thread.
	bound bool
	// inherits: what the run lets go of becomes our child. Without children, then,
	// nothing of it is left.
	inherits bool

	// helper is the child of the wrapper we are in that is none of the run's; nil where
	// there is no wrapper in this process.
	helper *atomic.Int64

	order    wire.LaunchOrder
	recorded wire.GoOrder
	// held is the run while it stands at its first instruction, 0 otherwise;
	// heldEnd is how it ended if it was killed there.
	held    int
	heldEnd *unix.WaitStatus

	group     proc.Group // the run's own control group; the zero value without one
	pid       int        // the run once it was let go, 0 before
	exited    bool
	report    wire.ExitReport
	suspended bool
	resuming  bool // our own SIGCONT is on its way
	inFront   int  // the foreground group when the run was suspended
	terminal  wire.TerminalState
	stop      wire.StopOrder
	grace     <-chan time.Time
	press     <-chan time.Time // when TERM follows the first signal
	given     <-chan time.Time // how long after KILL we wait
	roused    <-chan time.Time // when to see whether the wrapper goes on with the run
	orphaned  bool             // the wrapper is gone
	forget    bool             // the run file is of no more use

	left  lifecycle.Leftovers  // what became of what the run left behind
	tools []lifecycle.Leftover // see noteTool
}

// newMonitor prepares a monitor; run does the work.
func newMonitor(w *wire.Conn, inner, user int) *monitor {
	return &monitor{wire: w, inner: inner, user: user}
}

// start obeys until the run has been let go, or is not to be. The goroutine that sets up
// packages is bound to its thread, as holding a process takes; and what the wrapper says
// next is there sooner than another thread would be.
func (m *monitor) start() {
	m.bound = true
	for m.pid == 0 && !m.exited && m.wire.Await(-1) {
		o, err := m.wire.Receive()
		if err != nil {
			break // run hears of it, too
		}
		m.obey(o)
	}
	m.bound = false
}

// run serves the wrapper until the run has ended and nothing of it is left to
// look after. One goroutine reads the wire; it ends with the wire.
func (m *monitor) run(ctx context.Context) {
	m.hear()
	orders, done := make(chan wire.Message), make(chan struct{})
	defer close(done)
	go m.wire.ReceiveAll(orders, done)
	for !m.exited {
		select {
		case o, ok := <-orders:
			if !ok {
				orders = nil
				m.orphan()
				continue
			}
			m.obey(o)
		case s := <-m.sigs:
			if s == unix.SIGCHLD {
				m.reap()
			}
		case <-m.press:
			m.press = nil
			m.signalAll(unix.SIGTERM)
		case <-m.grace:
			m.kill()
		case <-m.given:
			m.giveUp()
		case <-m.roused:
			m.rouse()
		}
	}
	m.finish(ctx, orders)
	_ = m.group.Release() // what cannot be released is left to a sweep
	// Stay until the wrapper hangs up: our end is a hang-up of the terminal we
	// lead, and there may be output on it that the wrapper has not read yet.
	for orders != nil {
		select {
		case o, ok := <-orders:
			switch {
			case !ok:
				m.giveBack()
				orders = nil
			default:
				m.obeyLate(o)
			}
		case <-m.roused:
			m.rouse()
		}
	}
	m.settle()
}

// hear has the monitor's signals caught; again, it does nothing.
func (m *monitor) hear() {
	if m.sigs == nil {
		m.sigs = make(chan os.Signal, 8)
		signals.Catch(m.sigs, m.caught())
	}
}

// caught lists the signals that reach the monitor's loop. The hang-up of its
// terminal is one, to be outlived. Inside a wrapper only SIGCHLD is its own.
func (m *monitor) caught() []os.Signal {
	if m.leads {
		return []os.Signal{unix.SIGCHLD, unix.SIGHUP}
	}
	return []os.Signal{unix.SIGCHLD}
}

// deafen makes the monitor outlive what is meant for others, such as a signal to
// everything of its name.
func (m *monitor) deafen() {
	// Touching the run's terminal from behind must not stop us.
	signal.Ignore(unix.SIGTTOU)
	if m.leads {
		signal.Ignore(unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGPIPE)
	}
}

// obey carries out one order of the wrapper.
func (m *monitor) obey(o wire.Message) {
	switch o.Kind {
	case wire.MsgLaunch:
		m.launch(o.Body)
	case wire.MsgGo:
		m.letGo(o.Body)
	case wire.MsgSignal:
		m.signal(syscall.Signal(wire.UnpackNum(o.Body)))
	case wire.MsgTell:
		if m.pid > 0 && !m.exited {
			_ = unix.Kill(m.pid, syscall.Signal(wire.UnpackNum(o.Body)))
		}
	case wire.MsgContinue:
		m.resume(wire.UnpackNum(o.Body) != 0)
	case wire.MsgStop:
		if s, err := wire.UnpackStop(o.Body); err == nil {
			m.beginStop(s)
		}
	case wire.MsgTerminal:
		if s, err := wire.UnpackTerminal(o.Body); err == nil {
			m.terminal = s
		}
	case wire.MsgForget:
		m.forget = true
	case wire.MsgSettle:
		UnloadProgram()
	case wire.MsgStarted, wire.MsgFailed, wire.MsgSuspended, wire.MsgResumed, wire.MsgExited, wire.MsgDone:
	}
}

// obeyLate carries out what orders there still are once the run has ended: its number may
// be another's by now.
func (m *monitor) obeyLate(o wire.Message) {
	if o.Kind == wire.MsgTerminal || o.Kind == wire.MsgForget {
		m.obey(o)
	}
}

// launch makes the run ready while the wrapper records it, where the system can
// hold a process at its start: it then owns its terminal before its first
// instruction, and need not be waited for. Elsewhere it is started by letGo.
func (m *monitor) launch(body []byte) {
	order, err := wire.UnpackLaunch(body)
	if err != nil {
		m.fail(unix.EINVAL)
		return
	}
	if m.terminalErr != nil {
		m.fail(m.terminalErr)
		return
	}
	m.order = order
	pid, err := m.execute(m.forkHeld)
	switch {
	case err == errNotHeld:
	case err != nil:
		m.fail(err)
	default:
		m.held = pid
		m.introduce(pid)
	}
}

// letGo sets the run going.
func (m *monitor) letGo(body []byte) {
	recorded, err := wire.UnpackGo(body)
	if err != nil {
		recorded = wire.GoOrder{}
	}
	m.recorded = recorded
	m.reap() // nobody may have looked since it was held
	if m.held == 0 {
		pid, err := m.execute(syscall.ForkExec)
		if err != nil {
			m.fail(err)
			return
		}
		m.introduce(pid)
		m.pid = pid
	} else {
		m.pid, m.held = m.held, 0
	}
	if m.leads {
		// A reader waits for the last writer, and a writer for the last reader, and
		// neither is us. Nor do we keep a file system busy: we were in the run's
		// directory to hand it on, for a name may lead elsewhere by now.
		ToNull(0, 1, 2)
		_ = unix.Chdir("/")
	}
	if m.heldEnd != nil {
		m.changed(*m.heldEnd)
		return
	}
	m.signal(unix.SIGCONT)
	if m.leads {
		CloseInherited()
	}
	m.reap()
}

// forker is syscall.ForkExec or something like it.
type forker func(path string, argv []string, attr *syscall.ProcAttr) (int, error)

// execute starts the run and gives it its terminal. A script without a first
// line that says whose it is, is the shell's, as execvp(3) has it.
func (m *monitor) execute(fork forker) (int, error) {
	// A process group of its own inside this session: a group whose parent is in
	// the same session is not orphaned, so that ^Z works on it.
	attr := &syscall.ProcAttr{
		Dir: m.order.Dir, Env: m.order.Env, Sys: &syscall.SysProcAttr{Setpgid: true},
		Files: []uintptr{entry.Given(0), entry.Given(1), entry.Given(2)},
	}
	if m.inner >= 0 && !m.order.Foreground {
		// It gets the terminal when it is stopped for reading from it. Shells ignore that
		// in a command substitution, and what is caught begins at its default.
		signals.Take(m.sigs, unix.SIGTTIN)
	}
	var pid int
	err := entry.AsFound(m.bound, func() (err error) {
		pid, err = m.forkContained(fork, attr)
		if err == unix.ENOEXEC && isText(m.order.Path, m.order.Dir) {
			m.order.Path, m.order.Argv = "/bin/sh", append([]string{"sh", m.order.Path}, m.order.Argv[1:]...)
			pid, err = m.forkContained(fork, attr)
		}
		return err
	})
	if err == nil && m.inner >= 0 && m.order.Foreground {
		// A run that is not held and asks for its terminal before this is stopped
		// by the kernel; reap sets it going.
		_ = terminal.SetForeground(m.inner, pid)
	}
	return pid, err
}

// introduce tells the wrapper who the run is, and hardens us: what we ignore
// from now on the run would have inherited before.
func (m *monitor) introduce(pid int) {
	m.deafen()
	child := wire.ChildReport{PID: pid, CGroup: m.group.Path()}
	if p, err := proc.Read(pid); err == nil {
		child.Start = p.Start
	}
	if sid, err := unix.Getsid(pid); err == nil {
		child.SID = sid
	}
	m.tell(wire.MsgStarted, child.Pack())
}

// fail reports that nothing could be started, and why.
func (m *monitor) fail(err error) {
	m.tell(wire.MsgFailed, wire.PackNum(int64(errnoOf(err))))
	m.exited = true
	m.pid = 0
	// Nobody is in it.
	_ = m.group.Remove()
}

// errnoOf is the error number in err, EINVAL when there is none.
func errnoOf(err error) syscall.Errno {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return unix.EINVAL
}

// signal sends sig to the run's group.
func (m *monitor) signal(sig syscall.Signal) {
	if m.pid > 0 {
		_ = unix.Kill(-m.pid, sig)
	}
}

// resume sets a suspended run going again, in the foreground of its terminal or
// behind it.
func (m *monitor) resume(foreground bool) {
	if m.pid == 0 {
		return
	}
	m.giveFront(foreground)
	m.resuming = true
	m.suspended = false
	m.signal(unix.SIGCONT)
}

// giveFront makes the run, or whoever of it was in front when it was suspended,
// the foreground of its terminal; or puts it behind us.
func (m *monitor) giveFront(run bool) {
	switch {
	case m.inner < 0:
	case run && m.leads && !m.suspended && !m.before():
		// Somebody of the run is there already, and not for us to choose.
	case run && m.inFront > 0 && m.inFront != unix.Getpgrp() && terminal.SetForeground(m.inner, m.inFront) == nil:
	case run:
		_ = terminal.SetForeground(m.inner, m.pid)
	case m.leads:
		_ = terminal.SetForeground(m.inner, unix.Getpgrp())
	}
}

// before says whether we are in the foreground of the run's terminal, where we keep the
// run from it.
func (m *monitor) before() bool {
	front, err := unix.IoctlGetInt(m.inner, unix.TIOCGPGRP)
	return err == nil && front == unix.Getpgrp()
}

// beginStop sends the first signal of a stop. A suspended run is set going, or
// the signal would wait for ever. One that is to be escalated reaches every
// process of the run: tools live in sessions of their own.
func (m *monitor) beginStop(s wire.StopOrder) {
	m.stop = s
	if s.First == unix.SIGKILL {
		m.kill()
		return
	}
	if !s.Escalate {
		m.signal(s.First)
	} else {
		m.signalAll(s.First)
		m.grace = time.After(time.Duration(m.order.GraceMS) * time.Millisecond) //nolint:forbidigo // the monitor has no clock: its ladder is bounded in awake time, which is what a timer counts
	}
	if s.Press {
		m.press = time.After(time.Duration(m.order.GraceMS) * time.Millisecond / 2) //nolint:forbidigo // as above
	}
	if m.suspended {
		m.signal(unix.SIGCONT)
	}
}

// signalAll signals every process of the run.
func (m *monitor) signalAll(sig syscall.Signal) {
	m.signal(sig)
	m.signalTools(sig)
}

// signalTools signals what the run has started outside its group.
func (m *monitor) signalTools(sig syscall.Signal) {
	kin := m.kin()
	tools, err := kin.Below()
	if err != nil {
		return
	}
	spared := map[int]bool{}
	for _, p := range tools {
		// Parents come first, so what a spared one has started is spared too.
		if _, keep := kin.Keep(p); keep || spared[p.PPID] {
			spared[p.PID] = true
		} else if p.PGID != m.pid && !p.Dead() {
			m.noteTool(p, sig)
			_ = proc.Signal(p.PID, p.Start, sig)
		}
	}
}

// kill ends the run for good.
func (m *monitor) kill() {
	m.grace, m.press = nil, nil
	if m.pid == 0 || m.exited {
		return
	}
	m.report.Killed = true
	m.signal(unix.SIGKILL)
	m.given = time.After(UnkillableWait) //nolint:forbidigo // as in beginStop
}

// giveUp reports a run that not even KILL has ended; what remains of it is named
// as a leftover.
func (m *monitor) giveUp() {
	m.given = nil
	m.report = wire.ExitReport{Code: -1, Killed: true, Lost: true}
	m.end()
}

// orphan ends the run of a wrapper that has vanished: first the user gets the
// terminal back, then the run is asked and, when the grace is over, made to end.
func (m *monitor) orphan() {
	m.orphaned = true
	m.giveBack()
	if m.held > 0 {
		// Nobody knows of it, and it has done nothing. Its group is removed once it is gone.
		_ = unix.Kill(m.held, unix.SIGKILL)
		_, _ = unix.Wait4(m.held, nil, 0, nil)
	}
	if m.pid == 0 {
		m.exited = true
		return
	}
	m.order.GraceMS = min(m.order.GraceMS, orphanGrace.Milliseconds())
	by := cmp.Or(m.stop.By, lifecycle.StoppedByReaper)
	m.beginStop(wire.StopOrder{First: unix.SIGHUP, By: by})
	m.beginStop(wire.StopOrder{First: unix.SIGTERM, Escalate: true, By: by})
}

// giveBack restores the user's terminal in the wrapper's stead.
func (m *monitor) giveBack() {
	if m.user < 0 {
		return
	}
	// The settings first, and at once: a shell is about to look at them.
	if m.terminal.Raw {
		_ = terminal.RestoreIfSet(m.user, m.terminal.Found, m.terminal.Set)
	}
	// Of a run that is suspended somebody else has the screen.
	if len(m.terminal.Reset) > 0 && !m.suspended {
		_, _ = unix.Write(m.user, m.terminal.Reset)
	}
}

// tell sends a report; a wrapper that is gone hears nothing.
func (m *monitor) tell(kind wire.Kind, body []byte) {
	if !m.orphaned {
		_ = m.wire.Send(kind, body)
	}
}
