package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// ownError is a launch that failed through no fault of the command.
type ownError struct{ err error }

// Error says what we could not do.
func (e *ownError) Error() string { return "launch command: " + e.err.Error() }

// Unwrap gives the reason.
func (e *ownError) Unwrap() error { return e.err }

// patience is for how long after it lost its connection the command may end because
// of that, in awake time. Of one nobody measured it is as long as a sleep counts by
// itself: agents were seen to try again for up to five minutes.
func (r *run) patience() time.Duration {
	if p := r.cfg.Watch.Patience; p > 0 {
		return p
	}
	return sleepWindow
}

// end hands over the last output, gives the terminal back, waits until nothing
// of the run is left to look after, and writes the end down.
func (r *run) end(ctx context.Context) Result {
	if len(r.ignored) > 0 {
		signal.Ignore(r.ignored...) // for what comes after it, as we found them
	}
	enough := r.enough()
	stalled := r.relay != nil && r.relayed && r.relay.Finish(enough)
	if r.diverted != nil {
		_ = r.diverted.theirs.Close()
	}
	stalled = !r.hush() || stalled
	r.restore()
	if r.launchErr == nil && !r.exit.Clean && r.monitor != 0 {
		r.awaitDone(ctx)
	}
	r.finishPassages(enough)
	if r.exit.Clean && !r.plan.direct {
		r.dismissMonitor() // it ends while the end is written
	}
	close(r.over)
	r.stopHeart(ctx)
	res := Result{Announcement: r.announced, Launch: r.launched, LaunchError: r.launchErr, InLedger: r.inLedger, Stalled: stalled, StartedAtMS: r.launched.At.WallMS}
	res.WithinLine = r.plan.onPair[2] && r.modes.Within()
	res.Ending = r.ending(&res)
	if r.cfg.Ended != nil {
		r.cfg.Ended(ctx, &res.Ending)
	}
	r.recording.Wait()
	r.noteSleep(&res.Ending)
	r.clearUser(&res.Ending)
	r.noteLeft(&res.Ending)
	alone, err := r.cfg.Journal.Finish(ctx, res.Ending)
	if err != nil {
		r.cfg.Log.Error().Err(err).Msg("write end")
	}
	res.Alone = alone
	r.tellLeftovers(ctx)
	r.releaseRunFile(res.Ending, err)
	r.dismissMonitor()
	if r.pair != nil {
		_ = r.pair.Close()
	}
	res.Hurried, res.Late, res.Interrupted, res.Bury = r.hurried, r.late, r.interruptedLate, r.buryMonitor
	return res
}

// interruptedLate says whether an interrupt has come that nobody has acted on.
func (r *run) interruptedLate() bool {
	_ = r.hurried() // takes in what has come
	return r.brief && r.hurriedBy.Load() == int64(unix.SIGINT)
}

// killWait is for how long a user who has asked twice waits for what was left behind to be
// killed. That takes milliseconds, but where somebody bears children faster than they die,
// or waits in the kernel.
const killWait = time.Second

// awaitDone waits until the monitor has dealt with what the run left behind. A
// user who asks for the end meanwhile gets it: the monitor finishes alone. One whose wish
// ended the command has asked for the kill, and waits for that, unless he asks once more.
func (r *run) awaitDone(ctx context.Context) {
	r.listen()
	settled := r.settles(ctx, r.urgent(), nil)
	if !settled && r.obeyed() && r.stop.users() {
		r.order(wire.MsgStop, wire.StopOrder{First: unix.SIGKILL, By: r.stop.by}.Pack())
		bound := time.NewTimer(killWait)
		defer bound.Stop()
		settled = r.settles(ctx, r.insisted, bound.C)
	}
	r.unsettled = !settled
}

// settles takes in what the monitor did about what was left behind. It is false when that
// is waited for no longer. Of a monitor that is killed over it the rest is taken over; how
// the command ended is known by then.
func (r *run) settles(ctx context.Context, enough <-chan struct{}, bound <-chan time.Time) bool {
	for {
		select {
		case m, ok := <-r.reports:
			if !ok {
				exit, at := r.exit, r.exitAt
				r.monitorLost(ctx)
				r.exit, r.exitAt = exit, at
				return true
			}
			if m.Kind != wire.MsgDone {
				continue
			}
			if len(m.Body) > 0 && json.Unmarshal(m.Body, &r.left) != nil {
				r.cfg.Log.Error().Msg("read leftovers")
			}
			return true
		case <-enough:
			return false
		case <-bound:
			return false
		}
	}
}

