package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/supervisor"
)

// healPolicy says when connections are ended for the agent's good.
type healPolicy string

// awakePolicy says when the machine is kept awake.
type awakePolicy string

// The policies. The first of each is the default.
const (
	healNever      healPolicy  = "never"
	healAfterSleep healPolicy  = "after-sleep"
	awakeNever     awakePolicy = "never"
	awakeWorking   awakePolicy = "working"
)

// watchOptions is what the flags say about a run that does not get on.
type watchOptions struct {
	// idle and stall are awake times; 0 means never.
	idle, stall time.Duration
	// stopIdle, stopStalled and stopRunaway end the run over it.
	stopIdle, stopStalled, stopRunaway bool
	// heal and awake are never empty.
	heal  healPolicy
	awake awakePolicy
}

// parseWatchOptions reads those flags.
func parseWatchOptions(p *flagReader) watchOptions {
	o := watchOptions{
		idle: p.duration("idle-timeout", leastWatched), stall: p.duration("stall-timeout", leastWatched),
		stopIdle: p.flags.Bool("stop-idle"), stopStalled: p.flags.Bool("stop-stalled"), stopRunaway: p.flags.Bool("stop-runaway"),
		heal: oneOf(p, "heal", healNever, healAfterSleep), awake: oneOf(p, "awake", awakeNever, awakeWorking),
	}
	switch {
	case o.stopIdle && o.idle == 0:
		p.refuse("stop-idle", "needs --idle-timeout")
	case o.stopStalled && o.stall == 0:
		p.refuse("stop-stalled", "needs --stall-timeout")
	}
	return o
}

// leastWatched is the shortest time that can be watched for.
const leastWatched = 100 * time.Millisecond

// watching is what the run is watched for, and by whom.
func (w *wrapping) watching(ctx context.Context) supervisor.Watching {
	o := w.opts
	s := supervisor.Watching{
		Idle: o.idle, Stall: o.stall, StopIdle: o.stopIdle, StopStalled: o.stopStalled, StopRunaway: o.stopRunaway,
		StayAwake: o.awake == awakeWorking,
	}
	if !o.quiet && term.IsTerminal(int(w.env.stderr.Fd())) {
		// The user's terminal may be raw.
		s.Warn = func(line string) { _, _ = fmt.Fprintf(w.env.stderr, "\r%s: %s\r\n", program, line) }
	}
	s.Progress = func() supervisor.Progress {
		var p supervisor.Progress
		if w.witness != nil {
			p = w.progress(ctx)
		}
		p.Steps += w.host.moved()
		return p
	}
	if w.witness != nil {
		s.Heard = w.heard
		s.Patience = w.witness.agent.Patience
		s.HealAfterSleep = o.heal == healAfterSleep && w.witness.agent.Retries
	}
	return s
}
