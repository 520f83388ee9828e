package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// How often a queued run looks whether its turn has come: the nearer it is, the
// more often, so that a crowd does not keep the machine busy with waiting.
const (
	turnPause  = 20 * time.Millisecond
	turnLonger = time.Second
	// turnSettle is how often those next in line settle what died ahead of them.
	turnSettle = 2 * time.Second
	// turnNext is how many count as next in line.
	turnNext = 2
)

// turn is a committed run that has not been launched.
type turn struct {
	*wrapping
	cfg       supervisor.Config
	committed store.FlowRunResult
	limit     int

	beat, settled time.Duration // awake times of the last
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
		if off != nil || a.Taken {
			return off
		}
		waiting := max(a.Ahead-a.Limit, 0)
		pause = min(turnPause*time.Duration(1+waiting), turnLonger)
		t.keepUp(ctx, waiting < turnNext)
	}
}

// look asks whether the turn has come. Trouble with the ledger is waited out.
func (t *turn) look(ctx context.Context) (a store.SlotAnswer, off *calledOff) {
	l, err := t.journal.Ledger(ctx)
	if err == nil {
		a, err = l.TakeSlot(ctx, store.SlotRequest{UID: t.uid, Generation: t.committed.Generation, Limit: t.limit})
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a, &calledOff{why: "its row is gone", over: true}
	case err != nil:
		t.log.Warn().Err(err).Msg("wait for a turn")
		return store.SlotAnswer{Ahead: turnNext, Limit: 1}, nil
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
			if by, sig, ends := stopOf(s); ends {
				return &calledOff{by: by, signal: sig, why: fmt.Sprintf("%s was sent", s)}
			}
			continue
		default:
		}
		select {
		case s := <-t.cfg.Signals:
			if by, sig, ends := stopOf(s); ends {
				return &calledOff{by: by, signal: sig, why: fmt.Sprintf("%s was sent", s)}
			}
		case <-ctx.Done():
			return &calledOff{by: lifecycle.StoppedByParent, why: "its caller has gone"}
		case <-timer.C:
			return nil
		}
	}
}

// keepUp beats, and has those next in line settle what died ahead of them: nobody
// else may be there to do it.
func (t *turn) keepUp(ctx context.Context, next bool) {
	now := t.env.clock.Now()
	l, err := t.journal.Ledger(ctx)
	if err != nil {
		return
	}
	if now.Awake-t.beat >= t.cfg.Interval {
		t.beat = now.Awake
		at := heartbeat.InstantOf(now, t.cfg.BootID)
		if _, err := l.Beat(ctx, store.Beat{UID: t.uid, Generation: t.committed.Generation, At: at}); err != nil {
			t.log.Warn().Err(err).Msg("beat in the queue")
		}
	}
	if next && now.Awake-t.settled >= turnSettle {
		t.settled = now.Awake
		if err := t.env.settle(ctx, l, t.stateDir); err != nil {
			t.log.Warn().Err(err).Msg("settle the queue")
		}
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
		LaunchError: fmt.Errorf("run %s was called off before its launch: %s", t.uid, off.why),
	}
}
