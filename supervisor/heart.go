package supervisor

import (
	"context"
	"path/filepath"
	"slices"
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

// startHeart begins to beat.
func (r *run) startHeart() {
	r.watch = r.newWatch()
	cfg := r.heartConfig()
	cfg.Descendants, cfg.Activity, cfg.Look, cfg.Heard = r.watch.descendants, r.watch.activity, r.watch.look, r.watch.hear
	s := newScout(offspring(r.monitor, r.launched.Child.PID), cfg.Wakes)
	cfg.Wakes = s.beats
	r.heart = heartbeat.New(cfg)
	r.heart.Start()
	s.start()
	r.scout.Store(s)
}

// offspring looks for what a command has started below a monitor; the command itself
// is in the row already. It finds nothing when that cannot be read, because the monitor
// is gone. What looks is on a goroutine of its own and has nothing of the run's.
func offspring(monitor, command int) func() []store.Descendant {
	return func() []store.Descendant {
		all, err := living(monitor)
		if err != nil {
			return nil
		}
		return asDescendants(slices.DeleteFunc(all, func(p proc.Process) bool { return p.PID == command }))
	}
}

// living are the processes below a monitor that have not ended.
func living(monitor int) ([]proc.Process, error) {
	all, err := proc.Descendants(monitor)
	return slices.DeleteFunc(all, proc.Process.Dead), err
}

// asDescendants is a census as the ledger keeps it.
func asDescendants(all []proc.Process) []store.Descendant {
	list := make([]store.Descendant, 0, min(len(all), knownMost))
	for _, p := range all[:min(len(all), knownMost)] {
		list = append(list, store.Descendant{PID: p.PID, StartTicks: p.Start, Name: p.Name})
	}
	return list
}

// heartConfig is how a run beats. Wakes are watched where the system tells of them.
func (r *run) heartConfig() heartbeat.Config {
	cfg := heartbeat.Config{
		UID: r.cfg.UID, Generation: r.generation, Interval: r.cfg.Interval, BootID: r.cfg.BootID,
		Prompt: r.cfg.FlowID != "",
		Clock:  r.cfg.Clock, Ledger: beats{r.cfg.Journal, r.cfg.Clock, r.cfg.Log},
		OnAnswer: func(a heartbeat.Answer) {
			select {
			case r.wants <- a:
			case <-r.over:
			}
		},
	}
	if a, err := clock.NewAlarm(); err == nil {
		r.alarm, cfg.Alarm = a, a
	}
	if w, err := clock.WatchWakes(); err == nil {
		r.wakes = w
		cfg.Wakes = w.C()
	}
	return cfg
}

// stopHeart ends the beating and keeps what it did not get written.
func (r *run) stopHeart(ctx context.Context) {
	if r.heart == nil {
		return
	}
	r.scout.Load().stop()
	r.stopBeating(ctx)
	r.watch.awake.release()
	r.watch.heal.stop()
	r.noteDead()
}

// stopBeating ends the beats, and what they were told the time by.
func (r *run) stopBeating(ctx context.Context) {
	for _, e := range r.heart.Stop() {
		if _, err := r.cfg.Journal.Append(ctx, e); err != nil {
			r.cfg.Log.Warn().Err(err).Msg("write event")
		}
	}
	if r.wakes != nil {
		_ = r.wakes.Close()
		r.wakes = nil
	}
	if r.alarm != nil {
		_ = r.alarm.Close()
		r.alarm = nil
	}
}

// newWatch looks after the run from now on.
func (r *run) newWatch() *watch {
	c := r.cfg.Watch
	w := &watch{
		cfg: c, agent: r.cfg.Agent != "", monitor: r.monitor, command: r.launched.Child.PID,
		passed: &r.passed, activity: r.activity(), tell: r.raise, interval: r.cfg.Interval,
		rules: heartbeat.NewWatch(heartbeat.Rules{Idle: c.Idle, Stall: c.Stall, Agent: r.cfg.Agent != "", Interval: r.cfg.Interval}),
		last:  r.cfg.Clock.Now(),
		conns: connections{found: func(peer string, lasted time.Duration) { r.raise(concern{dead: peer, lasted: lasted}) }},
	}
	if r.relay != nil {
		w.moved = r.relay.Moved
	}
	if c.StayAwake {
		w.awake = newWakefulness(r.wakeReason(), r.keepsAwake, func(err error) {
			r.cfg.Log.Warn().Err(err).Msg("stay awake")
			r.raise(concern{asleep: err})
		})
	}
	if c.HealAfterSleep {
		w.heal = newHealer(r.cfg.Clock, func(err error) { r.cfg.Log.Debug().Err(err).Msg("heal connection") },
			func(peers []string) { r.raise(concern{healed: peers}) })
	}
	return w
}

// keepsAwake takes in which child of ours keeps the machine awake, 0 for none.
func (r *run) keepsAwake(pid int) { r.helper.Store(int64(pid)) }

// wakeReason is why the machine is kept awake, for people.
func (r *run) wakeReason() string {
	if r.cfg.Agent != "" {
		return r.cfg.Agent + " is working"
	}
	return filepath.Base(r.cfg.Path) + " is working"
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
