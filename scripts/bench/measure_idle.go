package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// sleeper is the child of everything that idles.
const sleeper = "sleep"

// usage is what the processes of one wrapper hold and have used, without the
// wrapped command.
type usage struct {
	processes, threads int
	// Sums over the processes: the highest resident size since the last look,
	// the present one, its anonymous part, and the proportional share.
	peakMB, residentMB, anonMB, shareMB float64
	switches, cpuMS                     float64
}

// idle measures what a wrapper costs while its command does nothing: all peers
// side by side, each around a sleep.
func idle(ctx context.Context, l *lab) ([]table, error) {
	// Beats are not alike: a shorter time would multiply the one in four that is long.
	const watch = time.Minute
	t := table{
		Name: "idle", Title: fmt.Sprintf("Around a sleeping command, for %v (ocr-run beating every 15 s)", watch),
		Columns: []string{"processes", "threads", "start peak MB", "idle peak MB", "RSS MB", "PSS MB", "anon MB", "switches/min", "CPU ms/min"},
	}
	peers := l.all("--heartbeat", "15s")[1:] // bare has no wrapper
	running := map[string]*terminal{}
	defer func() {
		for _, r := range running {
			r.abandon()
		}
	}()
	for _, p := range peers {
		r, err := l.start(ctx, p.wrap([]string{sleeper, "86399"}), launch{limit: time.Hour})
		if err != nil {
			t.Notes = append(t.Notes, fmt.Sprintf("%s failed: %v", p.name, err))
			continue
		}
		running[p.name] = r
	}
	// By then start-up is over, the first beat included, which reads its part of the
	// program back in.
	if err := wait(ctx, 17*time.Second); err != nil {
		return nil, err
	}
	before := t.observe(running)
	began := monotonic()
	if err := wait(ctx, watch); err != nil {
		return nil, err
	}
	after := t.observe(running)
	minutes := millisSince(began) / 60_000
	for _, p := range peers {
		u, ok := after[p.name]
		if !ok {
			continue
		}
		t.Rows = append(t.Rows, row{p.name, []number{
			number(u.processes), number(u.threads), number(before[p.name].peakMB), number(u.peakMB), number(u.residentMB), number(u.shareMB), number(u.anonMB),
			number((u.switches - before[p.name].switches) / minutes), number((u.cpuMS - before[p.name].cpuMS) / minutes),
		}})
	}
	ours := t.values(ocrName)
	t.Gates = []gate{
		atMost("peak memory of wrapper and monitor while the command idles, MB", ours[3], 12),
		atMost("context switches a minute, idle", ours[7], 60),
		atMost("CPU, idle, ms a minute", ours[8], 10),
	}
	return []table{t}, nil
}

// values is a peer's row, or all missing.
func (t *table) values(name string) []number {
	for _, r := range t.Rows {
		if r.Peer == name {
			return r.Values
		}
	}
	none := make([]number, len(t.Columns))
	for i := range none {
		none[i] = missing()
	}
	return none
}

// observe reads the usage of every wrapper and begins a new peak; one that
// cannot be read is noted.
func (t *table) observe(running map[string]*terminal) map[string]usage {
	all := map[string]usage{}
	for name, r := range running {
		u, err := wrapperUsage(r.cmd.Process.Pid)
		if err != nil {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		all[name] = u
	}
	return all
}

// wrapperUsage reads the processes between the bench and the sleeping command.
func wrapperUsage(pid int) (usage, error) {
	tree := []process{{pid: pid, parent: os.Getpid()}}
	var commands int
	for _, p := range below(pid) {
		if p.name == sleeper {
			commands++
			continue
		}
		tree = append(tree, p)
	}
	if commands != 1 {
		return usage{}, fmt.Errorf("%d sleeping commands below it, not one", commands)
	}
	return readUsage(tree)
}
