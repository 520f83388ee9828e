package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// plan is what a run's descriptors and terminal will be: decided from facts,
// before anything is opened.
type plan struct {
	// direct: no monitor process, no inner terminal.
	direct bool
	// pair: an inner terminal is made.
	pair bool
	// onPair says which of 0, 1 and 2 are on it.
	onPair [3]bool
	// toStdout: what the run writes to the inner terminal goes to the caller's
	// standard output, which is not the terminal.
	toStdout bool
	// front: the run starts as the foreground of its terminal.
	front bool
	// keepOutput: another program of the pipeline writes to the user's terminal
	// too and needs its output processing.
	keepOutput bool
}

// circumstances are the facts a plan rests on.
type circumstances struct {
	mode      PTYMode
	noMonitor bool
	// terminal: there is a controlling terminal; ours: our group is in front.
	terminal, ours bool
	// isTerminal says which of 0, 1 and 2 are the controlling terminal, isPipe
	// which are a pipe or a socket.
	isTerminal, isPipe [3]bool
	// isFile: standard input is a regular file, or a device that is no terminal.
	isFile bool
	// deaf: we were started ignoring interrupts, as a shell without job control starts
	// what it does not wait for: in its own group, and without standard input.
	deaf bool
}

// decide makes the plan. A run gets an inner terminal when there is an outer
// one, even if none of its descriptors is on it: programs ask for passwords on
// /dev/tty. Then, and beside a pipe, it starts behind that terminal and gets it on
// demand: the shell, or the other program of the pipeline, may be who wants it.
func decide(c circumstances) plan {
	p := plan{direct: c.noMonitor || c.mode == PTYNever}
	if c.mode == PTYAlways && !p.direct {
		p.pair, p.onPair = true, [3]bool{!c.isPipe[0] && !c.isFile, true, true}
		p.toStdout = !c.isTerminal[1]
	} else if !p.direct && c.terminal {
		p.pair, p.onPair = true, c.isTerminal
	}
	p.front = c.ours && !c.isPipe[0] && !c.isPipe[1] && (!c.isFile || !c.deaf) && (p.direct || p.onPair != [3]bool{})
	p.keepOutput = c.terminal && (c.isPipe[0] || c.isPipe[1])
	if c.mode == PTYAlways && !c.terminal {
		p.front = true
	}
	return p
}

// circumstances collects the facts.
func (r *run) circumstances() circumstances {
	c := circumstances{mode: r.cfg.PTY, noMonitor: r.cfg.NoMonitor, terminal: r.tty != nil}
	info, err := r.cfg.Stdin.Stat()
	c.isFile = err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeCharDevice != 0 && !term.IsTerminal(int(r.cfg.Stdin.Fd())))
	c.ours = r.tty != nil && r.tty.Foreground()
	c.deaf = signal.Ignored(unix.SIGINT)
	for i, f := range r.files() {
		c.isTerminal[i] = terminal.IsControlling(int(f.Fd()))
		c.isPipe[i] = isPipe(f)
	}
	return c
}

// files are the run's descriptors as the caller has them.
func (r *run) files() [3]*os.File { return [3]*os.File{r.cfg.Stdin, r.cfg.Stdout, r.cfg.Stderr} }

// isPipe says whether f is a pipe or a socket.
func isPipe(f *os.File) bool {
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil {
		return false
	}
	kind := st.Mode & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
}

// openTerminals opens the user's terminal and, by plan, the inner one with its
// relay.
func (r *run) openTerminals() error {
	if tty, err := terminal.OpenTTY(); err == nil {
		r.tty = tty
	}
	r.plan = decide(r.circumstances())
	if !r.plan.pair {
		return nil
	}
	pair, err := terminal.OpenPair(r.tty)
	if err != nil {
		return err
	}
	r.pair = pair
	user := -1
	if r.tty != nil {
		user = r.tty.FD()
	}
	cfg := terminal.RelayConfig{User: user, Master: pair.Master, Tap: r.tap, Typed: r.typed, First: r.toFront, Gone: r.terminalGone}
	if r.plan.toStdout {
		if cfg.Divert, err = r.divert(); err != nil {
			return err
		}
		// Not an order, which is for Run's own goroutine to give.
		cfg.Unread = func() { _ = r.wire.Send(wire.MsgSignal, wire.PackNum(int64(unix.SIGPIPE))) }
	}
	r.relay, err = terminal.NewRelay(cfg)
	return err
}

