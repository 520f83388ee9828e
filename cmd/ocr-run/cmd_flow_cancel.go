package main

import (
	"context"
	"errors"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
)

// flowCancelVerb ends a flow with everything that runs in it.
func flowCancelVerb() verb {
	return verb{
		name:     "flow cancel",
		operands: "[FLOW]",
		brief:    "end a flow and everything that runs in it",
		about: `Ends a flow: the wish is written down first, whatever else happens to the flow
at that moment; nothing takes it back, and nothing is run in the flow from then
on. Then its runs are ended as "ocr-run cancel" would. The flow is cancelled with
the end of the last of them, without anybody waiting for it. Runs of a flow that
has ended are ended all the same. Without FLOW the flow is meant that this run is
part of. What came of it:
  settled            it is cancelled, and nothing of it runs
  accepted           runs of it are about to end; --wait waits for that
  already_terminal   it had ended before, and nothing of it ran
  not_found          no flow answers to FLOW
  refused            it belongs to somebody else, or is no flow`,
		most: 1,
		flags: []flagSpec{
			reasonSpec(),
			ownerSpec(),
			{name: "wait", usage: "wait until nothing of it runs"},
			{name: "timeout", value: "DURATION", usage: "with --wait: how long to wait at most (default for ever)"},
			jsonSpec(),
		},
		exits: []exitLine{
			{exitOK, "settled, accepted or already_terminal"},
			{exitError, "the ledger cannot be written, or something of a run could not be stopped"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several flows answer to FLOW; some of them are named"},
			{exitNotFound, "not_found: no flow answers to FLOW"},
			{exitInvariant, "refused"},
			{exitBusy, "another process keeps the ledger locked, or a sweep does not end"},
			{exitTimedOut, "the timeout was over before everything had ended"},
			{exitInterrupted, "cut short by INT (HUP: 129, TERM: 143); the wish is written down"},
		},
		examples: []string{"ocr-run flow cancel nightly", "ocr-run flow cancel nightly --wait --timeout 1m --json | jq -r .result"},
		run:      runFlowCancel,
	}
}

// runFlowCancel cancels and prints what came of it.
func runFlowCancel(ctx context.Context, c call) error {
	p := flagReader{flags: c.flags}
	timeout := p.duration("timeout", time.Millisecond)
	ask := store.FlowCancel{Owner: p.label("owner"), Detail: p.label("reason"), UID: c.get(envRunUID), At: c.now()}
	if timeout > 0 && !c.flags.Bool("wait") {
		p.refuse("timeout", "needs --wait")
	}
	if p.err != nil {
		return c.usage("%w", p.err)
	}
	missing := render.FlowCancelled{
		SchemaVersion: render.SchemaVersion, Result: string(lifecycle.FlowCancelNotFound), Reason: notFoundReason(),
		Runs: []render.FlowStopping{}, Processes: []render.OwnedProcess{},
	}
	return c.inFlow(ctx, c.operand(), missing, func(l *store.Ledger, id string) error {
		ask.ID = id
		return c.cancelFlow(ctx, l, ask, timeout)
	})
}

// cancelFlow ends a flow that is there.
func (c call) cancelFlow(ctx context.Context, l *store.Ledger, ask store.FlowCancel, timeout time.Duration) error {
	cfg, err := c.reaping(l)
	if err != nil {
		return err
	}
	cfg.Patience = timeout
	waiting, stop := within(ctx, timeout)
	defer stop()
	var done reaper.FlowCancelled
	var trouble error
	owed := heeding(ctx, func(ctx context.Context) { done, trouble = reaper.CancelFlow(ctx, cfg, ask) })
	if trouble != nil && done.Refused != "" {
		return errors.Join(owed, c.failed(trouble))
	}
	late := c.overdue(trouble)
	if owed == nil && done.Result == lifecycle.FlowCancelAccepted && c.flags.Bool("wait") {
		// What was late already stays so, whatever else has ended.
		if err := awaitFlow(waiting, cfg, ask.ID, &done.Flow); err == nil {
			done.Result = lifecycle.FlowCancelSettled
		} else if late == nil {
			late = err
		}
	}
	if err := c.printFlowCancelled(ctx, l, ask.ID, done); err != nil {
		return err
	}
	if done.Result == lifecycle.FlowCancelAccepted && errors.Is(late, context.DeadlineExceeded) {
		c.note("%s: runs of flow %s have not ended within %s", c.verb, ask.ID, timeout)
	}
	return c.cancelEnd(owed, late, trouble, done.Processes)
}

// awaitFlow waits until nothing of a flow runs, and reads the flow as it is then.
func awaitFlow(ctx context.Context, cfg reaper.Config, id string, f *store.Flow) error {
	now, err := reaper.AwaitFlow(ctx, cfg, id)
	if now.ID != "" {
		*f = now
	}
	return err
}

// printFlowCancelled prints the answer as JSON or for a person.
func (c call) printFlowCancelled(ctx context.Context, l *store.Ledger, id string, done reaper.FlowCancelled) error {
	var refusal error
	if done.Refused != "" {
		refusal = c.flowRefused(id, done.Flow, done.Refused, nil)
	}
	if refusal != nil && !c.flags.Bool("json") {
		return refusal
	}
	flow, err := c.flowView(ctx, l, done.Flow)
	if err != nil {
		return err
	}
	view := render.FlowCancelled{
		Result: string(done.Result), Reason: render.OrNull(string(done.Refused)), Asked: done.Asked, Flow: flow,
		Processes: processViews(done.Processes),
	}
	for _, child := range done.Children {
		view.Runs = append(view.Runs, render.FlowStopping{UID: child.UID, State: string(child.State)})
	}
	if !c.flags.Bool("json") {
		return c.printText(render.FlowCancelledText(c.style(), view))
	}
	b, err := render.FlowCancelledJSON(view)
	if err == nil {
		err = c.print(b)
	}
	return errors.Join(refusal, err)
}