// hurried says whether somebody asked for the end once the command had ended.
func (r *run) hurried() bool {
	for r.hurry == nil {
		select {
		case s := <-r.sigs:
			if r.hurries(s) {
				return r.launchErr == nil
			}
		default:
			return false
		}
	}
	select {
	case <-r.hurry:
		return true
	default:
		return false
	}
}

// urgent is told when somebody asks, after the command has ended, that the rest
// end too. It reads the signals on behalf of whoever waits for them no longer, for as long
// as this process lives.
func (r *run) urgent() <-chan struct{} {
	if r.hurry == nil {
		r.hurry, r.insisted, r.late = make(chan struct{}), make(chan struct{}), make(chan os.Signal, 1)
		go func() {
			wishes := []chan struct{}{r.hurry, r.insisted}
			for s := range r.sigs {
				if !r.hurries(s) {
					continue
				}
				if len(wishes) > 0 {
					close(wishes[0])
					wishes = wishes[1:]
				}
				select {
				case r.late <- s:
				default: // one is enough
				}
			}
		}()
	}
	return r.hurry
}

// hurries says whether a signal asks for the end, and keeps the first that does. One that
// stops us is for us alone, now that the command is over.
func (r *run) hurries(s os.Signal) bool {
	if s == unix.SIGTSTP && !orphanedGroup() {
		r.stopNow(unix.SIGTSTP, unix.Getpid())
	}
	p := r.policy(s)
	if !p.asks() || p == firm && r.asked.CompareAndSwap(true, false) {
		return false
	}
	r.hurriedBy.CompareAndSwap(0, int64(number(s)))
	return true
}

// ending puts the end together. res learns what is no part of the row.
func (r *run) ending(res *Result) store.Ending {
	now := r.exitAt
	if r.launchErr != nil {
		now = r.cfg.Clock.Now()
	}
	e := store.Ending{
		UID: r.cfg.UID, Generation: r.generation, At: r.instant(now),
		AwakeMS:     r.ranFor(r.instant(now)),
		SuspendedMS: max(now.Suspended-r.began.Suspended, 0).Milliseconds(),
		Leftovers:   r.left, Degraded: r.cfg.Journal.Degraded(),
	}
	if r.launchErr != nil {
		e.End, e.ExitCode = lifecycle.EndNotStarted, new(r.notLaunchedCode())
		r.note(lifecycle.SourceOwnAct, r.launchErr.Error(), lifecycle.CauseNotStarted)
		e.Evidence = r.evidence
		e.StoppedBy, res.StopSignal = r.stop.by, int(r.stop.signal)
		res.CutShort = errors.Is(r.launchErr, errCalledOff) && r.cfg.NotBefore.IsZero() && res.StopSignal != 0
		return e
	}
	if !r.launchWritten {
		e.Launch = &r.launched
	}
	e.End, e.ExitCode, e.Signal = r.exit.End()
	e.CoreDumped = r.exit.Core
	if r.exit.Lost {
		e.End, e.ExitCode, e.Signal = lifecycle.EndLost, nil, nil
	}
	e.StoppedBy, e.StopFailed = r.judgeStop()
	res.Keyed = r.together
	if e.StoppedBy == lifecycle.StoppedByUser || e.StoppedBy == lifecycle.StoppedByParent {
		res.StopSignal = int(r.stop.signal)
	}
	if e.StoppedBy == lifecycle.StoppedByNobody && killedOutright(r.exit) {
		r.noteStarved(memoryKills())
	}
	e.Evidence = r.evidence
	return e
}

// killedOutright says whether the command died of KILL, or says that what it had
// launched did.
func killedOutright(exit wire.ExitReport) bool {
	return diedOf(exit, unix.SIGKILL)
}

