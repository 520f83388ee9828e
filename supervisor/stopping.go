package supervisor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// errMonitorLost is a monitor that ended before the run did.
var errMonitorLost = errors.New("monitor ended unexpectedly")

// typedWindow is how long before the end an interrupt key counts as its cause.
// Agents were measured to end within 0.4 s of one; a program that goes on for
// longer has handled it.
const typedWindow = 2 * time.Second

// tidyWindow is typedWindow for a headless agent. On a busy machine some took
// three seconds to write down that they were interrupted.
const tidyWindow = 5 * time.Second

// stopState is what is known of a wish that the run end.
type stopState struct {
	by     lifecycle.StoppedBy
	signal syscall.Signal // what began it, 0 for none
	at     time.Duration  // awake time of the first wish
	firm   bool           // KILL follows
	wished bool           // the user has wished it besides
	passed syscall.Signal // the last signal passed on as it is
	heeded heeded         // the last that asks for the end among these
}

// heeded is a signal that asks for the end and was ignored here, but not by the command it
// was passed on to. Nothing follows from it unless that ends.
type heeded struct {
	by     lifecycle.StoppedBy // empty for none
	signal syscall.Signal
	at     time.Duration // awake time
}

// users says whether a further signal of the user's is his second wish.
func (s stopState) users() bool { return s.by == lifecycle.StoppedByUser || s.wished }

// signalled acts on a signal sent to the wrapper.
func (r *run) signalled(ctx context.Context, s os.Signal) {
	sig := number(s)
	policy := r.policy(s)
	if policy == unread && !r.readerGone() {
		policy = passOn
	}
	if sig == unix.SIGTSTP && orphanedGroup() {
		return // run bare the kernel would have stopped nobody either
	}
	switch policy {
	case unread:
	case passOn:
		r.stop.passed = sig
		r.heed(s)
		kind := wire.MsgTell
		if sig == unix.SIGTSTP {
			r.toldAt, kind = r.cfg.Clock.Now().Awake, wire.MsgSignal // job control is about groups
		}
		r.order(kind, wire.PackNum(int64(sig)))
	case polite:
		r.askPolitely(sig)
	case firm:
		switch {
		case r.asked.CompareAndSwap(true, false): // one wish is one stop, in whichever order it reaches us
		case r.stop.firm:
			r.wishAgain()
		default:
			r.beginStop(r.wisher(s), sig)
		}
	case hangUp:
		r.hungUp(ctx)
	case resize:
		if !r.resize() {
			r.order(wire.MsgTell, wire.PackNum(int64(sig)))
		}
	}
}

// heed remembers a signal that asks for the end if the command may act on it. What it
// ignores, as most that a script has started behind itself do, never gets to it.
func (r *run) heed(s os.Signal) {
	if !policyOf(s).asks() {
		return
	}
	if ignored, err := proc.Ignores(r.launched.Child.PID, number(s)); err == nil && !ignored {
		r.stop.heeded = heeded{by: r.wisher(s), signal: number(s), at: r.cfg.Clock.Now().Awake}
	}
}

// askPolitely passes an interrupt on. A second one while the first is still
// being obeyed is decisive.
func (r *run) askPolitely(sig syscall.Signal) {
	if r.stopping() {
		r.wishAgain()
		return
	}
	r.stop = stopState{by: r.wisher(sig), signal: sig, at: r.cfg.Clock.Now().Awake}
	r.order(wire.MsgSignal, wire.PackNum(int64(sig)))
	if r.suspended {
		r.order(wire.MsgSignal, wire.PackNum(int64(unix.SIGCONT)))
	}
}

// wishAgain acts on a user's signal during a stop: it ends it at once, but for the first
// during a stop that somebody else began.
func (r *run) wishAgain() {
	if r.stop.users() {
		r.beginStop(r.stop.by, unix.SIGKILL)
	}
	r.stop.wished = true
}

