package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// floodedBytes is how much must have come through before ^C is pressed.
const floodedBytes = 1 << 20

// interrupt measures how soon ^C ends a program that floods the terminal.
func interrupt(ctx context.Context, l *lab) ([]table, error) {
	yes, err := exec.LookPath("yes")
	if err != nil {
		return nil, fmt.Errorf("find yes: %w", err)
	}
	peers := l.all()
	n := pick(l.quick, 15, 21)
	r, notes, err := l.rounds(ctx, n, peers, func(ctx context.Context, p peer) ([]float64, error) { return l.stopFlood(ctx, p, yes) })
	t := table{
		Name: "interrupt", Title: fmt.Sprintf("^C under a flood: from the key to the wrapper's exit (ms, %d rounds)", n),
		Columns: []string{"median", "min", "p90", "KB after the key"}, Notes: notes,
	}
	for _, p := range peers {
		t.Rows = append(t.Rows, row{p.name, []number{
			r.median(p.name, 0), r.percentile(p.name, 0, 0), r.percentile(p.name, 0, 90), r.median(p.name, 1) / 1024,
		}})
	}
	t.Gates = []gate{atMost("^C under a flood, ms", r.median(ocrName, 0), 5)}
	return []table{t}, err
}

// stopFlood lets yes run, presses ^C and returns the milliseconds until the
// run has ended and the bytes that still came.
func (l *lab) stopFlood(ctx context.Context, p peer, yes string) ([]float64, error) {
	t, err := l.start(ctx, p.wrap([]string{yes}), launch{limit: 20 * time.Second})
	if err != nil {
		return nil, err
	}
	drained := make(chan struct{})
	go func() { t.drain(); close(drained) }()
	for t.seen.Load() < floodedBytes && t.ctx.Err() == nil {
		_ = wait(t.ctx, time.Millisecond)
	}
	before, pressed := t.seen.Load(), monotonic()
	err = t.press(0x03)
	exit := t.cmd.Wait() // every peer ends with an error here: that is the point
	elapsed := millisSince(pressed)
	hung := t.ctx.Err() != nil
	t.release(drained)
	if hung {
		return nil, errors.Join(context.Cause(t.ctx), exit)
	}
	return []float64{elapsed, float64(t.seen.Load() - before)}, err
}
