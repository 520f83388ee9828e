package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// Exit codes of a wrapped run that are not the command's own.
const (
	// exitIncomplete is EX_TEMPFAIL: the work is not done, try again.
	exitIncomplete = 75
	// exitTimedOut is what timeout(1) says.
	exitTimedOut = 124
	// exitSignal plus its number is how a shell reports a death by signal.
	exitSignal = 128
)

// conclude judges a run that is over, reports it, and returns the exit code.
// It does not return for a command that died of a signal.
func (w *wrapping) conclude(ctx context.Context, res supervisor.Result) int {
	e := w.row(ctx, res)
	before := w.earlier(ctx, e)
	view := w.overView(e, before)
	w.host.settle(ctx, e, verdictOf(e).Cause)
	refused := res.LaunchError != nil && !res.CutShort
	if refused {
		_, _ = fmt.Fprintf(w.env.stderr, "%s: %s\n", program, render.Plain(briefly(res.LaunchError)))
	}
	if errors.Is(res.LaunchError, supervisor.ErrNoScope) {
		_, _ = fmt.Fprintln(w.env.stderr, "Try: loginctl enable-linger, which keeps a systemd for you; or the same without --scope")
	}
	next, goesOn := w.next(ctx, e, before, res)
	to := receiptTo{stalled: res.Stalled, withinLine: res.WithinLine, words: !refused, goesOn: goesOn}
	w.receipt(view, to)
	if w.tee != nil && w.tee.err != nil && !w.opts.quiet {
		_, _ = fmt.Fprintf(w.env.stderr, "%s: --log: the copy is not complete: %s\n", program, w.tee.err)
	}
	w.lastResort(view, to)
	res.Bury() // before another program takes this process over
	if goesOn {
		w.stays(view, to, w.goOn(e.UID, next, res.Hurried))
	}
	w.onEnd(ctx, view, res.Late)
	code, sig := endOf(verdictOf(e), e.Process, res.StopSignal)
	if res.CutShort {
		sig = res.StopSignal
	}
	if sig == 0 && res.Interrupted() {
		sig = int(unix.SIGINT)
	}
	if sig != 0 {
		w.close()
		supervisor.DieOf(syscall.Signal(sig), res.Keyed)
	}
	return code
}

// afterwards is the present, for a run that is over: none of its ages is judged by it,
// and the boot it is of takes reading files.
func (w *wrapping) afterwards() store.Instant { return heartbeat.InstantOf(w.env.clock.Now(), "") }

// overView is a run that is over, with the ones before it, for who has run it here.
func (w *wrapping) overView(e store.Execution, before []store.Execution) render.Execution {
	view := executionView(e, heartbeat.LivenessEnded, w.afterwards())
	view.Attempts = attemptsView(before)
	view.Again, view.Given = again(e, e.FlowID, w.env.dir), keysOf(w.opts.env)
	return view
}

// stays says that nothing goes on with the work after all, and why if that is
// nobody's wish: the receipt that was left to the last run is this one's.
func (w *wrapping) stays(view render.Execution, to receiptTo, trouble error) {
	if w.opts.json {
		to.goesOn = false
		w.receipt(view, to)
	}
	if trouble != nil {
		_, _ = fmt.Fprintf(w.env.stderr, "%s: go on by itself: %s\nTry: %s\n", program, trouble, render.Continue(view))
	}
}

// remains concludes the run before, which this one was to go on with by itself and may
// not: it was the last after all, and what it left to the next one is done here.
func (w *wrapping) remains(ctx context.Context, before store.Execution, why error) error {
	w.say("not gone on with by itself: %s", why)
	view := w.overView(before, w.earlier(ctx, before))
	w.receipt(view, receiptTo{})
	w.onEnd(ctx, view, nil)
	code, sig := endOf(verdictOf(before), before.Process, 0)
	if sig != 0 {
		w.close()
		supervisor.DieOf(syscall.Signal(sig), false)
	}
	return answered(code)
}

