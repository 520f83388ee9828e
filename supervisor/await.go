package supervisor

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// errCalledOff is a run that was asked to end before its launch had come about.
var errCalledOff = errors.New("called off before its launch")

// waitLook is how often a waiting run looks at the wall clock, in awake time: the
// clock may be set meanwhile, and a machine may sleep past the time.
const waitLook = 10 * time.Second

// wait lets the time of the launch come. Meanwhile the run stands announced, with
// its lease and its heartbeat, for everybody to see. It is false when the run was
// asked to end instead. There is nothing to wait with where there is nothing to execute.
func (r *run) wait(ctx context.Context) bool {
	if r.cfg.NotBefore.IsZero() || r.cfg.Missing != nil {
		return true
	}
	r.began = r.cfg.Clock.Now()
	signals.Catch(r.incoming, caught())
	if r.cfg.StateDir != "" {
		r.takeLease()
	}
	r.writeIntent(ctx)
	r.heart = heartbeat.New(r.heartConfig())
	r.heart.Start()
	come := r.bide(ctx)
	r.stopBeating(ctx)
	r.heart = nil // what the command ran for is another's to count
	return come
}

// bide waits for the wall clock to reach the time, or for a wish that the run end.
func (r *run) bide(ctx context.Context) bool {
	for r.stop.by == lifecycle.StoppedByNobody {
		left := r.cfg.NotBefore.Sub(r.cfg.Clock.Now().Wall)
		if left <= 0 {
			return true
		}
		look := time.NewTimer(min(left, waitLook))
		select {
		case <-look.C:
		case s := <-r.sigs:
			r.calledOff(s)
		case a := <-r.wants:
			r.stop.by = a.StopRequested
			if a.Fenced {
				r.stop.by = lifecycle.StoppedByFenced
			}
		case <-ctx.Done():
			r.stop.by = lifecycle.StoppedByParent
		}
		look.Stop()
	}
	return false
}

// calledOff acts on a signal to a run that waits. What is meant for the command has
// nobody to go to.
func (r *run) calledOff(s os.Signal) {
	switch r.policy(s) {
	case polite, firm:
		r.stop.by, r.stop.signal = r.wisher(s), number(s)
	case hangUp:
		if r.cfg.OnHangup != HangupKeep && !signal.Ignored(unix.SIGHUP) {
			r.stop.by, r.stop.signal = lifecycle.StoppedByTerminal, unix.SIGHUP
		}
	case passOn:
		// The kernel stops no orphaned group for a key: nobody would ever wake it.
		if s == unix.SIGTSTP && !orphanedGroup() {
			r.stopSelf(unix.SIGTSTP, 0)
			r.heart.Resumed()
		}
	case resize, unread:
	}
}

// launchLook is how often a run whose command does not come up looks whether it is
// still to. It takes some milliseconds, but from a file system that does not answer.
const launchLook = 100 * time.Millisecond

// comesUp waits for the monitor to say what became of the launch. It is false when the
// run was asked to end instead.
func (r *run) comesUp(ctx context.Context) bool {
	for !r.wire.Await(int(launchLook.Milliseconds())) {
		if r.unwanted(ctx) {
			return false
		}
	}
	return true
}

// isWritten waits for the run to be written down, which takes as long as others keep the
// ledger from us. It is false as above.
func (r *run) isWritten(ctx context.Context) bool { return r.comesFirst(ctx, r.recorded) }

// comesFirst waits for something to be done. It is false when the run was asked to end before.
func (r *run) comesFirst(ctx context.Context, done <-chan struct{}) bool {
	for {
		look := time.NewTimer(launchLook)
		select {
		case <-done:
			look.Stop()
			return true
		case <-look.C:
		}
		if r.unwanted(ctx) {
			return false
		}
	}
}

// unwanted says whether a run that is not launched yet was asked to end. What else is
// meant for the command waits until there is one; a wish for one that runs already, too.
func (r *run) unwanted(ctx context.Context) bool {
	var later []os.Signal
	for range len(r.sigs) {
		s := <-r.sigs
		if p := r.policy(s); p.asks() || p == hangUp {
			r.calledOff(s)
		}
		later = append(later, s)
	}
	switch {
	case r.stop.by == lifecycle.StoppedByTerminal && (r.tty == nil || !r.tty.Gone()):
		r.stop.by = lifecycle.StoppedByUser // there is no command yet to which it could mean something else
	case r.pressed.Load() != 0:
		r.stop.by, r.stop.signal = lifecycle.StoppedByUser, unix.SIGINT
	case ctx.Err() != nil && r.stop.by == lifecycle.StoppedByNobody:
		r.stop.by = lifecycle.StoppedByParent
	}
	if r.stop.by != lifecycle.StoppedByNobody && r.inTime() {
		return true
	}
	r.stop = stopState{}
	for _, s := range later {
		select {
		case r.sigs <- s:
		default: // so many have come meanwhile
		}
	}
	return false
}

// inTime says whether a wish comes before the command runs, which then it never will.
// Where the order to let it go is out, the monitor must have said nothing yet: who has
// seen anything of the command wishes later than that.
func (r *run) inTime() bool {
	return r.decided.CompareAndSwap(false, true) || !r.wire.Await(0)
}

// callOff gives up a launch that does not come about: its monitor ends and, should it
// have begun to start the command, that too.
func (r *run) callOff(ctx context.Context) {
	if !r.plan.direct {
		r.killMonitor()
	}
	<-r.recorded
	r.takeOver(ctx)
	r.launchErr = errCalledOff
}

// stillborn explains a monitor that cannot be told anything. Until it has a session of its
// own it is where we are, and a key that ends all that is there ends it before it can be
// heard of by us: the run was called off by that.
func (r *run) stillborn(trouble error) error {
	if r.plan.direct {
		return trouble
	}
	_ = unix.Kill(r.monitor, unix.SIGKILL)
	var ws unix.WaitStatus
	if _, err := unix.Wait4(r.monitor, &ws, 0, nil); err != nil || !ws.Signaled() || !policyOf(ws.Signal()).asks() {
		return trouble
	}
	r.stop.by, r.stop.signal = lifecycle.StoppedByUser, ws.Signal()
	r.launchErr = errCalledOff
	return nil
}

// killMonitor ends the monitor and waits for that, in vain if it is in an
// uninterruptible sleep.
func (r *run) killMonitor() {
	_ = unix.Kill(r.monitor, unix.SIGKILL)
	for r.wire.Await(int(monitor.UnkillableWait.Milliseconds())) {
		if _, err := r.wire.Receive(); err != nil {
			_, _ = unix.Wait4(r.monitor, nil, 0, nil)
			return
		}
	}
}