// noteStarved keeps as evidence that the kernel has killed for want of memory
// while the run lasted. It does not tell whom; we ask only for a run that was
// killed and that nobody we know of has killed.
func (r *run) noteStarved(kills int64) {
	if r.starved >= 0 && kills > r.starved {
		r.note(lifecycle.SourceKernel, "it was killed, and the kernel has killed for want of memory meanwhile", lifecycle.CauseOOM)
	}
}

// ranFor is how long the command had run by then, awake, in milliseconds: what
// went before its launch is ours, and one that was never launched ran for 0.
func (r *run) ranFor(then store.Instant) int64 {
	if r.launched.At.WallMS == 0 {
		return 0
	}
	return max(then.AwakeMS-r.launched.At.AwakeMS, 0)
}

// notLaunchedCode is the exit code of a command that did not start: the
// command's fault or ours.
func (r *run) notLaunchedCode() int {
	if own := (*ownError)(nil); errors.As(r.launchErr, &own) || errors.Is(r.launchErr, errCalledOff) {
		return ExitNotLaunched
	}
	return launchCode(r.launchErr)
}

// releaseRunFile gives up the lease. The file stays when the end could not be
// written anywhere else: it holds the exit record.
func (r *run) releaseRunFile(e store.Ending, unwritten error) {
	if r.runFile == nil {
		return
	}
	r.syncing.Wait()
	written := unwritten == nil && !r.cfg.Journal.Lost()
	if unwritten == nil && !written {
		r.recordEnd(e)
	}
	// The monitor removes the file behind our back: the user waits for us. Of a launch
	// that was refused it may never have heard where the file is.
	// One that is still at what was left behind writes down beside it what becomes of
	// that, for a sweep to take in. Nobody takes in a record for a row that is another's.
	remove := errors.Is(unwritten, store.ErrNotOurs) ||
		written && !r.unsettled && (r.launchErr != nil || r.wire == nil || r.dismissed || r.wire.Send(wire.MsgForget, nil) != nil)
	if err := r.runFile.Release(remove); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("release run file")
	}
}

// recordEnd writes an end that nothing else takes over what the monitor has recorded,
// which does not know what the ledger misses, nor all of how it was stopped. Nobody saw one
// that is lost: the absence of a record says so.
func (r *run) recordEnd(e store.Ending) {
	if e.End == lifecycle.EndLost {
		return
	}
	rec := runfile.ExitRecord{
		UID: e.UID, Generation: e.Generation, End: e.End, ExitCode: e.ExitCode, Signal: e.Signal, CoreDumped: e.CoreDumped,
		StoppedBy: e.StoppedBy, StopFailed: e.StopFailed, At: e.At, Degraded: true,
	}
	if r.launched.At.WallMS != 0 {
		rec.Started = &r.launched.At
	}
	if err := runfile.WriteExit(r.runFile.Path(), rec, false); err != nil {
		r.cfg.Log.Warn().Err(err).Msg("write exit record")
	}
}

// buryWait bounds for how long the monitor's own end is waited for, which takes a
// millisecond where nobody has stopped it; a second more in a program that looks for races.
const buryWait = 3 * time.Second

// dismissMonitor has the monitor end: it has nothing left to do.
func (r *run) dismissMonitor() {
	if r.dismissed {
		return
	}
	r.dismissed = true
	if r.wire != nil && !r.plan.direct {
		r.wire.Finish()
	} else if r.wire != nil {
		r.wire.Close()
	}
	if !errors.Is(r.launchErr, errCalledOff) {
		r.inside.Wait()
	}
}

// buryMonitor takes in the exit of the monitor, and with it what the run has used of the
// machine: whoever waits for us is told that of all whose exits were taken in. Inside
// another run its monitor would take ours for something left behind.
func (r *run) buryMonitor() {
	if r.plan.direct || r.monitor <= 0 || r.wire == nil {
		return
	}
	wait, bound := unix.WNOHANG, int(buryWait.Milliseconds())
	if r.hurried() {
		bound = 0 // it may still be at what the run has left behind
	}
	if r.wire.Finished(bound) {
		wait = 0
	}
	_, _ = unix.Wait4(r.monitor, nil, wait, nil)
	r.wire.Close()
}

