package supervisor

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// signalPolicy is what the wrapper does with a signal sent to it.
type signalPolicy int

// The policies.
const (
	// passOn forwards the signal to the run's group.
	passOn signalPolicy = iota
	// polite forwards it and takes it for a wish that the run end; the second
	// within the grace is decisive.
	polite
	// firm begins a stop: the signal, the grace, KILL.
	firm
	// hangUp is firm when the terminal is gone, and passed on when it is not.
	hangUp
	// resize follows the size of the user's terminal.
	resize
	// unread is dropped where it speaks of a write of our own, and else passed on.
	unread
)

// asks says whether such a signal asks for the end, whoever sends it.
func (p signalPolicy) asks() bool { return p == polite || p == firm }

// policyOf is the table. Signals that cannot be caught, that the runtime needs
// (SIGURG, SIGPROF) or that speak of our own doing (SIGCHLD) do not
// get here.
func policyOf(sig os.Signal) signalPolicy {
	switch sig {
	case unix.SIGTERM:
		return firm
	case unix.SIGINT, unix.SIGQUIT:
		return polite
	case unix.SIGHUP:
		return hangUp
	case unix.SIGWINCH:
		return resize
	case unix.SIGPIPE:
		return unread
	default:
		return passOn
	}
}

// caught lists the signals that can be forwarded.
func caught() []os.Signal {
	return append([]os.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2,
		unix.SIGALRM, unix.SIGTSTP, unix.SIGWINCH,
		// Uncaught, our own write to a pipe whose reader left would end us.
		unix.SIGPIPE,
		unix.SIGABRT, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGIO, unix.SIGSEGV, unix.SIGSYS,
		unix.SIGTRAP, unix.SIGVTALRM, unix.SIGXCPU, unix.SIGXFSZ,
	}, systemSignals()...)
}

// catchIgnored catches what asks for an end and was ignored when this process was started,
// as it is for what a script starts behind itself: a command may have caught it all the
// same. It has inherited from its monitor by now that it is ignored.
func (r *run) catchIgnored() {
	if r.plan.direct {
		return // it is still to inherit that, from us
	}
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGQUIT} {
		if signal.Ignored(s) {
			r.ignored = append(r.ignored, s)
			signals.Take(r.incoming, s)
		}
	}
}

// policy is the table for this run: what was ignored is no wish of ours to act on,
// even where the command has heeded it: see [run.heed].
func (r *run) policy(s os.Signal) signalPolicy {
	if slices.Contains(r.ignored, s) {
		return passOn
	}
	return policyOf(s)
}

// wisher is who is behind a signal that asks for the end: the run that this one is part of,
// where that one's monitor has sent it, and else the user.
func (r *run) wisher(s os.Signal) lifecycle.StoppedBy {
	pid := signals.Sender(s)
	if r.cfg.ParentUID == "" || pid == 0 || !slices.Contains(proc.Ancestors(os.Getpid()), pid) {
		return lifecycle.StoppedByUser
	}
	if p, err := proc.Read(pid); err != nil || p.Name != monitor.ProcessName {
		return lifecycle.StoppedByUser // a shell in between does what the user has told it
	}
	return lifecycle.StoppedByParent
}

// signalsMost is how many signals may wait to be acted on.
const signalsMost = 64

// Catch has those signals wait that ask for an end, for a run that is still to be
// launched: see [Config]. They are let go of by nobody, as those of a run are.
func Catch() chan os.Signal {
	c := make(chan os.Signal, signalsMost)
	signals.Catch(c, []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM})
	return c
}

// sameWish is how soon after a signal that asks for the end the same again is the same wish:
// timeout(1) sends one to its child and one to its group, which is ours, some microseconds
// apart. Whoever has seen what the first one did takes longer.
const sameWish = 2 * time.Millisecond

// sift hands signals on, but for those that only say again what the last one said, whatever
// this run makes of them. It goes by when it gets them, which is at once: whoever acts on them
// may be waiting for something else.
func sift(c clock.Clock, from <-chan os.Signal, to chan<- os.Signal) {
	var last os.Signal
	var at time.Duration
	for s := range from {
		now := c.Now().Awake
		wish := policyOf(s).asks()
		if wish && s == last && now-at < sameWish {
			continue
		}
		if wish {
			last, at = s, now
		}
		select {
		case to <- s:
		default: // so many wait to be acted on
		}
	}
}

// number is the number of a signal.
func number(sig os.Signal) syscall.Signal {
	if s, ok := sig.(syscall.Signal); ok {
		return s
	}
	return 0
}
