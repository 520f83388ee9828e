package supervisor

import (
	"bytes"
	"context"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/signals"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// resumeWait is how long a group that stopped itself is given to stop. In an
// orphaned group the kernel discards the signal, and we go on at once, as the
// bare command would have.
const resumeWait = 100 * time.Millisecond

// stopTime is how long a command may take to stop once it was told to, and still have
// stopped for that: a full-screen one restores the terminal first.
const stopTime = time.Second

// lookTime is how soon a run in the background notices that a shell has brought it to the
// front without a word: before anybody has wondered why it takes no keys.
const lookTime = time.Second

// toFront makes the user's terminal raw for a run that is to be in front, if we are. It
// is the relay that calls it, before the first output or when the run has lasted for a
// while: until then keys are the terminal's to act on, and what is typed during a short
// run is left to the shell.
func (r *run) toFront() (cooked bool) {
	if r.mayTakeFront() {
		r.setRaw()
	}
	return r.tty != nil && r.tty.EndsLines()
}

// mayTakeFront says whether the run is to have the user's terminal, and we can give it.
func (r *run) mayTakeFront() bool {
	return r.relay != nil && r.tty != nil && r.wantFront && r.tty.Foreground()
}

// takeFront makes the user's terminal raw and its input the run's, if our group
// is in front and the run is to be. It says whether that is so now.
func (r *run) takeFront() bool {
	switch {
	case !r.mayTakeFront():
		return false
	case r.front:
		r.tellTerminal()
	default:
		r.relay.Between(func() (cooked bool) {
			r.setRaw()
			return r.tty.EndsLines()
		})
	}
	return r.front
}

// setRaw makes the user's terminal raw, between two chunks of output.
func (r *run) setRaw() {
	_ = r.tty.Rebase()
	if err := r.pair.Adopt(r.tty); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("adopt terminal")
	}
	err := r.tty.Raw(r.plan.keepOutput, r.tellTerminal)
	if err != nil {
		r.cfg.Log.Warn().Err(err).Msg("set terminal raw")
		r.tellTerminal()
	}
	r.front = err == nil
}

// followLineEnds keeps lines from ending twice where the user's terminal ends
// them itself, as it does while it is not raw.
func (r *run) followLineEnds() {
	if r.relayed {
		r.relay.Cooked(r.tty.EndsLines())
	}
}

// leaveFront gives the user's terminal back.
func (r *run) leaveFront() {
	if r.tty != nil && r.front {
		if err := r.tty.Restore(); err != nil {
			r.cfg.Log.Warn().Err(err).Msg("restore terminal")
		}
		r.front = false
		r.tellTerminal()
	}
}

// suspend follows the run into a suspension, so that the shell sees the job
// stop. A run that only asks for its terminal, and may have it, gets it.
func (r *run) suspend(ctx context.Context, sig syscall.Signal) {
	if sig == unix.SIGTTIN || sig == unix.SIGTTOU {
		r.wantFront = true
		if r.takeFront() {
			r.relay.Input(true)
			r.order(wire.MsgContinue, wire.PackNum(1))
			return
		}
		if r.plan.direct && r.tty != nil && r.tty.Foreground() {
			r.order(wire.MsgContinue, wire.PackNum(1))
			return
		}
	}
	if sig == unix.SIGTSTP && r.tty != nil && orphanedGroup() {
		// The kernel would not have stopped the bare command for a key.
		r.order(wire.MsgContinue, wire.PackNum(1))
		return
	}
	r.suspended = true
	if err := r.cfg.Journal.Suspend(ctx, r.cfg.UID, r.generation, r.now(), int(sig)); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("write suspension")
	}
	if r.tty == nil || orphanedGroup() {
		// No shell to tell: nobody would ever set us going again. The run stays
		// suspended, and we go on beating.
		r.hangUpReader(ctx, sig)
		return
	}
	if r.relay != nil {
		r.relay.Park()
	}
	r.leaveFront()
	r.stopSelf(sig, r.target(sig))
	if r.heart != nil {
		r.heart.Resumed()
	}
	r.goOn(ctx)
}

