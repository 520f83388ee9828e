package heartbeat

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// maxPending bounds the events kept for a ledger that takes none. Sleeps and
// stalls come by the dozen at most; the oldest are dropped first.
const maxPending = 64

// run is the Beater's goroutine: one timer, at most one wake-up per interval.
func (b *Beater) run() {
	expected := min(b.cfg.Interval, firstBeat)
	if b.cfg.Prompt {
		expected = 0
	}
	alarm := b.cfg.Alarm
	if alarm == nil {
		t := clock.NewTimer()
		defer t.Close() //nolint:errcheck // it has none
		alarm = t
	}
	alarm.Set(expected)
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-alarm.C():
		case <-b.cfg.Wakes:
		}
		began := b.cfg.Clock.Now()
		b.observe(began, expected)
		b.beat(began)
		// Counted from the start of this beat, so that a slow ledger does not
		// make the next one late.
		expected = b.cfg.Interval
		alarm.Set(max(expected-(b.cfg.Clock.Now().Awake-began.Awake), 0))
	}
}

// observe takes in a reading that was due expected after the last one and
// notes what lay between.
func (b *Beater) observe(now clock.Reading, expected time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := Classify(b.last, now, expected)
	// A clock that ran backwards must not be counted twice when it catches up.
	now.Awake = max(now.Awake, b.last.Awake)
	now.Suspended = max(now.Suspended, b.last.Suspended)
	b.last = now
	if g.asleep() {
		b.slept = Sleep{For: g.Slept, Woke: now}
		b.note(lifecycle.EventSlept, map[string]int64{"suspended_ms": g.Slept.Milliseconds()})
	}
	if g.stalled() {
		b.note(lifecycle.EventLate, map[string]int64{"late_ms": g.Late.Milliseconds()})
	}
}

// Resumed tells that the whole process was stopped by job control until now: the
// time that took is no lateness. That the machine slept meanwhile is as true as ever.
func (b *Beater) Resumed() { b.observe(b.cfg.Clock.Now(), math.MaxInt64) }

// note queues one event at the latest reading. The caller holds the mutex.
func (b *Beater) note(t lifecycle.EventType, payload any) {
	// A map of numbers or strings always encodes.
	body, _ := json.Marshal(payload)
	b.noted++
	b.pending = append(b.pending, store.Event{
		// An append that was cut off may have been written: the id lets the
		// ledger take it once.
		ExternalID: fmt.Sprintf("beat-%d-%d", b.cfg.Generation, b.noted),
		UID:        b.cfg.UID,
		Type:       t,
		AtMS:       b.last.Wall.UnixMilli(),
		Payload:    body,
	})
	if len(b.pending) > maxPending {
		b.pending = slices.Delete(b.pending, 0, len(b.pending)-maxPending)
	}
}

// beat does all ledger work of one tick. Nothing here can fail in a way that
// matters to the run: the next beat says what this one could not, and events
// wait for it.
func (b *Beater) beat(now clock.Reading) {
	if b.answer.Fenced {
		return
	}
	if b.exchange(b.ctx, now) {
		b.flush(b.ctx)
	}
}

// exchange writes the beat, takes in the answer, and says whether the ledger
// took it.
func (b *Beater) exchange(ctx context.Context, now clock.Reading) bool {
	beat := b.compose(now)
	answer, err := b.cfg.Ledger.Beat(ctx, beat)
	if err != nil {
		return false
	}
	if answer.Reannounced {
		// The row is new, and has no descendants.
		b.written = nil
	} else if beat.Descendants != nil && !answer.Missing && !answer.Over {
		b.written = beat.Descendants
	}
	if b.cfg.Heard != nil {
		b.cfg.Heard(answer)
	}
	b.tell(Answer{StopRequested: answer.StopRequested, Fenced: answer.Fenced})
	return true
}

// compose is the beat for now. Its list of descendants is nil when the ledger
// has the same one.
func (b *Beater) compose(now clock.Reading) store.Beat {
	beat := store.Beat{
		UID:         b.cfg.UID,
		Generation:  b.cfg.Generation,
		At:          InstantOf(now, b.cfg.BootID),
		SuspendedMS: b.SuspendedTotal().Milliseconds(),
	}
	if b.cfg.Look != nil {
		beat.Vitals = b.cfg.Look(now)
	}
	if b.cfg.Activity != nil {
		beat.LastActivityMS = b.cfg.Activity()
	}
	if b.cfg.Descendants == nil {
		return beat
	}
	if list := b.cfg.Descendants(); !slices.Equal(list, b.written) {
		// Never nil: the last descendant is gone, too, is news.
		beat.Descendants = append([]store.Descendant{}, list...)
	}
	return beat
}

// tell passes on an answer that asks for something new.
func (b *Beater) tell(a Answer) {
	if a == b.answer {
		return
	}
	b.answer = a
	if b.cfg.OnAnswer != nil && a != (Answer{}) {
		b.cfg.OnAnswer(a)
	}
}

// flush writes the queued events in order, until one fails.
func (b *Beater) flush(ctx context.Context) {
	for {
		e, ok := b.oldest()
		if !ok {
			return
		}
		if _, err := b.cfg.Ledger.Append(ctx, e); err != nil {
			return
		}
		b.mu.Lock()
		b.pending = b.pending[1:]
		b.mu.Unlock()
	}
}

// oldest is the event to be written next.
func (b *Beater) oldest() (store.Event, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) == 0 {
		return store.Event{}, false
	}
	return b.pending[0], true
}