// row is the run as the ledger has it, with the workflow it belongs to; or, when
// the ledger cannot be read, as we know it ourselves.
func (w *wrapping) row(ctx context.Context, res supervisor.Result) store.Execution {
	ctx = context.WithoutCancel(ctx)
	if res.Alone && w.journal.LastBeat() != (store.Instant{}) {
		return w.known(res, hostedView(res))
	}
	l, err := w.journal.Ledger(ctx)
	w.journal.AddLost(ctx, &res.Ending)
	if err == nil {
		var e store.Execution
		e, err = l.Execution(ctx, w.uid)
		switch {
		case err == nil && e.Wrapper != res.Announcement.Wrapper:
			err = fmt.Errorf("%w: process %d", store.ErrNotOurs, e.Wrapper.PID)
		case err == nil && e.Process.End.Over():
			e.Degraded = e.Degraded || w.journal.Degraded()
			return e
		case err == nil:
			// The end waits in the spool; what the run worked on can be read.
			return w.unfinished(ctx, e, res)
		}
	}
	w.log.Warn().Err(err).Msg("read back")
	// The same as waits in the spool for the next ledger: both readers are told one thing.
	w.journal.AddUnread(ctx, &res.Ending)
	e := w.known(res, hostedView(res))
	if errors.Is(err, store.ErrNotOurs) && w.host == nil {
		e.Workflow = unreadable(res.InLedger)
	}
	e.Degraded = true
	w.judgeTurn(ctx, &e)
	return e
}

// unfinished is a run whose end the ledger did not take, with the work it knows of.
func (w *wrapping) unfinished(ctx context.Context, row store.Execution, res supervisor.Result) store.Execution {
	workflow := row.Workflow
	if v := hostedView(res); w.host != nil || v != nil {
		workflow = v
	}
	e := w.known(res, workflow)
	e.Degraded = true
	w.judgeTurn(ctx, &e)
	return e
}

// judgeTurn adds the last turn to a run whose end waits in the spool, where others of
// the run may have put what they told of it. Where that cannot be read nothing is
// known to be finished.
func (w *wrapping) judgeTurn(ctx context.Context, e *store.Execution) {
	turn, err := w.journal.LastTurn(ctx, e.UID)
	e.Turn = w.lastTurn(turn)
	if err == nil {
		return
	}
	w.log.Warn().Err(err).Msg("read last turn")
	e.Evidence = append(slices.Clone(e.Evidence), lifecycle.Evidence{
		Source: lifecycle.SourceOwnAct, AtMS: e.EndedAtMS,
		Detail: "what was told of its turns waits for the ledger and cannot be read: " + err.Error(),
	})
	if e.Workflow == nil || e.Workflow.Completeness == lifecycle.CompletenessComplete {
		e.Workflow = unreadable(true)
		e.Workflow.Hosted = w.host != nil
	}
}

// lastTurn is how the last turn stands of a run whose end waits in the spool, perhaps
// with the end of that turn: what the agent told us goes before what was recorded,
// unless that says already that it was not completed.
func (w *wrapping) lastTurn(recorded lifecycle.TurnState) lifecycle.TurnState {
	if w.witness == nil || recorded == lifecycle.TurnInterrupted || recorded == lifecycle.TurnError {
		return recorded
	}
	switch state, ours := w.witness.book.standing(); {
	case !ours || state == lifecycle.TurnNone:
		return recorded
	case !state.Settled():
		return lifecycle.TurnInterrupted
	default:
		return state
	}
}

// known is a run as we know it ourselves, with the workflow given.
func (w *wrapping) known(res supervisor.Result, workflow *store.WorkflowView) store.Execution {
	end := res.Ending
	return store.Execution{
		Announcement: res.Announcement, Launch: res.Launch, Generation: end.Generation, StartedAtMS: res.StartedAtMS,
		EndedAtMS: end.At.WallMS, AwakeMS: end.AwakeMS, SuspendedMS: end.SuspendedMS,
		LastBeat: cmp.Or(w.journal.LastBeat(), res.Announcement.At),
		Process: lifecycle.Process{
			End: end.End, ExitCode: end.ExitCode, Signal: end.Signal, CoreDumped: end.CoreDumped,
			StoppedBy: end.StoppedBy, StopFailed: end.StopFailed,
		},
		AgentSessionID: end.AgentSessionID, Resume: end.Resume,
		Evidence: end.Evidence, Leftovers: end.Leftovers, Degraded: end.Degraded, Turn: lifecycle.TurnNone,
		Workflow: workflow,
	}
}

