package main

import (
	"context"
	"fmt"
	"os/exec"
)

// startUp measures what a wrapper adds to the shortest command there is.
func startUp(ctx context.Context, l *lab) ([]table, error) {
	truth, err := exec.LookPath("true")
	if err != nil {
		return nil, fmt.Errorf("find true: %w", err)
	}
	peers := l.all()
	for _, p := range l.ocr("--no-monitor") {
		peers = append(peers, peer{loneName, p.wrap})
	}
	warm := func(ctx context.Context, p peer) ([]float64, error) { return l.timeOnTerminal(ctx, p, truth) }
	if _, _, err := l.rounds(ctx, 5, peers, warm); err != nil {
		return nil, err
	}
	n := pick(l.quick, 20, 100)
	onTerminal, notes, err := l.rounds(ctx, n, peers, warm)
	first := startTable("start", fmt.Sprintf("Time added to /bin/true on a terminal (ms, %d rounds)", n), peers, onTerminal)
	first.Notes = notes
	first.Gates = []gate{
		atMost("start on a terminal, of what sudo adds", added(onTerminal, ocrName)/added(onTerminal, sudoName), 1.4),
		atMost("start on a terminal, of what script adds", added(onTerminal, ocrName)/added(onTerminal, scriptName), 0.5),
	}
	if err != nil {
		return []table{first}, err
	}
	detached, notes, err := l.rounds(ctx, n, peers, func(ctx context.Context, p peer) ([]float64, error) { return l.timeDetached(ctx, p, truth) })
	second := startTable("start-nopty", fmt.Sprintf("Time added to /bin/true with /dev/null on every descriptor (ms, %d rounds)", n), peers, detached)
	second.Notes = notes
	return []table{first, second}, err
}

// timeOnTerminal runs a command through a peer on a terminal.
func (l *lab) timeOnTerminal(ctx context.Context, p peer, command ...string) ([]float64, error) {
	t, err := l.start(ctx, p.wrap(command), launch{})
	if err != nil {
		return nil, err
	}
	elapsed, err := t.wait()
	return []float64{elapsed, cpuMS(t.cmd)}, err
}

// timeDetached runs a command through a peer without any terminal.
func (l *lab) timeDetached(ctx context.Context, p peer, command ...string) ([]float64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, runLimit, errHung)
	defer cancel()
	cmd := l.command(ctx, p.wrap(command))
	cmd.SysProcAttr = ownSession()
	began := monotonic()
	err := cmd.Run()
	elapsed := millisSince(began)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return []float64{elapsed, cpuMS(cmd)}, err
}

// cpuMS is what a run and all it waited for have used: unlike the wall time,
// other people's load hardly changes it.
func cpuMS(cmd *exec.Cmd) float64 {
	if cmd.ProcessState == nil {
		return 0
	}
	return float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / 1e6
}

// added is what a peer's median adds to the bare one.
func added(r results, name string) number { return r.median(name, 0) - r.median(bareName, 0) }

// startTable shows every peer beside the two references.
func startTable(name, title string, peers []peer, r results) table {
	t := table{Name: name, Title: title, Columns: []string{"median", "min", "p90", "added", "of sudo's", "of script's", "CPU"}}
	for _, p := range peers {
		plus := added(r, p.name)
		t.Rows = append(t.Rows, row{p.name, []number{
			r.median(p.name, 0), r.percentile(p.name, 0, 0), r.percentile(p.name, 0, 90),
			plus, plus / added(r, sudoName), plus / added(r, scriptName), r.median(p.name, 1),
		}})
	}
	return t
}
