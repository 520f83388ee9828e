package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// flowWatchVerb follows a flow.
func flowWatchVerb() verb {
	return verb{
		name:     "flow watch",
		operands: "[FLOW]",
		brief:    "follow a flow to its end",
		about: `Follows a flow until it has ended and nothing of it runs. On a terminal it is one
screen: the counts, a bar, and for each run what it is doing. Elsewhere it is a
line for each change. Without FLOW the flow is meant that this run is part of.
The exit code is what the flow amounts to.`,
		most: 1,
		flags: []flagSpec{
			{name: "idle", usage: "end as well when nothing of it runs or waits for its turn"},
			{name: "json", usage: "print one JSON object on a line for each change"},
		},
		exits: []exitLine{
			{exitOK, "success; with --idle also: nothing of it runs, and all went well"},
			{exitError, "failed, or the ledger cannot be read"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several flows answer to FLOW; some of them are named"},
			{exitNotFound, "no flow answers to FLOW"},
			{exitBusy, "another process keeps the ledger locked"},
			{exitIncomplete, "incomplete: it was ended as done, and a run of it was no success"},
			{exitSignal + 2, "cancelled, or the watching was interrupted (by TERM: 143)"},
		},
		examples: []string{"ocr-run flow watch nightly", "ocr-run flow watch --idle nightly; ocr-run flow finish nightly"},
		run:      runFlowWatch,
	}
}

const (
	// watchFrame is the time between two frames, and two looks whether anything has
	// happened.
	watchFrame = 200 * time.Millisecond
	// watchLook is how often the rows are read though nothing has: times and beats
	// are no events.
	watchLook = 2 * time.Second
	// watchSettle is how often dead runs are settled meanwhile.
	watchSettle = 5 * time.Second
)

// watcher follows one flow.
type watcher struct {
	call
	id     string
	ledger *store.Ledger
	// screen: there is a terminal to draw on. drawn is how many lines are on it.
	screen bool
	drawn  int
	frame  int
	json   bool

	seen            int64
	looked, settled time.Duration // awake times of the last

	flow     render.Flow
	children []lifecycle.FlowChild
	runs     []render.Watched
	// told is what has been said of each run, by uid, where there is no screen.
	told map[string]string
}

// runFlowWatch follows it and answers with what it amounts to.
func runFlowWatch(ctx context.Context, c call) error {
	ctx, stop := untilSignal(ctx, unix.SIGINT, unix.SIGTERM)
	defer stop()
	w := &watcher{call: c, told: map[string]string{}, seen: -1}
	w.json = c.flags.Bool("json")
	w.screen = !w.json && term.IsTerminal(int(c.stdout.Fd())) && c.get("TERM") != "dumb"
	found, err := c.reading(ctx, func(l *store.Ledger) error {
		id, err := c.flowID(ctx, l, c.operand())
		if err != nil {
			return err
		}
		w.id, w.ledger = id, l
		return w.follow(ctx)
	})
	switch {
	case err == nil && !found:
		return c.unknownFlow(c.operand())
	case err != nil && ctx.Err() != nil:
		// The shell is to see a death by the signal: it then leaves out what stands behind
		// the watching in its line.
		sig := endedBy(ctx)
		stop()
		supervisor.DieOf(sig, false)
		return answered(exitSignal + int(sig))
	case err != nil:
		return err
	}
	w.sayOpen()
	return w.verdict()
}

// sayOpen tells that a flow goes on being open though nothing of it runs, and how it is
// closed.
func (w *watcher) sayOpen() {
	if w.flow.EndedAt == nil && !w.json {
		w.note("nothing of the flow runs, and it is still open; %s closes it", render.CommandLine([]string{program, "flow", "finish", w.id}))
	}
}

// signalled is the cause of a context that a signal has ended.
type signalled struct{ syscall.Signal }

// Error names the signal.
func (s signalled) Error() string { return s.String() + " was sent" }

// untilSignal is a context that the first of some signals ends; stop ends it too, and
// gives the signals back.
func untilSignal(ctx context.Context, sigs ...os.Signal) (until context.Context, stop func()) {
	until, cancel := context.WithCancelCause(ctx)
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, sigs...)
	var listening sync.WaitGroup
	listening.Go(func() {
		select {
		case s := <-heard:
			if s, ok := s.(syscall.Signal); ok {
				cancel(signalled{s})
			}
		case <-until.Done():
		}
	})
	return until, func() {
		signal.Stop(heard)
		cancel(nil)
		listening.Wait()
	}
}

// endedBy is the signal that has ended a context; INT where it was none.
func endedBy(ctx context.Context) syscall.Signal {
	if s, ok := errors.AsType[signalled](context.Cause(ctx)); ok {
		return s.Signal
	}
	return unix.SIGINT
}

// follow draws until there is nothing more to come.
func (w *watcher) follow(ctx context.Context) error {
	for {
		if err := w.look(ctx); err != nil {
			return err
		}
		over := w.over()
		if err := w.draw(over); err != nil {
			return err
		}
		if over {
			return nil
		}
		if err := clock.Wait(ctx, watchFrame); err != nil {
			return err
		}
		if outputGone(w.stdout) {
			return unix.EPIPE
		}
		w.frame++
	}
}

