package reaper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// ChildState is how a child of a cancelled flow took it.
type ChildState string

// The states.
const (
	// ChildWoken: its wrapper was told at once.
	ChildWoken ChildState = "woken"
	// ChildAsked: its wrapper learns of it at its next beat.
	ChildAsked ChildState = "asked"
	// ChildEnded: it ended while the others were told, having seen the wish itself.
	ChildEnded ChildState = "ended"
	// ChildSettled: its wrapper was dead, and its row has its end now.
	ChildSettled ChildState = "settled"
	// ChildUnreachable: it runs on another machine, in another boot or in a pid
	// namespace that cannot be seen, and its wrapper learns of it when it next looks.
	ChildUnreachable ChildState = "unreachable"
)

// ChildStep is what was done about one child.
type ChildStep struct {
	UID   string
	State ChildState
}

// FlowCancelled is the answer to a request to cancel a flow.
type FlowCancelled struct {
	Result lifecycle.FlowCancelResult
	// Refused is why nothing was done; empty when it was.
	Refused lifecycle.FlowRefusal
	// Flow is the flow as it is now; zero when there is none.
	Flow store.Flow
	// Asked: it had been asked to end before.
	Asked bool
	// Children are those that had not ended.
	Children []ChildStep
	// Processes are those of dead children, and what became of them.
	Processes []ProcessStep
}

// CancelFlow ends a flow: the wish is written down first, with what it asks of
// every child, and then each child is dealt with as [Cancel] would. The flow is
// cancelled with the end of its last child, whoever writes that. A flow that has
// ended is swept for live children all the same. Trouble with one child leaves the
// others alone, and the answer as it is.
func CancelFlow(ctx context.Context, c Config, ask store.FlowCancel) (out FlowCancelled, err error) {
	written, err := c.Ledger.CancelFlow(ctx, ask)
	out.Flow, out.Refused, out.Asked = written.Flow, written.Refused, written.Asked
	if err != nil || out.Refused != "" {
		out.Result = lifecycle.CancelResultOf(out.Refused, false, false, 0)
		return out, err
	}
	// What is written down holds, whatever becomes of us: what follows only makes
	// it happen sooner.
	children, err := c.Ledger.FlowExecutions(ctx, ask.ID)
	failures := []error{err}
	var dead []string
	for _, e := range children {
		if e.Process.End.Over() {
			continue
		}
		step, err := cancelChild(ctx, c, e, slices.Contains(written.Stopping, e.UID))
		out.Children, failures = append(out.Children, step), append(failures, err)
		if step.State == ChildSettled {
			dead = append(dead, e.UID)
		}
	}
	if len(dead) > 0 {
		out.Processes, err = tidyUp(ctx, c, dead...)
		failures = append(failures, err)
	}
	err = errors.Join(append(failures, out.look(ctx, c, written.Before))...)
	return out, err
}

// look reads the flow again and says what it came to.
func (f *FlowCancelled) look(ctx context.Context, c Config, before bool) error {
	now, err := c.Ledger.Flow(ctx, f.Flow.ID)
	if err == nil {
		f.Flow = now
	}
	// With children that had to be stopped, it was not all over before.
	before = before && len(f.Children) == 0
	f.Result = lifecycle.CancelResultOf("", before, f.Flow.Status.Closed(), f.Flow.Live())
	return err
}

// cancelChild settles the child of a dead wrapper, or wakes the wrapper, unless it
// was asked before: to a wrapper the second wish is the decisive one.
func cancelChild(ctx context.Context, c Config, e store.Execution, first bool) (ChildStep, error) {
	over, settled, err := settleIfDead(ctx, c, e.UID)
	if err != nil {
		return ChildStep{e.UID, ChildAsked}, fmt.Errorf("execution %s: %w", e.UID, err)
	}
	at := c.Observe()
	switch {
	case settled:
		return ChildStep{e.UID, ChildSettled}, nil
	case over:
		return ChildStep{e.UID, ChildEnded}, nil
	case aliveOf(e.Wrapper, at) == heartbeat.Unknown:
		return ChildStep{e.UID, ChildUnreachable}, nil
	case first && wake(e, at):
		return ChildStep{e.UID, ChildWoken}, nil
	default:
		return ChildStep{e.UID, ChildAsked}, nil
	}
}

// AwaitFlow waits until a flow has ended and nothing of it runs, or ctx ends.
// Children whose wrappers die meanwhile are settled.
func AwaitFlow(ctx context.Context, c Config, id string) (store.Flow, error) {
	for pause := awaitFirst; ; pause = min(2*pause, awaitLast) {
		f, err := c.Ledger.Flow(ctx, id)
		if err == nil && f.Status.Closed() && f.Live() == 0 {
			return f, nil
		}
		if err == nil && pause == awaitLast {
			_, err = Settle(ctx, c.Ledger, c.spoolDir(), c.Observe())
		}
		if err != nil && !errors.Is(err, store.ErrBusy) {
			return f, err
		}
		if err := c.pause(ctx, pause); err != nil {
			return f, fmt.Errorf("await the end of flow %s: %w", id, err)
		}
	}
}
