package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// chainMost bounds how many earlier runs are looked at.
const chainMost = 100

// chain is the runs whose work a run continues, oldest first.
func chain(ctx context.Context, l *store.Ledger, e store.Execution) []store.Execution {
	var all []store.Execution
	for len(all) < chainMost && e.ResumedFrom != "" {
		earlier, err := l.Execution(ctx, e.ResumedFrom)
		if err != nil {
			break // it was forgotten
		}
		all, e = append(all, earlier), earlier
	}
	slices.Reverse(all)
	return all
}

// earlier is the chain of the run that is being concluded.
func (w *wrapping) earlier(ctx context.Context, e store.Execution) []store.Execution {
	if e.ResumedFrom == "" {
		return nil
	}
	l, err := w.journal.Ledger(context.WithoutCancel(ctx))
	if err != nil {
		return nil
	}
	return chain(context.WithoutCancel(ctx), l, e)
}

// next decides what becomes of the work of a run that has ended, and says why if
// nothing does though it was wanted.
func (w *wrapping) next(ctx context.Context, e store.Execution, before []store.Execution, res supervisor.Result) (next resumption, yes bool) {
	if !w.autoResumes() {
		return next, false
	}
	a := afterwards{
		row: e, left: w.opts.autoResume, headless: w.witness != nil && w.witness.in.Mode == agent.ModeHeadless,
		hurried: res.Hurried(), handed: w.handedOn(ctx, e), now: w.env.clock.Now().Wall, chance: chance(),
	}
	for _, b := range before {
		// This process has been other runs' wrapper before, if the work was gone on with
		// by itself.
		if b.Wrapper == e.Wrapper {
			a.before++
		}
	}
	next, yes, reason := a.decide()
	if yes {
		reason = w.unclaimable(ctx, e)
	}
	if reason != "" {
		w.say("not gone on with by itself: %s", reason)
	}
	return next, yes && reason == ""
}

// autoResumes says whether the run is part of a sequence that goes on by itself,
// its last one too.
func (w *wrapping) autoResumes() bool { return w.opts.autoResume > 0 || w.opts.autoResumed }

// unclaimable says why nobody may go on with a run now; empty when somebody may.
func (w *wrapping) unclaimable(ctx context.Context, e store.Execution) string {
	l, err := w.journal.Ledger(context.WithoutCancel(ctx))
	if err == nil && (w.journal.Degraded() || w.journal.Lost()) {
		err = errors.New("the ledger could not be written for a while")
	}
	if err != nil {
		return err.Error()
	}
	by, err := l.Occupant(context.WithoutCancel(ctx), e.UID, e.AgentSessionID)
	switch {
	case err != nil:
		return err.Error()
	case by != nil:
		return by.Error()
	default:
		return ""
	}
}

// handedOn says whether the host goes on with a run's work: in a row of its own
// always, and with a review that its dashboard can see to.
func (w *wrapping) handedOn(ctx context.Context, e store.Execution) bool {
	switch {
	case w.host == nil || w.host.broken != nil:
		return false
	case w.host.row == nil:
		return true
	case e.Workflow == nil || !e.Workflow.Hosted || e.Workflow.Kind != lifecycle.KindReview || vendorName(e.Agent) == "":
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostEndTimeout)
	defer cancel()
	yes, err := w.host.host.GoesOn(ctx)
	return yes || err != nil
}

// say tells the user something about the run, unless it is to be quiet.
func (w *wrapping) say(format string, args ...any) {
	if !w.opts.quiet {
		_, _ = fmt.Fprintf(w.env.stderr, program+": "+format+"\n", args...)
	}
}

// goOn replaces this process by one that goes on with the work. The descriptors and
// the terminal are the same; what this process ignored or caught is not. It returns
// only if that cannot be done, or if somebody asked for the end meanwhile: then
// without an error.
func (w *wrapping) goOn(uid string, next resumption, hurried func() bool) error {
	w.announceNext(next)
	own, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make execution uid: %w", err)
	}
	self, err := ownProgram()
	if err != nil {
		return err
	}
	args, environ := append([]string{program}, w.nextArgs(uid, next)...), w.nextEnviron(next, own.String())
	w.close()
	// An ignored signal would stay ignored; a caught one begins at its default.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTTOU)
	if hurried() {
		return nil
	}
	if err := supervisor.AsFound(func() error { return unix.Exec(self, args, environ) }); err != nil {
		return fmt.Errorf("execute %s: %w", self, err)
	}
	return nil
}

// announceNext says when the work is gone on with.
func (w *wrapping) announceNext(next resumption) {
	more := "then no more"
	if n := w.opts.autoResume - 1; n > 0 {
		more = "then at most " + strconv.Itoa(n) + " more"
	}
	if next.why == store.WaitLimit {
		w.say("limited until %s; going on then (%s); ^C ends it", next.at.Local().Format("Mon 15:04"), more)
		return
	}
	wait := next.at.Sub(w.env.clock.Now().Wall).Round(time.Second)
	w.say("going on in %s (%s); ^C ends it", max(wait, 0), more)
}

// envNext tells the process that goes on by itself that it does so, what it waits
// for and, behind a slash, how many runs of its flow may go on at once, if the one
// before was asked to wait for its turn. It reaches no command.
const envNext = "OCR_RUN_NEXT"

// nextEnviron is the environment of the process that goes on with a run. One in the
// background carries the marker of the next run from its first moment.
func (w *wrapping) nextEnviron(next resumption, uid string) []string {
	said := string(next.why)
	if w.opts.turns > 0 {
		said += "/" + strconv.Itoa(w.opts.turns)
	}
	environ := w.env.environ
	if d := w.opts.background; d.log != "" {
		environ = detachment{uid: uid, log: d.log}.environ(w.env)
	}
	return overlay(environ, []string{envNext + "=" + said})
}

// nextArgs is the command line that goes on with a run: with the flags of this one,
// but for those that a resumed run takes from the one before, and those that were
// said of a flow when the first was to run in it. The log of one in the background
// is its standard output already.
func (w *wrapping) nextArgs(uid string, next resumption) []string {
	dropped := []string{"auto-resume", "at", "cwd", "agent", "detach", "queue", "max-parallel", "owner", "expect-revision"}
	if w.opts.background.log != "" {
		dropped = append(dropped, "log", "log-size")
	}
	args := append([]string{"resume"}, withoutFlags(w.ownFlags(), dropped...)...)
	return append(args, "--auto-resume="+strconv.Itoa(w.opts.autoResume-1), "--at="+next.at.UTC().Format(time.RFC3339Nano), uid)
}

// everyFlag are the flags of all verbs that wrap a command.
func everyFlag() []flagSpec {
	return slices.Concat(wrapFlags(), resumeVerb().flags, flowRunVerb().flags)
}

// ownFlags are the flags we were called with, each with its value.
func (w *wrapping) ownFlags() []string {
	line := split(w.env.args, takesValue(wrapFlags()), isVerb)
	if line.verb == "" {
		return line.flags
	}
	flags, _ := reorder(line.rest, takesValue(everyFlag()))
	return flags
}

// withoutFlags leaves out some flags with their values.
func withoutFlags(flags []string, names ...string) []string {
	takes := takesValue(everyFlag())
	var kept []string
	for i := 0; i < len(flags); i++ {
		name, _, _ := strings.Cut(strings.TrimLeft(flags[i], "-"), "=")
		n := 1
		if wantsNext(flags[i], takes) {
			n = 2
		}
		if !slices.Contains(names, name) {
			kept = append(kept, flags[i:min(i+n, len(flags))]...)
		}
		i += n - 1
	}
	return kept
}