// hangUpReader ends the wait of a run that was suspended for wanting a terminal
// which nobody can bring to the front. The kernel would have refused it the
// terminal; a hang-up is what it does to such a group itself. One that goes on and asks
// again reads the end of its input.
func (r *run) hangUpReader(ctx context.Context, sig syscall.Signal) {
	switch {
	case r.tty == nil || sig != unix.SIGTTIN && sig != unix.SIGTTOU:
	case r.hungReader && r.relay != nil:
		r.wentOn(ctx)
		r.order(wire.MsgContinue, wire.PackNum(1))
		r.relay.EndInput()
	default:
		r.hungReader = true
		r.order(wire.MsgSignal, wire.PackNum(int64(unix.SIGHUP)))
		r.order(wire.MsgSignal, wire.PackNum(int64(unix.SIGCONT)))
	}
}

// target is who stops with the run: our own process group, for that is the job, and in
// a script the script stops with us; or ourselves alone where the stop was sent to us:
// then everybody else has got theirs, another wrapper of the pipeline for one.
func (r *run) target(sig syscall.Signal) int {
	if sig == unix.SIGTSTP && r.toldAt > 0 && r.cfg.Clock.Now().Awake-r.toldAt < stopTime {
		return unix.Getpid()
	}
	return 0
}

// stopSelf stops who is named as for kill(2) by sig, and returns when we are set going
// again; at once where the run goes on already. If it does from here on, the monitor
// sees us stopped.
func (r *run) stopSelf(sig syscall.Signal, who int) {
	select {
	case <-r.cont:
	default:
	}
	if pid := r.launched.Child.PID; pid > 0 {
		if p, err := proc.Read(pid); err != nil || !p.Stopped() {
			return
		}
	}
	r.stopNow(sig, who)
}

// stopNow stops who is named, and returns when we are set going again.
func (r *run) stopNow(sig syscall.Signal, who int) {
	stopBy(sig, who, func() {
		t := time.NewTimer(resumeWait)
		defer t.Stop()
		select {
		case <-r.cont:
		case <-t.C:
		}
	})
	signals.Take(r.incoming, unix.SIGTSTP) // where it takes ignoring it to stop
}

// goOn resumes the run after a suspension, in front or behind as we are now.
func (r *run) goOn(ctx context.Context) {
	r.wentOn(ctx)
	r.toldAt = 0
	front := r.takeFront()
	if r.plan.direct {
		front = r.tty.Foreground()
	}
	if r.relay != nil {
		r.resize()
		r.followLineEnds()
		r.relay.Unpark(front)
	}
	r.order(wire.MsgContinue, wire.PackNum(asNum(front)))
}

// woken follows a SIGCONT that found us running: the shell may have brought the
// job to the front, or somebody wants a suspended run to go on; or it ends a stop that
// cannot be caught.
func (r *run) woken(ctx context.Context) {
	r.toldAt = 0
	behind := r.lookAgain()
	front := r.tty != nil && r.tty.Foreground() && r.wantFront
	if !r.plan.direct && !r.front && r.takeFront() {
		r.relay.Input(true)
	}
	switch {
	case front || behind || r.suspended:
		r.order(wire.MsgContinue, wire.PackNum(asNum(front)))
		r.wentOn(ctx)
	default:
		r.order(wire.MsgSignal, wire.PackNum(int64(unix.SIGCONT)))
	}
}

// lookAgain notes that we are no longer in front, or that the terminal is no longer raw:
// while we were stopped a shell has taken it. It says whether we are behind now. What
// the shell has set is left as it is.
func (r *run) lookAgain() (behind bool) {
	if !r.front || r.tty.Gone() {
		return false
	}
	inFront := r.tty.Foreground()
	if inFront && r.tty.IsRaw() {
		return false
	}
	r.front = false
	r.tty.Forget()
	r.relay.Input(false)
	r.followLineEnds()
	r.tellTerminal()
	return !inFront
}

// mayCome says whether a shell could bring us to the front without a word, as it does
// with a job that was not stopped. Beside a pipe we are in the group that is in front all
// along, with others who read from the terminal: there the command has to ask for it.
func (r *run) mayCome() bool {
	return r.relay != nil && r.tty != nil && r.plan.onPair[0] && (r.wantFront || !r.plan.keepOutput) && !r.front && !r.suspended
}

