package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
)

// answered is the exit code of a verb that has said everything already.
type answered int

// Error is for nobody: it is never printed.
func (a answered) Error() string { return "exit code " + strconv.Itoa(int(a)) }

// answeredCode is the exit code in an error that is none.
func answeredCode(err error) (code int, ok bool) {
	a, ok := errors.AsType[answered](err)
	return int(a), ok
}

// reaping is what the reaper works on here.
func (c call) reaping(l *store.Ledger) (reaper.Config, error) {
	dir, err := c.stateDir()
	if err != nil {
		return reaper.Config{}, &verbError{thing: c.verb, err: err}
	}
	return reaper.Config{
		Ledger: l, StateDir: dir, Observe: c.observer,
		Waits: func(held *reaper.HeldError) { c.note("%s: waiting: %s", c.verb, held) },
	}, nil
}

// within is ctx until a timeout is over, which begins now; 0 means never.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// overdue is the error of a cancel whose timeout was over while it waited for another
// sweep, nil for any other.
func (c call) overdue(trouble error) error {
	if !errors.Is(trouble, context.DeadlineExceeded) {
		return nil
	}
	c.note("%s: %s", c.verb, trouble)
	return trouble
}

// openExisting opens the ledger for a verb that writes to what is there; nil when
// neither a ledger nor facts for one are.
func (c call) openExisting(ctx context.Context) (*store.Ledger, error) {
	if c.nothingRecorded() {
		return nil, nil //nolint:nilnil // no ledger is an answer, and not an error
	}
	return c.openLedger(ctx)
}

// named says whether a uid begins or ends with a name.
func named(uid, name string) bool {
	return strings.HasPrefix(uid, name) || strings.HasSuffix(uid, name)
}

// processViews are processes as the JSON contract shows them.
func processViews(steps []reaper.ProcessStep) []render.OwnedProcess {
	views := make([]render.OwnedProcess, 0, len(steps))
	for _, s := range steps {
		v := render.OwnedProcess{
			PID: s.Process.PID, UID: s.UID, Command: s.Command, Action: string(s.Verdict), Reason: s.Reason,
			Done: s.Done, Signal: render.OrNull(s.Signal),
		}
		for _, p := range s.Proofs {
			v.Proofs = append(v.Proofs, string(p))
		}
		views = append(views, v)
	}
	return views
}
