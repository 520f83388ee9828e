package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// How often a queued run looks whether its turn has come: the nearer it is, the
// more often, so that a crowd does not keep the machine busy with waiting.
const (
	turnPause  = 20 * time.Millisecond
	turnLonger = time.Second
	// turnSettle is how often the next in line settles what died ahead of it, and
	// turnSettleLongest how often those at the end of the line do at least: whoever is
	// next may have died, too.
	turnSettle        = 2 * time.Second
	turnSettleLongest = 30 * time.Second
)

// turnSettles is how often a run settles that has so many others to wait for until
// it is next.
func turnSettles(waiting int) time.Duration {
	return min(turnSettle+time.Duration(waiting)*turnSettle/8, turnSettleLongest)
}

// turn is a committed run that has not been launched.
type turn struct {
	*wrapping
	cfg       supervisor.Config
	committed store.FlowRunResult
	limit     int

	beat, settled time.Duration // awake times of the last
	said          bool          // the user knows that it waits
}

// calledOff is why a run is not launched after all.
type calledOff struct {
	by     lifecycle.StoppedBy
	signal int
	why    string
	// over: its row has ended already.
	over bool
}

// await returns nil when the run is to be launched: at once, or when its turn has
// come. A signal, and whoever asks for its end in the ledger, calls it off.
func (t *turn) await(ctx context.Context) *calledOff {
	t.beat = t.env.clock.Now().Awake
	t.settled = t.beat
	for pause := time.Duration(0); ; {
		if off := t.pause(ctx, pause); off != nil || !t.committed.Announcement.Queued {
			return off
		}
		a, off := t.look(ctx)
		if a.Taken {
			// It waits no longer, for its time neither. Whoever looks for its monitor
			// counts from this beat.
			t.cfg.NotBefore = time.Time{}
			t.beatNow(ctx)
		}
		if off != nil || a.Taken {
			return off
		}
		t.sayWaiting(a)
		pause = t.nextLook(a)
		t.keepUp(ctx, a)
	}
}

// sayWaiting tells a user at a terminal, once, why nothing happens.
func (t *turn) sayWaiting(a store.SlotAnswer) {
	if t.said || a.NotBeforeMS != 0 || a.Limit == 0 || !term.IsTerminal(int(t.env.stderr.Fd())) {
		return
	}
	t.said = true
	t.say("waits for its turn (flow %s, limit %d)", t.cfg.FlowID, a.Limit)
	t.log.Debug().Int("limit", a.Limit).Msg("waits for its turn")
}

// nextLook is how long to wait until the next look.
func (t *turn) nextLook(a store.SlotAnswer) time.Duration {
	if a.NotBeforeMS != 0 {
		left := time.UnixMilli(a.NotBeforeMS).Sub(t.env.clock.Now().Wall)
		return min(max(left, turnPause), turnLonger)
	}
	return min(turnPause*time.Duration(1+a.Waiting()), turnLonger)
}

// look asks whether the turn has come. Trouble with the ledger is waited out.
func (t *turn) look(ctx context.Context) (a store.SlotAnswer, off *calledOff) {
	l, err := t.journal.Ledger(ctx)
	if err == nil {
		a, err = l.TakeSlot(ctx, store.SlotRequest{UID: t.uid, Generation: t.committed.Generation, Limit: t.limit, NowMS: t.env.clock.Now().Wall.UnixMilli()})
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a, &calledOff{why: "its row is gone", over: true}
	case err != nil:
		t.log.Warn().Err(err).Msg("wait for a turn")
		return store.SlotAnswer{Ahead: 1}, nil
	case a.End.Over():
		return a, &calledOff{why: "its row has ended", over: true}
	case a.StopRequested != lifecycle.StoppedByNobody && !a.Taken:
		return a, &calledOff{by: a.StopRequested, why: "it was asked to end"}
	}
	return a, nil
}