// hostedView is the workflow that the end of the run has: the host's, or one that was lost.
func hostedView(res supervisor.Result) *store.WorkflowView {
	v := res.Ending.HostWorkflow
	if v != nil {
		v.Hosted = !v.Lost
	}
	return v
}

// unreadable stands for the workflow of a run that was in the ledger and can no
// longer be read there: it may have begun one, and silence never upgrades. A
// ledger that never took the run in cannot have linked it to anything.
func unreadable(wasInLedger bool) *store.WorkflowView {
	if !wasInLedger {
		return nil
	}
	return &store.WorkflowView{Completeness: lifecycle.CompletenessUnreadable}
}

// receiptTo is what a receipt has to know of who gets it.
type receiptTo struct {
	// stalled: the terminal takes no bytes.
	stalled bool
	// withinLine: the run's output has left the cursor there.
	withinLine bool
	// words is false when all has been said.
	words bool
	// goesOn: this is not the last receipt of the work.
	goesOn bool
}

// receipt reports a run: to the file asked for, as JSON, or in words. Where no
// person looks only work that is not finished is worth a word, and a terminal
// that takes no bytes gets none.
func (w *wrapping) receipt(view render.Execution, to receiptTo) {
	var doc []byte
	if w.opts.receipt != "" || w.opts.json {
		var err error
		if doc, err = render.ExecutionJSON(view); err != nil {
			w.log.Error().Err(err).Msg("encode receipt")
			return
		}
	}
	if w.opts.receipt != "" {
		w.writeReceipt(doc, view.UID)
	}
	terminal := term.IsTerminal(int(w.env.stderr.Fd()))
	switch {
	case terminal && to.stalled, w.opts.json && to.goesOn:
	case w.opts.json:
		_, _ = w.env.stderr.Write(doc)
	case w.opts.quiet || !to.words:
	case terminal && view.Outcome == string(lifecycle.OutcomeSuccess) && behind(w.env.stderr):
	case terminal || view.Outcome == string(lifecycle.OutcomeIncomplete):
		style := render.StyleFor(terminal, 0, w.env.get("NO_COLOR"), w.env.get("TERM"), 0)
		text := render.Receipt(style, view)
		if terminal && to.withinLine {
			text = "\n" + text
		}
		_, _ = w.env.stderr.WriteString(text)
	}
}

// behind says whether somebody else is in front of the terminal f: what is written there
// stands in the middle of theirs.
func behind(f *os.File) bool {
	front, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err == nil && front != unix.Getpgrp()
}

// receiptApart refuses a file for the receipt that is where the command's own output
// goes, or its copy: it would be written over it.
func (w *wrapping) receiptApart() error {
	if w.opts.receipt == "" {
		return nil
	}
	to, missing := os.Stat(w.opts.receipt)
	for _, f := range []*os.File{w.env.stdout, w.env.stderr} {
		there, err := f.Stat()
		if missing == nil && err == nil && os.SameFile(to, there) && to.Mode()&os.ModeCharDevice == 0 {
			return fmt.Errorf("--receipt: %s is where the command's own output goes; --json prints the receipt on standard error", w.opts.receipt)
		}
	}
	if log, err := os.Stat(w.opts.log); missing == nil && err == nil && os.SameFile(to, log) && to.Mode().IsRegular() {
		return fmt.Errorf("--receipt: %s is the file of --log, too; name another", w.opts.receipt)
	}
	return nil
}