// divert makes the way from the inner terminal to the standard output, whose reader may
// make us wait: the relay has more to do than that.
func (r *run) divert() (fd int, err error) {
	if r.diverted, err = newPassage(FromTerminal, r.cfg.Stdout); err != nil {
		return 0, err
	}
	fd = int(r.diverted.theirs.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		return 0, fmt.Errorf("make pipe non-blocking: %w", err)
	}
	return fd, nil
}

// startMonitor starts the process that will be the run's parent, or plays its
// part on a goroutine.
func (r *run) startMonitor(ctx context.Context) error {
	// Should the monitor be killed, what it looked after becomes ours.
	_ = proc.BecomeSubreaper()
	if err := r.openPassages(); err != nil {
		return err
	}
	if r.plan.direct {
		return r.direct(ctx)
	}
	pid, conn, err := monitor.Start(r.cfg.UID, r.descriptors())
	if err != nil {
		return err
	}
	r.monitor, r.wire = pid, conn
	r.carryPassages()
	if r.pair != nil {
		err = r.pair.CloseSlave()
	}
	if err == nil {
		err = r.enterScope(ctx)
	}
	return err
}

// descriptors are what the monitor is started with.
func (r *run) descriptors() monitor.Descriptors {
	fds := monitor.Descriptors{Inner: -1, User: -1}
	for i, f := range r.files() {
		switch {
		case r.plan.onPair[i]:
			fds.Run[i] = r.pair.Slave.Fd()
		case r.passages[i] != nil:
			fds.Run[i] = r.passages[i].theirs.Fd()
		default:
			fds.Run[i] = entry.Given(f.Fd()) // which tells the monitor, too
		}
	}
	if r.pair != nil {
		fds.Inner = int(r.pair.Slave.Fd())
	}
	if r.tty != nil {
		fds.User = lasting(r.tty, r.files())
	}
	return fds
}

// enterScope puts the run's future parent into a scope, if one was asked for: the
// group of the run is then made inside it. Whoever asks for the end does not wait for that.
func (r *run) enterScope(ctx context.Context) error {
	if !r.cfg.Scope {
		return nil
	}
	asking, giveUp := context.WithCancel(ctx)
	defer giveUp()
	entered := make(chan struct{})
	var err error
	go func() {
		defer close(entered)
		err = enterScope(asking, r.monitor, r.cfg.UID, os.Environ())
	}()
	if !r.comesFirst(ctx, entered) {
		giveUp()
		<-entered
	}
	return err
}

// direct runs the monitor's part inside the wrapper. The run then lives on the
// user's own terminal.
func (r *run) direct(ctx context.Context) error {
	ours, theirs, err := wire.Pair()
	if err != nil {
		return err
	}
	r.wire, r.monitor = wire.New(ours), os.Getpid()
	if err := r.enterScope(ctx); err != nil {
		return errors.Join(err, unix.Close(theirs))
	}
	user := -1
	if r.tty != nil {
		user = r.tty.FD()
	}
	r.inside.Go(func() { monitor.Inside(ctx, theirs, user, &r.helper) })
	return nil
}

// whyNot explains the error of a file that was there when it was looked for.
func whyNot(errno syscall.Errno) error {
	if errno == unix.ENOENT {
		return fmt.Errorf("what it is to be run by, as its first line or its header says: %w", errno)
	}
	return errno
}

// launchCode is the exit code of a command that did not start, as the shell has
// it: not found at all, or what its first line names is not; or found and not to be
// executed.
func launchCode(err error) int {
	if errors.Is(err, fs.ErrNotExist) {
		return ExitNotFound
	}
	return ExitNotExecutable
}
