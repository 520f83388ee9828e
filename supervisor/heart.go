package supervisor

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// knownMost bounds the list of descendants written with a beat: it is there to
// find escapees later, not to be complete under a fork storm.
const knownMost = 256

// beats is the journal as a beater wants it.
type beats struct {
	*store.Recorder
	clock clock.Clock
	log   zerolog.Logger
}

// Beat writes one beat; how long that takes is worth knowing when a thousand
// wrappers share a ledger.
func (b beats) Beat(ctx context.Context, beat store.Beat) (store.BeatAnswer, error) {
	began := b.clock.Now().Awake
	answer, err := b.Recorder.Beat(ctx, beat)
	b.log.Debug().Err(err).Dur("took", b.clock.Now().Awake-began).Msg("beat")
	return answer, err
}

// startHeart begins to beat. Wakes are watched where the system tells of them.
func (r *run) startHeart() {
	cfg := heartbeat.Config{
		UID: r.cfg.UID, Generation: r.generation, Interval: r.cfg.Interval, BootID: r.cfg.BootID,
		Prompt: r.cfg.FlowID != "",
		Clock:  r.cfg.Clock, Ledger: beats{r.cfg.Journal, r.cfg.Clock, r.cfg.Log},
		Descendants: r.descendants(), Activity: r.activity(),
		OnAnswer: func(a heartbeat.Answer) {
			select {
			case r.wants <- a:
			case <-r.over:
			}
		},
	}
	if w, err := clock.WatchWakes(); err == nil {
		r.wakes = w
		cfg.Wakes = w.C()
	}
	r.heart = heartbeat.New(cfg)
	r.heart.Start()
}

// stopHeart ends the beating and keeps what it did not get written.
func (r *run) stopHeart(ctx context.Context) {
	if r.heart == nil {
		return
	}
	for _, e := range r.heart.Stop() {
		if _, err := r.cfg.Journal.Append(ctx, e); err != nil {
			r.cfg.Log.Warn().Err(err).Msg("write event")
		}
	}
	if r.wakes != nil {
		_ = r.wakes.Close()
	}
	s := r.heart.LastSleep()
	r.noteSleep(s.For, s.Woke)
}

// descendants answers with what the run has started. When that cannot be read,
// because the monitor is gone, the last list stands: it is what finds escapees.
func (r *run) descendants() func() []store.Descendant {
	var last []store.Descendant
	monitor := r.monitor
	return func() []store.Descendant {
		all, err := proc.Descendants(monitor)
		if err != nil {
			return last
		}
		last = make([]store.Descendant, 0, min(len(all), knownMost))
		for _, p := range all[:min(len(all), knownMost)] {
			if !p.Dead() {
				last = append(last, store.Descendant{PID: p.PID, StartTicks: p.Start, Name: p.Name})
			}
		}
		return last
	}
}

// activity answers when bytes last passed the terminal, to the precision of a
// beat: nothing is timed on their way. It is nil without a terminal.
func (r *run) activity() func() int64 {
	if r.relay == nil {
		return nil
	}
	var seen, at int64
	return func() int64 {
		out, in := r.relay.Moved()
		if moved := out + in; moved != seen {
			seen, at = moved, r.cfg.Clock.Now().Wall.UnixMilli()
		}
		return at
	}
}

// identify names a process for ever; a start of 0 is looked up.
func (r *run) identify(pid int, start uint64) store.Identity { return r.cfg.identify(pid, start) }

// identify is that of the run's configuration.
func (c Config) identify(pid int, start uint64) store.Identity {
	if start == 0 {
		if p, err := proc.Read(pid); err == nil {
			start = p.Start
		}
	}
	id := c.Machine
	id.PID, id.StartTicks = pid, start
	return id
}

// milliseconds is a duration the other side of the wire counts in.
func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
