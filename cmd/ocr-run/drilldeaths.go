package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

const (
	// drillBeat is the heartbeat of runs whose wrapper is to be missed.
	drillBeat = "100ms"
	// stallFor is how long a wrapper stands still: many heartbeats.
	stallFor = 1500 * time.Millisecond
	// stopWithin is how long the monitor of a killed wrapper, or a sweep, may take to
	// stop a process that obeys.
	stopWithin = 8 * time.Second
)

// beginRun starts a run with a fast heartbeat.
func (b *bed) beginRun(ctx context.Context, script string, words ...string) (*started, error) {
	return b.begin(ctx, slices.Concat([]string{"--quiet", "--heartbeat", drillBeat, "--", "/bin/sh", "-c", script, "sh"}, words)...)
}

// send signals the processes of a run, each by its identity.
func send(sig syscall.Signal, all ...store.Identity) error {
	for _, id := range all {
		if err := proc.Signal(id.PID, id.StartTicks, sig); err != nil {
			return err
		}
	}
	return nil
}

// halt stops processes and waits until they stand still.
func (b *bed) halt(ctx context.Context, all ...store.Identity) error {
	if err := send(unix.SIGSTOP, all...); err != nil {
		return err
	}
	return b.await(ctx, func() bool {
		return !slices.ContainsFunc(all, func(id store.Identity) bool {
			p, err := proc.Read(id.PID)
			return err == nil && !p.Stopped()
		})
	})
}

// drillStall: a wrapper that stands still, as all do while the machine sleeps, is not
// dead, and carries on.
func drillStall(ctx context.Context, b *bed) (string, error) {
	const code = 5
	p, err := b.beginRun(ctx, `while ! test -e "$1"; do sleep 0.1 || sleep 1; done; exit 5`, b.path("go"))
	if err != nil {
		return "", err
	}
	e, err := b.row(ctx, func(e store.Execution) bool { return e.StartedAtMS != 0 && e.Beats > 1 })
	if err != nil {
		return "", err
	}
	err = b.halt(ctx, e.Wrapper)
	if err == nil {
		err = clock.Wait(ctx, stallFor)
	}
	if err == nil {
		err = b.leftAlone(ctx, e)
	}
	err = errors.Join(err, send(unix.SIGCONT, e.Wrapper), os.WriteFile(b.path("go"), nil, 0o600))
	if err != nil {
		return "", err
	}
	p.wait()
	end, err := b.oneEnded(ctx)
	if err == nil && (p.code() != code || end.Process.ExitCode == nil || *end.Process.ExitCode != code) {
		err = fmt.Errorf("afterwards ocr-run ended with %s and recorded %s", p.ProcessState, ended(end))
	}
	return fmt.Sprintf("a wrapper stood still for %s: not taken for dead, and carried on", stallFor), err
}

// leftAlone looks whether a sweep does nothing to a run, nor to its command.
func (b *bed) leftAlone(ctx context.Context, e store.Execution) error {
	var swept render.Reaping
	var list executions
	if err := errors.Join(b.verb(ctx, &swept, "reap", "--yes", "--json"), b.verb(ctx, &list, "ps", "--json")); err != nil {
		return err
	}
	switch {
	case len(swept.Runs) > 0 || stopped(swept) > 0:
		return errors.New("a sweep took it for dead")
	case len(list.Executions) != 1 || list.Executions[0].Liveness == string(heartbeat.LivenessGone):
		return errors.New("ps shows it as gone")
	case !proc.Alive(e.Launch.Child.PID, e.Launch.Child.StartTicks):
		return errors.New("its command was stopped")
	default:
		return nil
	}
}

// stopped counts the processes a sweep has stopped.
func stopped(r render.Reaping) int {
	n := 0
	for _, p := range r.Processes {
		if p.Action == "stop" && p.Done {
			n++
		}
	}
	return n
}

// drillKilled: the monitor of a wrapper that was killed ends the run.
func drillKilled(ctx context.Context, b *bed) (string, error) {
	p, err := b.beginRun(ctx, escapee, b.pid("command"))
	if err != nil {
		return "", err
	}
	command, err := b.process(ctx, "command")
	if err != nil {
		return "", err
	}
	e, err := b.row(ctx, func(e store.Execution) bool { return e.StartedAtMS != 0 })
	if err == nil {
		err = send(unix.SIGKILL, e.Wrapper)
	}
	if err != nil {
		return "", err
	}
	p.wait()
	if err := b.gone(ctx, stopWithin, command); err != nil {
		return "", err
	}
	if err := b.await(ctx, func() bool { return !alive(e.Launch.Monitor) }); err != nil {
		return "", err
	}
	end, err := b.oneEnded(ctx)
	if err == nil && end.Outcome != string(lifecycle.OutcomeFailed) {
		err = fmt.Errorf("the run is recorded as %s", ended(end))
	}
	return "kill -9: its command was stopped, and the run is recorded as " + ended(end), err
}

// alive says whether a process of a run lives.
func alive(id store.Identity) bool { return proc.Alive(id.PID, id.StartTicks) }

// drillBothKilled: where the monitor is killed as well, a sweep stops what is left.
func drillBothKilled(ctx context.Context, b *bed) (string, error) {
	session, err := b.newSession()
	if err != nil {
		return "", err
	}
	p, err := b.beginRun(ctx, `SCRIPT=$1; exec </dev/null >/dev/null 2>&1
		`+session+` /bin/sh -c "$SCRIPT" sh "$2" & env -i PATH="$PATH" `+session+` /bin/sh -c "$SCRIPT" sh "$3" & wait`,
		escapee, b.pid("one"), b.pid("two"))
	if err != nil {
		return "", err
	}
	one, err := b.process(ctx, "one")
	two, err2 := b.process(ctx, "two")
	if err := errors.Join(err, err2); err != nil {
		return "", err
	}
	e, err := b.row(ctx, func(e store.Execution) bool { return e.StartedAtMS != 0 && inBeat(e, one) && inBeat(e, two) })
	if err == nil {
		err = b.halt(ctx, e.Wrapper, e.Launch.Monitor)
	}
	if err == nil {
		err = send(unix.SIGKILL, e.Wrapper, e.Launch.Monitor)
	}
	if err != nil {
		return "", err
	}
	p.wait()
	if err := b.await(ctx, func() bool { return !alive(e.Launch.Monitor) }); err != nil {
		return "", err
	}
	return b.swept(ctx, one, two)
}

// inBeat says whether the heartbeat has written a process down.
func inBeat(e store.Execution, p proc.Process) bool {
	return slices.ContainsFunc(e.Descendants, func(d store.Descendant) bool { return d.PID == p.PID && d.StartTicks == p.Start })
}

// swept sweeps, and looks whether processes are gone by it and a second sweep finds
// nothing.
func (b *bed) swept(ctx context.Context, all ...proc.Process) (string, error) {
	var first, second render.Reaping
	if err := b.verb(ctx, &first, "reap", "--yes", "--json"); err != nil {
		return "", err
	}
	if err := b.gone(ctx, lookEvery, all...); err != nil {
		return "", fmt.Errorf("after a sweep, %w", err)
	}
	end, err := b.oneEnded(ctx)
	if err == nil {
		err = b.verb(ctx, &second, "reap", "--yes", "--json")
	}
	if err == nil && (len(second.Runs) > 0 || stopped(second) > 0) {
		err = errors.New("a second sweep found something to do")
	}
	return fmt.Sprintf("kill -9 of both: reap stopped %d processes, and the run is recorded as %s", stopped(first), ended(end)), err
}