// stopping says whether a wish that the run end is being obeyed. An interrupt that it has
// outlived is none any more.
func (r *run) stopping() bool {
	return r.stop.firm || r.stop.by != lifecycle.StoppedByNobody && r.cfg.Clock.Now().Awake-r.stop.at <= r.cfg.Grace
}

// beginStop asks for the end, and makes sure of it when the grace is over. Of a stop that
// is under way another reason takes none of the grace and adds none; KILL ends it.
func (r *run) beginStop(by lifecycle.StoppedBy, first syscall.Signal) {
	if r.stop.firm && first != unix.SIGKILL {
		return
	}
	if !r.stop.firm {
		r.stop = stopState{by: by, signal: first, at: r.cfg.Clock.Now().Awake, firm: true}
	}
	o := wire.StopOrder{First: first, Escalate: true, By: r.stop.by}
	if own := r.cfg.StopSignal; own != 0 && first == unix.SIGTERM {
		o.First, o.Press = own, true
	}
	r.order(wire.MsgStop, o.Pack())
}

// hungUp acts on a SIGHUP: of a terminal that went away, or sent by hand, which to
// many programs means something else.
func (r *run) hungUp(ctx context.Context) {
	if r.tty == nil || !r.tty.Gone() {
		r.stop.passed = unix.SIGHUP
		r.order(wire.MsgTell, wire.PackNum(int64(unix.SIGHUP)))
		return
	}
	if r.relay != nil {
		r.relay.Detach()
	}
	if r.stop.firm || r.lostTTY {
		return
	}
	r.lostTTY = true
	r.tell(ctx, lifecycle.EventTerminalLost, nil)
	if r.cfg.OnHangup == HangupKeep || signal.Ignored(unix.SIGHUP) {
		r.note(lifecycle.SourceOwnAct, "the terminal went away, and the run went on", "")
		if r.relay != nil {
			r.relay.EndInput()
		}
		return
	}
	r.note(lifecycle.SourceOwnAct, "the terminal went away", lifecycle.CauseTerminalLost)
	r.beginStop(lifecycle.StoppedByTerminal, unix.SIGHUP)
}

// terminalGone is told by the relay, on its goroutine.
func (r *run) terminalGone() {
	select {
	case r.gone <- struct{}{}:
	default:
	}
}

// wanted acts on what the ledger asks for.
func (r *run) wanted(ctx context.Context, a heartbeat.Answer) {
	switch {
	case a.Fenced:
		r.note(lifecycle.SourceLedger, "a newer generation owns this execution", "")
		r.tell(ctx, lifecycle.EventFenced, nil)
		r.beginStop(lifecycle.StoppedByFenced, unix.SIGTERM)
	case a.StopRequested != lifecycle.StoppedByNobody && !r.stop.firm:
		// Who cancels also wakes us: one wish is one stop.
		r.beginStop(a.StopRequested, unix.SIGTERM)
		r.asked.Store(a.StopRequested == lifecycle.StoppedByUser)
	}
}

// typed looks for an interrupt key in what the user types, and for one that a
// program may be left with, on the relay's goroutine. In a program that reads keys itself it is a key like any other.
func (r *run) typed(b []byte) {
	if leaves(b) {
		r.keyed.Store(int64(r.cfg.Clock.Now().Awake))
	}
	if bytes.IndexByte(b, 0x03) < 0 && bytes.IndexByte(b, 0x1c) < 0 {
		return
	}
	now := int64(r.cfg.Clock.Now().Awake)
	r.pressed.Store(now)
	if r.cfg.Headless || terminal.Interrupts(r.pair.Master, b) {
		r.interrupted.Store(now)
	}
}

// obeyed says, once the command is over, whether a wish that we have passed on is what
// ended it.
func (r *run) obeyed() bool {
	return r.stop.firm || r.stop.by != lifecycle.StoppedByNobody && (r.exitAt.Awake-r.stop.at <= r.cfg.Grace || diedOf(r.exit, r.stop.signal))
}