// pause waits for a while, or for a signal that ends the waiting.
func (t *turn) pause(ctx context.Context, d time.Duration) *calledOff {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		// A signal that is there goes before a timer that is over.
		select {
		case s := <-t.cfg.Signals:
			if off := t.stopOf(s); off != nil {
				return off
			}
			continue
		default:
		}
		select {
		case s := <-t.cfg.Signals:
			if off := t.stopOf(s); off != nil {
				return off
			}
		case <-ctx.Done():
			return &calledOff{by: lifecycle.StoppedByParent, why: "its caller has gone"}
		case <-timer.C:
			return nil
		}
	}
}

// stopOf is the end that a signal asks for; nil when it asks for none. It means what
// it means to a run that waits for its time.
func (t *turn) stopOf(s os.Signal) *calledOff {
	sig, ok := s.(syscall.Signal)
	off := &calledOff{by: lifecycle.StoppedByUser, signal: int(sig), why: fmt.Sprintf("%s was sent", s)}
	switch {
	case ok && (sig == unix.SIGINT || sig == unix.SIGQUIT || sig == unix.SIGTERM):
		return off
	case sig == unix.SIGHUP && t.cfg.OnHangup != supervisor.HangupKeep:
		off.by = lifecycle.StoppedByTerminal
		return off
	default:
		return nil
	}
}

// keepUp beats, and settles what died ahead: nobody else may be there to do it.
func (t *turn) keepUp(ctx context.Context, a store.SlotAnswer) {
	now := t.env.clock.Now().Awake
	if now-t.beat >= t.cfg.Interval {
		t.beatNow(ctx)
	}
	if a.NotBeforeMS != 0 || now-t.settled < turnSettles(a.Waiting()) {
		return
	}
	t.settled = now
	l, err := t.journal.Ledger(ctx)
	if err == nil {
		_, err = reaper.SettleAhead(ctx, l, spoolDir(t.stateDir), t.uid, t.env.observer())
	}
	if err != nil {
		t.log.Warn().Err(err).Msg("settle the queue")
	}
}

// beatNow says that we are alive.
func (t *turn) beatNow(ctx context.Context) {
	now := t.env.clock.Now()
	t.beat = now.Awake
	l, err := t.journal.Ledger(ctx)
	if err == nil {
		_, err = l.Beat(ctx, store.Beat{UID: t.uid, Generation: t.committed.Generation, At: heartbeat.InstantOf(now, t.cfg.BootID)})
	}
	if err != nil {
		t.log.Warn().Err(err).Msg("beat in the queue")
	}
}

// callOff ends a run that was never launched.
func (t *turn) callOff(ctx context.Context, off *calledOff) supervisor.Result {
	now := heartbeat.InstantOf(t.env.clock.Now(), t.cfg.BootID)
	code := supervisor.ExitNotLaunched
	end := store.Ending{
		UID: t.uid, Generation: t.committed.Generation, End: lifecycle.EndNotStarted, ExitCode: &code, StoppedBy: off.by,
		At: now, Evidence: []lifecycle.Evidence{{
			Source: lifecycle.SourceOwnAct, Detail: "called off before its launch: " + off.why, AtMS: now.WallMS,
		}},
	}
	if t.cfg.Ended != nil {
		t.cfg.Ended(ctx, &end)
	}
	if !off.over {
		if _, err := t.journal.Finish(ctx, end); err != nil {
			t.log.Error().Err(err).Msg("write end")
		}
	}
	if err := t.cfg.RunFile.Release(!t.journal.Lost()); err != nil {
		t.log.Warn().Err(err).Msg("release run file")
	}
	return supervisor.Result{
		Announcement: t.committed.Announcement, Ending: end, InLedger: true, StopSignal: off.signal,
		Hurried:     func() bool { return true }, // nothing goes on with what was called off
		Interrupted: func() bool { return false },
		Bury:        func() {},
		LaunchError: fmt.Errorf("run %s was called off before its launch: %s", t.uid, off.why),
	}
}
