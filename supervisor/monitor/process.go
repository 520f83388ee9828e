package monitor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// Name is the whole argument vector of a monitor: a process list shows what it is,
// and nobody starts one by accident.
const Name = "ocr-run: monitor"

// ProcessName is its name where a process list shows no arguments.
const ProcessName = "ocr-run-monitor"

// envStart carries the numbers of the monitor's own descriptors: the wire, the run's
// terminal and the user's, -1 for none; and the timer slack to start the run with (package
// entry). The descriptors lie at ownFDs or beyond, where none of the caller's is: those are
// the run's.
const envStart = "OCR_RUN_MONITOR"

// ownFDs is where the monitor's own descriptors begin, beyond the single digits
// that a shell can name.
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
	os.Exit(serve()) //nolint:forbidigo // see above
}

// serve is the life of a monitor process: it takes over the descriptors it was
// given and watches one run. It returns the exit code.
func serve() int {
	signals.KeepIgnored(entry.Ignored()) // the wrapper has had them ignored for us
	var given [4]int
	words := strings.Fields(os.Getenv(envStart))
	if len(words) != len(given) {
		return exitNotStarted
	}
	for i, word := range words {
		n, err := strconv.Atoi(word)
		if err != nil {
			return exitNotStarted
		}
		given[i] = n
	}
	link, inner, user := given[0], given[1], given[2]
	for _, fd := range given[:3] {
		if fd >= 0 {
			unix.CloseOnExec(fd)
		}
	}
	entry.Inherit(given[3])
	if err := unix.SetNonblock(link, true); err != nil {
		return exitNotStarted
	}
	m := newMonitor(wire.New(link), inner, user)
	m.leads = true
	// Before there is a terminal that may hang up.
	m.hear()
	if inner >= 0 {
		// The terminal is gone already when the wrapper is. Whatever it told us about
		// the user's is on the wire all the same, and the user's is to be given back.
		m.terminalErr = unix.IoctlSetInt(inner, unix.TIOCSCTTY, 0)
	}
	m.inherits = proc.BecomeSubreaper() == nil
	nameSelf(ProcessName)
	m.start()
	// The rest on a goroutine that is bound to no thread.
	over := make(chan struct{})
	go func() {
		defer close(over)
		m.run(context.Background())
	}()
	<-over
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

// Descriptors are what a monitor process is started with.
type Descriptors struct {
	// Run are the run's standard ones. One that it is to have closed is ^0.
	Run [3]uintptr
	// Inner is the run's terminal and User the user's, -1 for none.
	Inner, User int
}

// Start starts a monitor process for execution uid, in a session of its own, with
// copies of the descriptors. It returns its pid, for the caller to reap, and the
// wrapper's end of the wire, for the caller to close: the process then ends by
// itself. Nothing else may be started meanwhile: it could inherit a copy.
func Start(uid string, fds Descriptors) (pid int, conn *wire.Conn, err error) {
	self, err := SelfPath()
	if err != nil {
		return 0, nil, fmt.Errorf("find own executable: %w", err)
	}
	ours, theirs, err := wire.Pair()
	if err != nil {
		return 0, nil, err
	}
	defer unix.Close(theirs) //nolint:errcheck // the monitor has its own
	own := [3]int{theirs, fds.Inner, fds.User}
	for i, fd := range own {
		if fd < 0 {
			continue
		}
		if own[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD, ownFDs); err != nil {
			return 0, nil, errors.Join(fmt.Errorf("duplicate descriptor %d: %w", fd, err), unix.Close(ours))
		}
		defer unix.Close(own[i]) //nolint:errcheck // the monitor has its own
	}
	pid, err = syscall.ForkExec(self, []string{Name}, &syscall.ProcAttr{
		Files: fds.Run[:], Sys: &syscall.SysProcAttr{Setsid: true},
		Env: []string{
			proc.EnvUID + "=" + uid, fmt.Sprintf("%s=%d %d %d %d", envStart, own[0], own[1], own[2], entry.Found()),
			"GOMAXPROCS=1", "GOGC=50",
		},
	})
	if err != nil {
		if err == syscall.ENOENT {
			err = fmt.Errorf("%w; --no-monitor does without", err) // no /proc
		}
		return 0, nil, errors.Join(fmt.Errorf("start monitor %s: %w", self, err), unix.Close(ours))
	}
	return pid, wire.New(ours), nil
}
