package monitor

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// Name is the whole argument vector of a monitor: a process list shows what it is,
// and nobody starts one by accident.
const Name = "ocr-run: monitor"

// envWire carries the number of the monitor's own end of the wire. It lies beyond
// the descriptors that the caller had open, which are the run's.
const envWire = "OCR_RUN_MONITOR"

// ownFDs is where the monitor's own descriptors begin, beyond the single digits
// that a shell can name. Open ones of the caller are left where they are.
const ownFDs = 10

// exitNotStarted is the exit code of a monitor that nobody has started properly.
const exitNotStarted = 125

// A monitor is a process of its own, and kept small: it has no use for the rest of
// this program, whose packages take longer to be set up than everything it does.
// So it is dispatched here, as early as the packages that it needs are there, and
// not in main: this is the one such function of the program, and it does nothing
// in any other process.
//
//nolint:gochecknoinits // see above
func init() {
	if len(os.Args) != 1 || os.Args[0] != Name {
		return
	}
	// The goroutine that sets up packages is bound to its thread.
	code := make(chan int)
	go func() { code <- serve() }()
	os.Exit(<-code) //nolint:forbidigo // see above
}

// serve is the life of a monitor process: it takes its orders from the wire and
// watches one run. It returns the exit code.
func serve() int {
	fd, err := strconv.Atoi(os.Getenv(envWire))
	if err != nil {
		return exitNotStarted
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return exitNotStarted
	}
	m := newMonitor(wire.New(fd), -1, -1)
	m.leads = true
	// Before there is a terminal that may hang up.
	m.hear()
	m.inherits = proc.BecomeSubreaper() == nil
	nameSelf("ocr-run-monitor")
	m.run(context.Background())
	return 0
}

// Inside plays the monitor's part in the wrapper's own process, on the wire's end
// fd, until the run is over. The run then lives on the user's own terminal, -1 for
// none. helper is the child of the wrapper that is none of the run's, 0 without one.
func Inside(ctx context.Context, fd, user int, helper *atomic.Int64) {
	m := newMonitor(wire.New(fd), user, -1)
	m.helper = helper
	m.run(ctx)
	m.wire.Close()
}

// Process is a monitor process from the wrapper's side. It is the caller's to
// reap, and ends by itself when the wire does.
type Process struct {
	uid     string
	conn    *wire.Conn
	started chan struct{} // closed when pid and err are there
	pid     int
	err     error
}

// Start starts a monitor for execution uid, in a session of its own, and does not
// wait for it. It costs nothing but its orders' absence to dismiss it unused.
func Start(uid string) *Process {
	p := &Process{uid: uid, started: make(chan struct{})}
	go func() {
		defer close(p.started)
		p.pid, p.err = p.fork()
	}()
	return p
}

// Ready waits until the process exists and returns its pid and our end of the wire,
// which is the caller's to close.
func (p *Process) Ready() (pid int, conn *wire.Conn, err error) {
	<-p.started
	return p.pid, p.conn, p.err
}

// UID is the execution it was started for.
func (p *Process) UID() string { return p.uid }

// Dismiss lets a monitor go that nobody has given an order, and reaps it.
func (p *Process) Dismiss() {
	if pid, conn, err := p.Ready(); err == nil {
		conn.Close()
		_, _ = unix.Wait4(pid, nil, 0, nil)
	}
}

// fork starts the process.
func (p *Process) fork() (pid int, err error) {
	self, err := SelfPath()
	if err != nil {
		return 0, fmt.Errorf("find own executable: %w", err)
	}
	ours, theirs, err := wire.Pair()
	if err != nil {
		return 0, err
	}
	defer unix.Close(theirs) //nolint:errcheck // the monitor has its own
	files := append(inherited(), uintptr(theirs))
	pid, err = syscall.ForkExec(self, []string{Name}, &syscall.ProcAttr{
		Dir: "/", Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
		Env: []string{
			proc.EnvUID + "=" + p.uid, envWire + "=" + strconv.Itoa(len(files)-1), "GOMAXPROCS=1", "GOGC=50",
		},
	})
	if err != nil {
		_ = unix.Close(ours)
		return 0, fmt.Errorf("start monitor %s: %w", self, err)
	}
	p.conn = wire.New(ours)
	return pid, nil
}

// inherited lists the descriptors below the monitor's own: those that the caller
// has given us, which the run is to inherit, and the others closed.
func inherited() (files []uintptr) {
	for fd := uintptr(0); ; fd++ {
		flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
		given := err == nil && flags&unix.FD_CLOEXEC == 0
		switch {
		case given || fd < 3:
			files = append(files, fd)
		case fd < ownFDs:
			files = append(files, ^uintptr(0))
		default:
			return files
		}
	}
}