// monitorLost ends a run whose monitor was killed. The kernel has hung the run
// up with it, and what did not listen has become our child: we are a subreaper
// too, so that even then the real exit is known.
func (r *run) monitorLost(ctx context.Context) {
	r.note(lifecycle.SourceOwnAct, "the monitor process was killed", "")
	r.tell(ctx, lifecycle.EventMonitorLost, nil)
	if r.launched.Child.PID != 0 && !r.ended() && !r.stopping() {
		// Whatever code it finds to end with, we are the ones who stop it.
		r.stop = stopState{by: lifecycle.StoppedByReaper, at: r.cfg.Clock.Now().Awake, firm: true}
	}
	// Its descriptors go a moment before it does, in which it would look left behind.
	_, _ = unix.Wait4(r.monitor, nil, 0, nil)
	r.exit = wire.ExitReport{Done: true, Lost: true, Code: -1}
	r.exitAt = r.cfg.Clock.Now()
	r.takeOver(ctx)
}

// takeOver stops what a monitor that is gone has left to us. Of a run that was called off
// before anything was launched nothing is kept.
func (r *run) takeOver(ctx context.Context) {
	kin := monitor.Kin{UID: r.cfg.UID, RunFile: r.announced.RunFile, Helper: &r.helper}
	keep := func(p proc.Process) (string, bool) {
		if r.launched.Child.PID != 0 && p.PID != r.launched.Child.PID && (r.cfg.Leftovers == wire.LeftoversKeep || r.cfg.Leftovers == wire.LeftoversReport) {
			return "left alone as asked", true
		}
		return kin.Keep(p)
	}
	reap := func() {
		var ws unix.WaitStatus
		for {
			pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
			if err == nil && pid > 0 && pid == r.launched.Child.PID {
				r.exit = exitOf(ws)
			}
			if err != unix.EINTR && (err != nil || pid <= 0) {
				return
			}
		}
	}
	at, grace := r.launched.Cgroup, r.cfg.Grace
	if r.launched.Child.PID == 0 {
		// The monitor may have made it, and not have told us; and what is there has hardly
		// run, if at all, and has nothing to tidy up.
		at, grace = proc.GroupPath(r.cfg.UID), 0
	}
	group, _ := proc.GroupAt(at)
	r.left = monitor.Named(proc.StopUntilQuiet(context.WithoutCancel(ctx), proc.StopConfig{
		Groups: []proc.Group{group},
		Census: kin.Below,
		Keep:   keep,
		Grace:  grace,
		Now:    func() time.Duration { return r.cfg.Clock.Now().Awake },
		Reap:   reap,
	}))
	reap()
	_ = group.Release()
	r.monitor = 0
}

// exitOf reads a wait status of something that has ended.
func exitOf(ws unix.WaitStatus) wire.ExitReport {
	if ws.Signaled() {
		return wire.ExitReport{Done: true, Code: -1, Signal: ws.Signal(), Core: ws.CoreDump()}
	}
	return wire.ExitReport{Done: true, Code: ws.ExitStatus()}
}

// sleepWindow is how long before the end, in awake time, a sleep counts as a possible
// cause by itself.
const sleepWindow = 5 * time.Minute

// noteSleep keeps a sleep before the end as evidence: a short while before it by
// itself, which proves nothing yet, for machines sleep through good runs; and for as
// long as the command was seen to try again where its connection was lost.
func (r *run) noteSleep(e *store.Ending) {
	if r.heart == nil {
		return
	}
	s := r.heart.LastSleep()
	ago := r.exitAt.Awake - s.Woke.Awake
	if s.For == 0 || !sleepCounts(ago, r.patience(), e.Evidence) {
		return
	}
	e.Evidence = append(e.Evidence, lifecycle.Evidence{
		Source: lifecycle.SourceClock, AtMS: r.cfg.Clock.Now().Wall.UnixMilli(), Points: lifecycle.CauseSleep,
		Detail: fmt.Sprintf("the machine slept for %s and woke %s before the end", rounded(s.For), rounded(ago)),
	})
}

// sleepCounts says whether a sleep that ended so long before the end may be its cause.
func sleepCounts(ago, patience time.Duration, evidence []lifecycle.Evidence) bool {
	lost := slices.ContainsFunc(evidence, func(e lifecycle.Evidence) bool { return e.Points == lifecycle.CauseDisconnect })
	return ago <= sleepWindow || lost && ago <= patience
}