// come looks whether it has.
func (r *run) come(ctx context.Context) {
	if r.mayCome() && r.tty.Foreground() {
		r.wantFront = true
		r.woken(ctx)
	}
}

// wentOn writes down that a suspended run goes on.
func (r *run) wentOn(ctx context.Context) {
	if !r.suspended {
		return
	}
	r.suspended = false
	if err := r.cfg.Journal.Continue(ctx, r.cfg.UID, r.generation, r.now()); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("write continuation")
	}
}

// resize gives the inner terminal the size of the user's, and says whether that
// was news: the kernel then tells the run.
func (r *run) resize() bool {
	if r.tty == nil || r.pair == nil {
		return false
	}
	changed, err := terminal.CopySize(r.pair.Master, r.tty.FD())
	if err != nil {
		r.cfg.Log.Debug().Err(err).Msg("follow terminal size")
	}
	return changed
}

// tap follows what the run switches on, and passes the bytes on to whoever
// looks on. It runs on the relay's goroutine.
func (r *run) tap(b []byte) {
	r.passed.lines.Add(int64(bytes.Count(b, []byte{'\n'})))
	r.modes.Scan(b)
	if v := r.modes.Version(); v != r.modesSeen {
		r.modesSeen = v
		r.terminalMu.Lock()
		r.told.Reset = r.modes.Reset()
		r.sendTerminal()
		r.terminalMu.Unlock()
	}
	r.watched(FromTerminal, b)
}

// watched passes bytes on to whoever looks on, one chunk at a time.
func (r *run) watched(from Source, b []byte) {
	if s := r.scout.Load(); s != nil {
		s.stir()
	}
	if from != FromTerminal {
		r.passed.bytes.Add(int64(len(b)))
	}
	if r.cfg.Tap != nil {
		r.tapMu.Lock()
		defer r.tapMu.Unlock()
		r.cfg.Tap(from, b)
	}
}

// tellTerminal keeps the monitor able to give the terminal back in our stead.
func (r *run) tellTerminal() {
	r.terminalMu.Lock()
	defer r.terminalMu.Unlock()
	set := r.tty.RawState()
	r.told.Raw = set != nil
	if set != nil {
		r.told.Found, r.told.Set = r.tty.Found(), *set
	}
	r.sendTerminal()
}

// sendTerminal sends what is told. The caller holds terminalMu.
func (r *run) sendTerminal() {
	if !r.plan.direct && r.wire != nil {
		_ = r.wire.Send(wire.MsgTerminal, r.told.Pack())
	}
}

// order sends an order to the monitor. One that does not arrive meets a monitor
// that is gone, which the reports tell.
func (r *run) order(kind wire.Kind, body []byte) {
	if (kind == wire.MsgStop || kind == wire.MsgSignal) && !r.plan.direct && r.monitor > 0 {
		_ = unix.Kill(r.monitor, unix.SIGCONT) // stopped, it would neither obey nor report
	}
	if err := r.wire.Send(kind, body); err != nil {
		r.cfg.Log.Debug().Err(err).Msg("send order")
	}
}

// restore gives the user's terminal back for good: as it was found, without
// what an abnormal end has left switched on.
func (r *run) restore() {
	if r.tty == nil {
		return
	}
	ignoreTTOU()
	if r.abnormal() && !r.tty.Gone() {
		reset := r.modes.Reset()
		_, _ = unix.Write(r.tty.FD(), reset)
		r.modes.Scan(reset)
	}
	r.leaveFront()
	r.terminalMu.Lock()
	r.told = wire.TerminalState{}
	r.sendTerminal()
	r.terminalMu.Unlock()
	_ = r.tty.Close()
}

// abnormal says whether the command had no chance to clean up after itself.
func (r *run) abnormal() bool { return r.exit.Signal != 0 || r.exit.Killed || !r.exit.Done }

// asNum is a truth value on the wire.
func asNum(v bool) int64 {
	if v {
		return 1
	}
	return 0
}
