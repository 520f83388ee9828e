package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lab is everything the measurements share. It owns its directory and every
// process below the bench.
type lab struct {
	options

	// dir is the scratch directory and the working directory of every run; it
	// is outside any repository and is removed at the end.
	dir   string
	self  string
	env   []string
	peers []peer
	notes []string
	log   io.Writer
}

// newLab makes the scratch directory, builds or installs the peers and adopts
// orphans. On an error nothing is left behind.
func newLab(ctx context.Context, o options, log io.Writer) (*lab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the bench itself: %w", err)
	}
	dir, err := os.MkdirTemp("", "ocr-run-bench-")
	if err != nil {
		return nil, fmt.Errorf("make scratch directory: %w", err)
	}
	l := &lab{options: o, dir: dir, self: self, log: log}
	if l.env, err = environment(dir); err == nil {
		err = adoptOrphans()
	}
	if err == nil {
		err = l.findPeers(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// environment is what every run sees: nothing of an outer ocr-run, no
// configuration, and a plain sh so that nobody's start-up files are measured.
func environment(dir string) ([]string, error) {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "OCR_") || strings.HasPrefix(entry, "XDG_") || strings.HasPrefix(entry, "SHELL=")
	})
	for _, name := range []string{"runtime", "config", "cache"} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, fmt.Errorf("make %s directory: %w", name, err)
		}
		key := "XDG_" + strings.ToUpper(name) + "_HOME"
		if name == "runtime" {
			key = "XDG_RUNTIME_DIR"
		}
		env = append(env, key+"="+path)
	}
	return append(env, "SHELL=/bin/sh", "TERM=xterm-256color"), nil
}

// close removes every process and file of the bench.
func (l *lab) close() error {
	removeDescendants()
	return os.RemoveAll(l.dir)
}

// note records a sentence for the report.
func (l *lab) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
	l.progress(format, args...)
}

// progress tells whoever waits what is going on.
func (l *lab) progress(format string, args ...any) {
	fmt.Fprintf(l.log, "bench: "+format+"\n", args...)
}

// section runs one measurement on a machine as quiet as it gets, and afterwards
// names and removes what it left behind.
func (l *lab) section(ctx context.Context, m measurement) ([]table, error) {
	state := filepath.Join(l.dir, "state-"+m.name)
	if err := os.Mkdir(state, 0o700); err != nil {
		return nil, fmt.Errorf("make state directory: %w", err)
	}
	// A ledger of its own: rows of another section's killed wrappers are true
	// and in the way.
	l.env = append(l.env, "XDG_STATE_HOME="+state)
	busy := l.waitIdle(ctx)
	l.progress("%s (load %s)", m.name, loadAverage())
	tables, err := m.run(ctx, l)
	left := removeDescendants()
	l.sweep(ctx)
	if len(tables) == 0 {
		return nil, err
	}
	first := &tables[0]
	first.Load = loadAverage()
	if busy != "" {
		first.Notes = append(first.Notes, busy)
	}
	if len(left) > 0 && err == nil {
		first.Notes = append(first.Notes, "processes left behind and removed: "+strings.Join(left, ", "))
	}
	return tables, err
}

// sweepPatience bounds the sweep behind a section.
const sweepPatience = time.Minute

// sweep has ocr-run remove what runs leave that are killed outright: their control
// groups are no files of ours, and stay behind on the machine.
func (l *lab) sweep(ctx context.Context) {
	if l.ocrRun == "" {
		return
	}
	// What is interrupted tidies up as well.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepPatience)
	defer cancel()
	cmd := l.command(ctx, []string{l.ocrRun, "reap", "--yes", "--quiet"})
	if out, err := cmd.CombinedOutput(); err != nil {
		l.note("sweep up after killed runs: %s: %s", err, out)
	}
}

const (
	idleEnough   = 0.85
	idlePatience = 60
)

// waitIdle waits for a quiet second, at most a minute of them, and returns a
// sentence for the report when none came.
func (l *lab) waitIdle(ctx context.Context) string {
	var idle float64
	for range pick(l.quick, 5, idlePatience) {
		before, ok := cpuTimes()
		if !ok || wait(ctx, time.Second) != nil {
			return ""
		}
		after, _ := cpuTimes()
		if idle = after.idleSince(before); idle >= idleEnough {
			return ""
		}
	}
	return fmt.Sprintf("the machine was not idle (%.0f %% idle, load %s): compare ratios only, and those with care", idle*100, loadAverage())
}

// results are the samples of one measurement: by peer, then by metric.
type results map[string][][]float64

// maxFailures is how often a peer may fail before it is left out.
const maxFailures = 3

// rounds calls once for every peer in every round, in a random order. A peer
// that keeps failing is left out, with a sentence that says why; the bare
// command failing means the bench itself is broken.
func (l *lab) rounds(ctx context.Context, n int, peers []peer, once func(context.Context, peer) ([]float64, error)) (results, []string, error) {
	all := results{}
	failures := map[string]int{}
	var notes []string
	for range n {
		for _, i := range rand.Perm(len(peers)) {
			p := peers[i]
			if failures[p.name] >= maxFailures {
				continue
			}
			values, err := once(ctx, p)
			if ctx.Err() != nil {
				return all, notes, context.Cause(ctx)
			}
			if err != nil && p.name == bareName {
				return all, notes, fmt.Errorf("run %s: %w", p.name, err)
			}
			if err != nil {
				failures[p.name]++
				notes = append(notes, fmt.Sprintf("%s failed: %v", p.name, err))
				continue
			}
			all.add(p.name, values)
		}
	}
	return all, notes, nil
}

// add files one round's metrics under a peer.
func (r results) add(name string, values []float64) {
	if r[name] == nil {
		r[name] = make([][]float64, len(values))
	}
	for i, v := range values {
		r[name][i] = append(r[name][i], v)
	}
}

// median of one metric of one peer; NaN when it has no sample.
func (r results) median(name string, metric int) number {
	return r.percentile(name, metric, 50)
}

// percentile of one metric of one peer; NaN when it has no sample.
func (r results) percentile(name string, metric int, p float64) number {
	if r[name] == nil {
		return percentile(nil, p)
	}
	return percentile(r[name][metric], p)
}
