package reaper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// CancelState is what came of a request to cancel a run.
type CancelState string

// The states.
const (
	// CancelSettled: the run has ended.
	CancelSettled CancelState = "settled"
	// CancelAccepted: the run lives, and its wrapper is to end it.
	CancelAccepted CancelState = "accepted"
	// CancelTerminal: the run had ended before.
	CancelTerminal CancelState = "already_terminal"
)

// Cancelled is the answer to a request to cancel a run.
type Cancelled struct {
	State CancelState
	// Asked: the run had been asked to end before.
	Asked bool
	// Woken: its wrapper was told at once; otherwise it learns at its next beat.
	Woken bool
	// Processes are those of the run that nobody looked after, and what became of
	// them.
	Processes []ProcessStep
}

// Cancel asks a run to end. The wish is written down first, where nothing takes it
// back. A wrapper that lives is told at once and stops its command itself, with
// all it knows about it. The row of a dead one is settled, and what is left of the
// run is stopped by the same rules as in a sweep; so is what is left of a run that
// had ended. An unknown uid is store.ErrNotFound.
func Cancel(ctx context.Context, c Config, uid string) (Cancelled, error) {
	e, err := c.Ledger.Execution(ctx, uid)
	if err != nil {
		return Cancelled{}, err
	}
	var out Cancelled
	out.Asked = e.StopRequested != lifecycle.StoppedByNobody
	if e.Process.End.Over() {
		out.State = CancelTerminal
	} else {
		if _, err := c.Ledger.RequestStop(ctx, uid, lifecycle.StoppedByUser, c.Observe().Now); err != nil {
			return out, err
		}
		out.State = CancelAccepted
		if over, _, err := settleIfDead(ctx, c, uid); err != nil {
			return out, err
		} else if over {
			out.State = CancelSettled
		}
	}
	if out.State == CancelAccepted {
		out.Woken = !out.Asked && wake(e, c.Observe())
		return out, nil
	}
	out.Processes, err = tidyUp(ctx, c, uid)
	return out, err
}

// settleIfDead settles a run whose wrapper is dead, and says whether the run is
// over, and whether it was this that settled it.
func settleIfDead(ctx context.Context, c Config, uid string) (over, settled bool, err error) {
	e, err := c.Ledger.Execution(ctx, uid)
	if err != nil {
		return false, false, err
	}
	at := c.Observe()
	e, dead, err := lastWord(ctx, c.Ledger, c.spoolDir(), e, at)
	if err != nil || !dead {
		return err == nil && e.Process.End.Over(), false, err
	}
	var r Report
	err = settle(ctx, c.Ledger, e, at, &r)
	return err == nil, err == nil, err
}

// wake has a wrapper act now on the wish of its user that is written down, instead
// of at its next beat. To a wrapper TERM is that same wish. One that is suspended
// would wait with it until it is set going.
func wake(e store.Execution, at heartbeat.Observer) bool {
	pid, start := whereIs(e.Wrapper, at).pid, e.Wrapper.StartTicks
	if pid == 0 || proc.Signal(pid, start, unix.SIGTERM) != nil {
		return false
	}
	if p, err := proc.Read(pid); err == nil && p.Start == start && p.State == 'T' {
		_ = proc.Signal(pid, start, unix.SIGCONT)
	}
	return true
}

// Pauses between two looks at a run that is to end grow from the first to the
// last: most obey within a moment.
const (
	awaitFirst = 10 * time.Millisecond
	awaitLast  = 250 * time.Millisecond
)

// Await waits until a run is over, or ctx ends. Should its wrapper die meanwhile,
// the row is settled.
func Await(ctx context.Context, c Config, uid string) error {
	for pause := awaitFirst; ; pause = min(2*pause, awaitLast) {
		over, _, err := settleIfDead(ctx, c, uid)
		if over || err != nil && !errors.Is(err, store.ErrBusy) {
			return err
		}
		if err := c.pause(ctx, pause); err != nil {
			return fmt.Errorf("await the end of execution %s: %w", uid, err)
		}
	}
}

// tidyUp stops what is left of runs that are over, if nobody looks after them at
// two looks a second apart. It does so as a sweep, the only one at that time: two
// would let go what the other one has halted.
func tidyUp(ctx context.Context, c Config, uids ...string) (found []ProcessStep, err error) {
	w := sweeping{Config: c, plan: Plan{At: c.Observe().Now}}
	first, err := sceneOf(ctx, c.Ledger, c.StateDir, c.Observe(), c.system())
	if err != nil {
		return nil, err
	}
	uids = slices.DeleteFunc(slices.Clone(uids), func(uid string) bool { return first.runs[uid] == nil || !first.runs[uid].left() })
	if len(uids) == 0 || len(of(first.processes(), uids...)) == 0 && len(first.restless()) == 0 {
		return nil, nil
	}
	unlock, err := w.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := w.secondLook(ctx); err != nil {
		return nil, err
	}
	second, err := sceneOf(ctx, c.Ledger, c.StateDir, c.Observe(), c.system())
	if err != nil {
		return nil, err
	}
	err = w.stopIn(ctx, second, func(r *run) bool { return slices.Contains(uids, r.UID) })
	return of(w.done.Processes, uids...), err
}

// sweepPatience is how long what is to be stopped now waits for a sweep under way: as
// long as that may take over stopping, and a little for the rest.
const sweepPatience = stopBound + 5*time.Second

// lock is [Lock], waited for. When it is the caller's patience that ends, the error
// says so as context.DeadlineExceeded.
func (w *sweeping) lock(ctx context.Context) (unlock func() error, err error) {
	most := sweepPatience
	if w.Patience > 0 {
		most = min(most, w.Patience)
	}
	for waited := time.Duration(0); ; waited += awaitLast {
		unlock, err = Lock(w.StateDir)
		held, busy := errors.AsType[*HeldError](err)
		switch {
		case !busy:
			return unlock, err
		case waited >= sweepPatience:
			return nil, err
		case waited >= most:
			return nil, fmt.Errorf("%w: %w", err, context.DeadlineExceeded)
		case waited == 0 && w.Waits != nil:
			w.Waits(held)
		}
		if err := w.pause(ctx, min(awaitLast, most-waited)); err != nil {
			return nil, fmt.Errorf("wait for another sweep: %w", err)
		}
	}
}

// of keeps the steps of some runs.
func of(steps []ProcessStep, uids ...string) (own []ProcessStep) {
	for _, step := range steps {
		if slices.Contains(uids, step.UID) {
			own = append(own, step)
		}
	}
	return own
}
