package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Directories of a bed.
const (
	pidDir  = "pids"
	workDir = "work"
)

// bed is what one step has for itself: a workspace, a home and a ledger.
type bed struct {
	*drill
	dir string
	// started are the processes that somebody has to wait for.
	started []*started
}

// newBed makes the directories of a step.
func (d *drill) newBed(name string) (*bed, error) {
	b := &bed{drill: d, dir: filepath.Join(d.root, strings.ReplaceAll(name, " ", "-"))}
	for _, sub := range []string{filepath.Join(workDir, ".git"), "home", pidDir, "state"} {
		if err := os.MkdirAll(b.path(sub), 0o700); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// path is a file of the step.
func (b *bed) path(name string) string { return filepath.Join(b.dir, name) }

// pid is where a process called so writes its pid.
func (b *bed) pid(name string) string { return b.path(filepath.Join(pidDir, name)) }

// ledger is where the ledger of the step is.
func (b *bed) ledger() string { return b.path("state/ocr-run/ledger.db") }

// environ is the environment of what the step starts: nothing of a run we may be
// part of, and no file of the user's.
func (b *bed) environ() []string {
	kept := slices.DeleteFunc(slices.Clone(b.drill.environ), func(kv string) bool {
		return strings.HasPrefix(kv, "OCR_") || strings.HasPrefix(kv, "XDG_") || strings.HasPrefix(kv, "HOME=") || strings.HasPrefix(kv, "TERM=")
	})
	return append(kept, "HOME="+b.path("home"), "XDG_STATE_HOME="+b.path("state"), "TERM=dumb", drillEnv+"="+b.id)
}

// perform makes the step and waits for all it has started.
func (b *bed) perform(ctx context.Context, s drillStep) (seen string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, stepLimit, fmt.Errorf("not done within %s", stepLimit))
	seen, err = s.run(ctx, b)
	if err != nil && ctx.Err() != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	cancel() // which kills what still runs
	for _, p := range b.started {
		p.wait()
	}
	return seen, err
}

// started is a process of the step.
type started struct {
	*exec.Cmd
	// output is the file of its standard output, said that of its standard error.
	output, said string
	waited       bool
}

// wait waits for its end.
func (p *started) wait() {
	if !p.waited {
		p.waited = true
		_ = p.Wait() // what it ended with is in its state
	}
}

// code is what it exited with; -1 when a signal killed it.
func (p *started) code() int { return p.ProcessState.ExitCode() }

// signal is what killed it, 0 when it exited.
func (p *started) signal() syscall.Signal {
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal()
	}
	return 0
}

// start starts a program in the workspace, with no input and its output in files:
// whoever else holds a pipe could keep us waiting.
func (b *bed) start(ctx context.Context, attr *syscall.SysProcAttr, name string, args ...string) (*started, error) {
	n := len(b.started)
	p := &started{Cmd: exec.CommandContext(ctx, name, args...), output: b.path(fmt.Sprintf("%d.out", n)), said: b.path(fmt.Sprintf("%d.err", n))}
	p.Dir, p.Env, p.SysProcAttr = b.path(workDir), b.environ(), attr
	out, err := os.Create(p.output)
	if err != nil {
		return nil, err
	}
	defer out.Close() //nolint:errcheck // the child has its own
	said, err := os.Create(p.said)
	if err != nil {
		return nil, err
	}
	defer said.Close() //nolint:errcheck // the child has its own
	p.Stdout, p.Stderr = out, said
	if err := p.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	b.started = append(b.started, p)
	return p, nil
}

// begin starts the program that is tried out.
func (b *bed) begin(ctx context.Context, args ...string) (*started, error) {
	return b.start(ctx, ownGroup(), b.program, args...)
}

// runReceipt wraps a shell script, which finds the words in $1 and so on, and waits
// for its end.
func (b *bed) runReceipt(ctx context.Context, script string, words ...string) (*started, render.Execution, error) {
	receipt := b.path(fmt.Sprintf("%d.receipt", len(b.started)))
	args := append([]string{"--quiet", "--receipt", receipt, "--", "/bin/sh", "-c", script, "sh"}, words...)
	p, err := b.begin(ctx, args...)
	if err != nil {
		return nil, render.Execution{}, err
	}
	p.wait()
	var e render.Execution
	return p, e, readJSON(receipt, &e)
}

// verb runs a verb that has to succeed and reads the object it prints.
func (b *bed) verb(ctx context.Context, into any, words ...string) error {
	p, err := b.begin(ctx, words...)
	if err != nil {
		return err
	}
	if p.wait(); p.code() != exitOK {
		said, _ := os.ReadFile(p.said) // without it the code says enough
		return fmt.Errorf("ocr-run %s: %s: %s", strings.Join(words, " "), p.ProcessState, strings.TrimSpace(string(said)))
	}
	return readJSON(p.output, into)
}

// readJSON reads an object from a file.
func readJSON(path string, into any) error {
	content, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return nil
}

// executions is what ps and history print.
type executions struct {
	Executions []render.Execution `json:"executions"`
}

// history is the runs of the step that have ended, the newest first.
func (b *bed) history(ctx context.Context) ([]render.Execution, error) {
	var list executions
	err := b.verb(ctx, &list, "history", "--json")
	return list.Executions, err
}

// oneEnded waits until the only run of the step has ended: who looks settles it, but
// not on a busy machine, nor while the monitor is about to.
func (b *bed) oneEnded(ctx context.Context) (e render.Execution, err error) {
	waited := b.await(ctx, func() bool {
		var list []render.Execution
		if list, err = b.history(ctx); len(list) == 1 {
			e = list[0]
		}
		return err != nil || len(list) == 1
	})
	if err == nil && waited != nil {
		err = fmt.Errorf("await the end of the run in the ledger: %w", waited)
	}
	return e, err
}

// row waits until the only run of the step is in the ledger and is as it should be.
func (b *bed) row(ctx context.Context, is func(store.Execution) bool) (e store.Execution, err error) {
	l, err := store.Open(ctx, store.Config{Path: b.ledger()})
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	err = b.await(ctx, func() bool {
		var all []store.Execution
		all, err = l.Executions(ctx, store.Filter{})
		if len(all) == 1 {
			e = all[0]
		}
		return err != nil || len(all) == 1 && is(e)
	})
	return e, err
}

// process waits for a process that writes its pid, and is what it is.
func (b *bed) process(ctx context.Context, name string) (p proc.Process, err error) {
	found := b.await(ctx, func() bool {
		pid := readPID(b.pid(name))
		if pid == 0 {
			return false
		}
		p, err = proc.Read(pid)
		return true
	})
	if err := errors.Join(found, err); err != nil {
		return p, fmt.Errorf("await process %q: %w", name, err)
	}
	return p, nil
}

// gone waits until a process does not live any more.
func (b *bed) gone(ctx context.Context, within time.Duration, all ...proc.Process) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, p := range all {
		if b.await(ctx, func() bool { return !proc.Alive(p.PID, p.Start) }) != nil {
			return fmt.Errorf("process %d (%s) still lives after %s", p.PID, p.Name, within)
		}
	}
	return nil
}
