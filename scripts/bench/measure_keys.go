package main

import (
	"context"
	"fmt"
)

// Keystrokes per round, and how many are thrown away before them.
const (
	keystrokes = 2000
	keysToWarm = 200
)

// keys measures the round trip of a keystroke through a program that echoes it.
func keys(ctx context.Context, l *lab) ([]table, error) {
	peers := l.all()
	n := pick(l.quick, 3, 9)
	r, notes, err := l.rounds(ctx, n, peers, l.echo)
	t := table{
		Name: "keys", Title: fmt.Sprintf("Round trip of a keystroke (µs; %d rounds of %d keys)", n, keystrokes),
		Columns: []string{"median", "min", "p99", "of the C loop"}, Notes: notes,
	}
	for _, p := range peers {
		t.Rows = append(t.Rows, row{p.name, []number{
			r.median(p.name, 0), r.percentile(p.name, 0, 0), r.median(p.name, 1), r.median(p.name, 0) / r.median(pollName, 0),
		}})
	}
	t.Gates = []gate{atMost("key round trip, of the C poll loop's", r.median(ocrName, 0)/r.median(pollName, 0), 1.15)}
	return []table{t}, err
}

// echo types keys one by one and waits for each to come back; it returns the
// median and the 99th percentile in microseconds.
func (l *lab) echo(ctx context.Context, p peer) ([]float64, error) {
	t, err := l.start(ctx, p.wrap([]string{"/bin/sh", "-c", "stty raw -echo; printf ready; exec cat"}), launch{})
	if err != nil {
		return nil, err
	}
	defer t.abandon()
	if err := t.expect("ready"); err != nil {
		return nil, err
	}
	samples := make([]float64, 0, keystrokes)
	buf := make([]byte, 64)
	for i := range keysToWarm + keystrokes {
		pressed := monotonic()
		if err := t.press('k'); err != nil {
			return nil, err
		}
		if n, err := t.read(buf); err != nil || n != 1 || buf[0] != 'k' {
			return nil, fmt.Errorf("keystroke %d came back as %q: %w", i, buf[:n], t.verdictOr(err))
		}
		if i >= keysToWarm {
			samples = append(samples, millisSince(pressed)*1000)
		}
	}
	return []float64{float64(percentile(samples, 50)), float64(percentile(samples, 99))}, nil
}