// clearReceipt empties the file that the receipt goes to, so that whoever looks while this
// run waits or lives, or after its wrapper was killed, finds no other run's. What is no
// regular file is left alone.
func (w *wrapping) clearReceipt() {
	if w.opts.receipt == "" {
		return
	}
	to, err := os.Stat(w.opts.receipt)
	if err != nil || !to.Mode().IsRegular() {
		return
	}
	if err := os.Truncate(w.opts.receipt, 0); err != nil {
		w.log.Warn().Err(err).Msg("clear receipt")
	}
}

// writeReceipt writes the receipt to the file asked for. A pipe that nobody reads is an
// error: nobody might ever.
func (w *wrapping) writeReceipt(doc []byte, uid string) {
	f, err := os.OpenFile(w.opts.receipt, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NONBLOCK, 0o600)
	if errors.Is(err, unix.ENXIO) {
		err = fmt.Errorf("open %s: nobody reads it", w.opts.receipt)
	}
	if err == nil {
		_, err = f.Write(doc)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		_, _ = fmt.Fprintf(w.env.stderr, "%s: write receipt: %s\nTry: %s show --json %s\n", program, err, program, uid)
		return
	}
	w.keptIn = w.opts.receipt
}

// onEnd runs the command of --on-end with the receipt on its standard input and
// our standard error for what it says: the standard output is the run's. Its
// failure changes nothing. Signals that ask for our end are passed on to it.
func (w *wrapping) onEnd(ctx context.Context, view render.Execution, late <-chan os.Signal) {
	if w.opts.onEnd == "" {
		return
	}
	doc, err := render.ExecutionJSON(view)
	if err != nil {
		return
	}
	select {
	case <-late: // it came for the run
	default:
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", w.opts.onEnd)
	// Without the marker of the run, of which this is no part: the run is over.
	cmd.Dir, cmd.Env = w.moves(), overlay(w.env.environ, w.opts.env)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(doc), w.env.stderr, w.env.stderr
	// We ignore this signal to handle the terminal from behind, and a program
	// inherits that; what is caught begins at its default.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTTOU)
	err = supervisor.AsFound(cmd.Start)
	signal.Ignore(unix.SIGTTOU)
	if err == nil {
		err = waitHeeding(cmd, late)
	}
	if err != nil {
		_, _ = fmt.Fprintf(w.env.stderr, "%s: --on-end: %s\n", program, err)
	}
}

// waitHeeding waits for a command that was started, and passes on the signals that come
// meanwhile.
func waitHeeding(cmd *exec.Cmd, late <-chan os.Signal) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case s := <-late:
			_ = cmd.Process.Signal(s) // gone is as good
		}
	}
}

// endOf is how ocr-run itself ends: by a code, or of a signal. It is the
// one place that decides.
func endOf(v lifecycle.Verdict, p lifecycle.Process, stopSignal int) (code, sig int) {
	switch {
	case v.Outcome == lifecycle.OutcomeIncomplete:
		return exitIncomplete, 0
	case p.StoppedBy == lifecycle.StoppedByDeadline && !p.StopFailed:
		return exitTimedOut, 0
	case p.End == lifecycle.EndNotStarted && (v.Outcome == lifecycle.OutcomeCancelled || stopSignal != 0):
		return stoppedCode(stopSignal), 0
	case p.Signal != nil:
		return exitSignal + *p.Signal, *p.Signal
	case p.ExitCode == nil:
		return exitSignal + int(syscall.SIGKILL), 0
	case v.Outcome == lifecycle.OutcomeCancelled && (*p.ExitCode == 0 || p.End == lifecycle.EndNotStarted),
		*p.ExitCode == 0 && v.Outcome != lifecycle.OutcomeSuccess:
		return stoppedCode(stopSignal), 0
	default:
		return *p.ExitCode, 0
	}
}

// stoppedCode is the code of a run that was stopped and said 0 itself.
func stoppedCode(stopSignal int) int {
	if stopSignal == 0 {
		stopSignal = int(syscall.SIGTERM)
	}
	return exitSignal + stopSignal
}