// judgeStop decides, once the command is over, whether a wish that it end is
// what ended it.
func (r *run) judgeStop() (by lifecycle.StoppedBy, failed bool) {
	now := r.exitAt.Awake
	key := time.Duration(r.interrupted.Load())
	if r.exit.Signal == unix.SIGINT || r.exit.Signal == unix.SIGQUIT {
		// It reads keys itself and dies of one all the same: it has a terminal of its own
		// in between, as another wrapper has.
		key = time.Duration(r.pressed.Load())
	}
	switch {
	case r.stop.firm:
		// The margin covers the kill itself and its report.
		late := now-r.stop.at > r.cfg.Grace+monitor.UnkillableWait
		return r.stop.by, late && !r.exit.Killed
	case r.obeyed():
		return r.stop.by, false
	case r.stop.heeded.by != lifecycle.StoppedByNobody && now-r.stop.heeded.at <= r.cfg.Grace:
		r.stop.signal = r.stop.heeded.signal
		r.note(lifecycle.SourceOwnAct, unix.SignalName(r.stop.signal)+", ignored here, was passed on to it", "")
		return r.stop.heeded.by, false
	case diedOf(r.exit, r.stop.passed):
		r.note(lifecycle.SourceOwnAct, unix.SignalName(r.stop.passed)+" was passed on to it", lifecycle.CauseUser)
		return lifecycle.StoppedByUser, false
	case key > 0 && now-key <= keyWindow(r.exit, r.cfg.Agent != "", r.cfg.Headless):
		r.stop.signal = unix.SIGINT
		r.together = r.exit.Signal == unix.SIGINT || r.exit.Signal == unix.SIGQUIT
		r.note(lifecycle.SourceOwnAct, "an interrupt key was typed just before the end", lifecycle.CauseUser)
		return lifecycle.StoppedByUser, false
	default:
		return lifecycle.StoppedByNobody, false
	}
}

// diedOf says whether a command ended by a signal, or says so.
func diedOf(exit wire.ExitReport, sig syscall.Signal) bool {
	const died = 128 // plus the signal: how shells and tidy programs report it
	return sig > 0 && (exit.Signal == sig || exit.Signal == 0 && exit.Code == died+int(sig))
}

// keyWindow is how long before an end an interrupt key counts as its cause. Other
// signals than its own have other causes. An exit 0 is an agent's tidy answer if it
// comes at once; a shell or a pager that is left after a key typed at its prompt is
// not interrupted.
func keyWindow(e wire.ExitReport, agent, headless bool) time.Duration {
	switch {
	case headless && (e.Signal == 0 || e.Signal == unix.SIGINT || e.Signal == unix.SIGQUIT):
		return tidyWindow
	case e.Signal == unix.SIGINT || e.Signal == unix.SIGQUIT || (e.Signal == 0 && e.Code != 0):
		return typedWindow
	case e.Signal == 0 && agent:
		return typedWindow / 4
	default:
		return -1
	}
}

// note keeps a piece of evidence. One that says the same again says it of the later time.
func (r *run) note(source lifecycle.EvidenceSource, detail string, points lifecycle.Cause) {
	e := lifecycle.Evidence{Source: source, Detail: detail, AtMS: r.cfg.Clock.Now().Wall.UnixMilli(), Points: points}
	if at := slices.IndexFunc(r.evidence, func(had lifecycle.Evidence) bool {
		had.AtMS = e.AtMS
		return had == e
	}); at >= 0 {
		r.evidence = slices.Delete(r.evidence, at, at+1)
	}
	r.evidence = append(r.evidence, e)
}

// ignoreTTOU lets a process behind the terminal touch it without being stopped.
// It is the last thing a run does to signals: children would inherit it.
func ignoreTTOU() { signal.Ignore(unix.SIGTTOU) }
