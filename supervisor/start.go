package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
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
}

// decide makes the plan. A run gets an inner terminal when there is an outer
// one, even if none of its descriptors is on it: programs ask for passwords on
// /dev/tty. Beside a pipe it starts behind that terminal and gets it on demand,
// since the other program of the pipeline may be the one that wants it.
func decide(c circumstances) plan {
	p := plan{direct: c.noMonitor || c.mode == PTYNever}
	if c.mode == PTYAlways {
		p.pair, p.onPair = true, [3]bool{true, true, true}
	} else if !p.direct && c.terminal {
		p.pair, p.onPair = true, c.isTerminal
	}
	p.front = c.ours && !c.isPipe[0] && !c.isPipe[1]
	p.keepOutput = c.terminal && (c.isPipe[0] || c.isPipe[1])
	if c.mode == PTYAlways && !c.terminal {
		p.front = true
	}
	return p
}

// circumstances collects the facts.
func (r *run) circumstances() circumstances {
	c := circumstances{mode: r.cfg.PTY, noMonitor: r.cfg.NoMonitor, terminal: r.tty != nil}
	c.ours = r.tty != nil && r.tty.Foreground()
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
	r.relay, err = terminal.NewRelay(terminal.RelayConfig{
		User: user, Master: pair.Master, Tap: r.tap, Typed: r.typed, Gone: r.terminalGone,
	})
	return err
}

// startMonitor starts the process that will be the run's parent, or plays its
// part on a goroutine.
func (r *run) startMonitor(ctx context.Context) error {
	// Should the monitor be killed, what it looked after becomes ours.
	_ = proc.BecomeSubreaper()
	if err := r.openPassages(); err != nil {
		return err
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	r.wire = &wire{f: ours}
	if r.plan.direct {
		r.direct(ctx, theirs)
		return nil
	}
	defer theirs.Close() //nolint:errcheck // the monitor has its own
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer null.Close() //nolint:errcheck // nothing was written
	self, err := selfPath()
	if err != nil {
		return fmt.Errorf("find own executable: %w", err)
	}
	r.monitor, err = syscall.ForkExec(self, []string{monitorName}, &syscall.ProcAttr{
		Dir: "/", Env: []string{EnvUID + "=" + r.cfg.UID, "GOMAXPROCS=1", "GOGC=50"},
		Files: r.monitorFiles(theirs, null), Sys: r.monitorAttr(),
	})
	if err != nil {
		return fmt.Errorf("start monitor %s: %w", self, err)
	}
	r.eachPassage(func(p *passage) {
		_ = p.theirs.Close()
		go p.carry(r.watched)
	})
	if r.pair != nil {
		return r.pair.CloseSlave()
	}
	return nil
}

// direct runs the monitor's part inside the wrapper. The run then lives on the
// user's own terminal.
func (r *run) direct(ctx context.Context, theirs *os.File) {
	user := -1
	if r.tty != nil && r.plan.front {
		user = r.tty.FD()
	}
	m := newMonitor(&wire{f: theirs}, user, -1)
	r.monitor = os.Getpid()
	r.inside.Go(func() {
		m.run(ctx)
		m.wire.close()
	})
}

// monitorFiles are the descriptors of the monitor: the run's three, the wire,
// the inner terminal, the user's.
func (r *run) monitorFiles(theirs, null *os.File) []uintptr {
	files := make([]uintptr, 0, fdUser+1)
	for i, f := range r.files() {
		switch {
		case r.plan.onPair[i]:
			f = r.pair.Slave
		case r.passages[i] != nil:
			f = r.passages[i].theirs
		}
		files = append(files, f.Fd())
	}
	files = append(files, theirs.Fd(), null.Fd(), null.Fd())
	if r.pair != nil {
		files[fdInner] = r.pair.Slave.Fd()
	}
	if r.tty != nil {
		files[fdUser] = uintptr(r.tty.FD())
	}
	return files
}

// monitorAttr gives the monitor a session of its own, on the inner terminal if
// there is one.
func (r *run) monitorAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Setctty: r.pair != nil, Ctty: fdInner}
}

// socketPair makes the wire.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make socket pair: %w", err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, nil, fmt.Errorf("make socket non-blocking: %w", err)
		}
	}
	return os.NewFile(uintptr(fds[0]), "wire"), os.NewFile(uintptr(fds[1]), "wire"), nil
}

// launchCode is the exit code of a command that did not start, as the shell has
// it: not found at all, or found and not to be executed.
func launchCode(err error) int {
	var errno syscall.Errno
	if errors.Is(err, fs.ErrNotExist) && !errors.As(err, &errno) {
		return ExitNotFound
	}
	return ExitNotExecutable
}