// over says whether nothing more is to come.
func (w *watcher) over() bool {
	live := w.flow.Runs.Queued + w.flow.Runs.Running
	return live == 0 && (w.flow.EndedAt != nil || w.flags.Bool("idle"))
}

// look reads the flow when something has happened, and now and then.
func (w *watcher) look(ctx context.Context) error {
	now := w.clock.Now().Awake
	if now-w.settled >= watchSettle {
		w.settled = now
		w.bringUpToDate(ctx, w.ledger)
	}
	last, err := w.ledger.LastSeq(ctx)
	if err != nil {
		return w.failed(err)
	}
	if last == w.seen && now-w.looked < watchLook {
		return nil
	}
	w.seen, w.looked = last, now
	f, err := w.ledger.Flow(ctx, w.id)
	if errors.Is(err, store.ErrNotFound) {
		return w.unknownFlow(w.operand())
	}
	if err != nil {
		return w.failed(err)
	}
	rows, err := w.ledger.FlowExecutions(ctx, w.id)
	if err != nil {
		return w.failed(err)
	}
	w.joinHosts(ctx, rows)
	w.flow, w.children, w.runs = flowViewOf(f, rows), flowChildren(rows), w.runs[:0]
	for i, v := range w.views(ctx, w.ledger, rows) {
		run := render.Watched{Execution: v}
		run.Doing, run.Line = w.doing(rows[i])
		w.runs = append(w.runs, run)
	}
	return nil
}

// doing is what a run is doing, as far as it can be seen: the last thing its log says,
// the phase of its work, its turn, or what it has started. line is the last line of its
// log as it is.
func (w *watcher) doing(e store.Execution) (text, line string) {
	if e.Process.End.Over() {
		return "", ""
	}
	if dir, err := w.stateDir(); err == nil {
		text, line = saying(reaper.LogPath(dir, e.UID))
	}
	switch {
	case text != "":
	case e.Workflow != nil && e.Workflow.Phase != "":
		text = string(e.Workflow.Kind) + " in phase " + string(e.Workflow.Phase)
	case e.Turn == lifecycle.TurnRunning || e.Turn == lifecycle.TurnPending:
		text = "turn " + string(e.Turn)
	case len(e.Descendants) > 0:
		text = e.Descendants[len(e.Descendants)-1].Name
	default:
		text = render.ShortCommand(e.Command)
	}
	return text, line
}

// draw shows the moment: over the last one, or what has changed since.
func (w *watcher) draw(last bool) error {
	if !w.screen {
		return w.tell(last)
	}
	columns, rows, err := term.GetSize(int(w.stdout.Fd()))
	if err != nil {
		columns, rows = 80, 24
	}
	s := w.style()
	s.Columns = columns
	lines := render.Screen(s, rows, w.frame, w.flow, w.runs)
	text := render.ScreenOver(w.drawn) + strings.Join(lines, "\n") + "\n"
	w.drawn = len(lines)
	return w.printText(text)
}

// tell says what has changed, a line each.
func (w *watcher) tell(last bool) error {
	var b bytes.Buffer
	for _, r := range w.runs {
		// How long it runs is no news.
		key := r.Outcome + r.Liveness
		if w.json {
			key += r.Line
		}
		if w.told[r.UID] != key {
			w.told[r.UID] = key
			if err := w.write(&b, render.WatchedJSON{Run: &r.Execution, Line: render.OrNull(r.Line)}, render.WatchedChange(r.Execution)); err != nil {
				return err
			}
		}
	}
	if key := w.flow.Status; w.told[""] != key || last {
		w.told[""] = key
		if err := w.write(&b, render.WatchedJSON{Flow: &w.flow}, render.FlowLine(w.style(), w.flow)); err != nil {
			return err
		}
	}
	return w.print(b.Bytes())
}

// write adds a line in the form that was asked for.
func (w *watcher) write(to *bytes.Buffer, change render.WatchedJSON, text string) error {
	if !w.json {
		to.WriteString(text)
		return nil
	}
	change.SchemaVersion = render.SchemaVersion
	line, err := render.JSONLine(change)
	to.Write(line)
	return err
}

// verdict is the exit code of what the flow amounts to.
func (w *watcher) verdict() error {
	outcome := lifecycle.Outcome(w.flow.Outcome)
	if w.flow.EndedAt == nil {
		// It is idle: it is judged as if it were ended as done now.
		outcome = w.idleOutcome()
	}
	switch outcome {
	case lifecycle.OutcomeSuccess, lifecycle.OutcomeRunning:
		return nil
	case lifecycle.OutcomeIncomplete:
		return answered(exitIncomplete)
	case lifecycle.OutcomeCancelled:
		return answered(exitSignal + int(unix.SIGINT))
	case lifecycle.OutcomeFailed:
		return answered(exitError)
	}
	return answered(exitError)
}

// idleOutcome is what the flow would amount to.
func (w *watcher) idleOutcome() lifecycle.Outcome {
	return lifecycle.JudgeFlow(lifecycle.WorkflowSucceeded, w.children).Outcome
}
