package heartbeat

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// fakeLedger takes everything and answers as told. It is used by one goroutine
// at a time, which pass makes sure of.
type fakeLedger struct {
	beats  []store.Beat
	events []store.Event
	answer store.BeatAnswer
	err    error
	hangs  bool // calls block for two seconds, or until their context ends
	hung   int  // calls that hung
}

func (l *fakeLedger) Beat(ctx context.Context, b store.Beat) (store.BeatAnswer, error) {
	if l.hangs {
		l.hung++
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
		return store.BeatAnswer{}, errors.New("busy")
	}
	if l.err != nil {
		return store.BeatAnswer{}, l.err
	}
	l.beats = append(l.beats, b)
	return l.answer, nil
}

func (l *fakeLedger) Append(_ context.Context, e store.Event) (int64, error) {
	if l.err != nil {
		return 0, l.err
	}
	l.events = append(l.events, e)
	return int64(len(l.events)), nil
}

// types are the events' types, in order.
func (l *fakeLedger) types() (types []lifecycle.EventType) {
	for _, e := range l.events {
		types = append(types, e.Type)
	}
	return types
}

// bench is a Beater on a fake clock and a fake ledger, inside a bubble.
type bench struct {
	*Beater
	clock   *clocktest.Fake
	ledger  *fakeLedger
	wakes   chan struct{}
	list    []store.Descendant
	answers []Answer
	slow    time.Duration // how long listing the descendants takes
	mu      sync.Mutex    // see edge
}

// edge shows the race detector that a tick, which asks for the activity first,
// comes after what the test did before it.
func (b *bench) edge() {
	b.mu.Lock()
	b.mu.Unlock() //nolint:staticcheck // an edge, not a section
}

// inBubble runs a test with a started Beater.
func inBubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{clock: clocktest.Following(epoch()), ledger: &fakeLedger{}, wakes: make(chan struct{})}
		b.Beater = New(Config{
			UID: "u", Generation: 3, BootID: "boot", Clock: b.clock, Ledger: b.ledger, Wakes: b.wakes,
			Descendants: func() []store.Descendant { time.Sleep(b.slow); return b.list },
			Activity:    func() int64 { b.edge(); return 42 },
			OnAnswer:    func(a Answer) { b.answers = append(b.answers, a) },
		})
		b.Start()
		b.Start() // does nothing
		defer b.Stop()
		test(t, b)
	})
}

// pass lets d go by and waits for the Beater to be idle.
func (b *bench) pass(d time.Duration) {
	b.edge()
	time.Sleep(d)
	synctest.Wait()
}

func TestBeatsForADay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.pass(24*time.Hour + time.Second)
		if n := len(b.ledger.beats); n != 24*360+1 {
			t.Errorf("%d beats in a day", n)
		}
		want := store.Beat{
			UID: "u", Generation: 3, LastActivityMS: 42,
			At: InstantOf(epoch(), "boot"),
		}
		want.At.WallMS += 86_401_000
		want.At.AwakeMS += 86_401_000
		if got := b.ledger.beats[24*360]; got.UID != want.UID || got.At != want.At || got.Generation != 3 || got.LastActivityMS != 42 || got.SuspendedMS != 0 || got.Descendants != nil {
			t.Errorf("last beat %+v", got)
		}
		if len(b.ledger.events) != 0 || len(b.answers) != 0 {
			t.Errorf("events %v, answers %v", b.ledger.types(), b.answers)
		}
		if events := b.Stop(); events != nil {
			t.Errorf("Stop() = %v", events)
		}
		n := len(b.ledger.beats)
		if b.pass(time.Hour); len(b.ledger.beats) != n {
			t.Error("it beats after Stop")
		}
	})
}

func TestBeaterNotesASleepAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.pass(5 * time.Second)
		b.clock.Sleep(8 * time.Hour)
		b.wakes <- struct{}{}
		synctest.Wait()
		last := b.ledger.beats[len(b.ledger.beats)-1]
		if last.SuspendedMS != 8*3600*1000 || b.SuspendedTotal() != 8*time.Hour {
			t.Errorf("beat %+v, total %v", last, b.SuspendedTotal())
		}
		if !slices.Equal(b.ledger.types(), []lifecycle.EventType{lifecycle.EventSlept}) {
			t.Fatalf("events %v", b.ledger.types())
		}
		e := b.ledger.events[0]
		if string(e.Payload) != `{"suspended_ms":28800000}` || e.UID != "u" || e.AtMS != b.clock.Now().Wall.UnixMilli() || e.ExternalID == "" {
			t.Errorf("event %+v %s", e, e.Payload)
		}
		if s := b.LastSleep(); s.For != 8*time.Hour || s.Woke != b.clock.Now() {
			t.Errorf("last sleep %+v", s)
		}
	})
}

// Without a notice the next beat finds the sleep, and short ones count towards
// the total without being told.
func TestBeaterFindsSleeps(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.clock.Sleep(time.Hour)
		b.pass(11 * time.Second)
		b.clock.Sleep(time.Second)
		b.pass(10 * time.Second)
		b.clock.Step(-24 * time.Hour)
		b.pass(10 * time.Second)
		if b.SuspendedTotal() != time.Hour+time.Second || len(b.ledger.events) != 1 {
			t.Errorf("total %v, events %v", b.SuspendedTotal(), b.ledger.types())
		}
	})
}

// A wrapper that was stopped is late, and has not slept.
func TestBeaterNotesAStall(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.pass(time.Second)
		b.clock.Advance(3 * time.Minute)
		b.pass(10 * time.Second)
		if !slices.Equal(b.ledger.types(), []lifecycle.EventType{lifecycle.EventLate}) || b.SuspendedTotal() != 0 || b.LastSleep().For != 0 {
			t.Fatalf("events %v, total %v", b.ledger.types(), b.SuspendedTotal())
		}
		if p := string(b.ledger.events[0].Payload); p != `{"late_ms":180000}` {
			t.Errorf("payload %s", p)
		}
	})
}

// Time under job control is no lateness; a machine that slept meanwhile has slept.
func TestBeaterFindsASleepOfAStoppedRun(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.pass(11 * time.Second)
		b.clock.Advance(time.Hour)
		b.clock.Sleep(8 * time.Hour)
		b.Resumed()
		b.pass(10 * time.Second)
		if !slices.Equal(b.ledger.types(), []lifecycle.EventType{lifecycle.EventSlept}) || b.LastSleep().For != 8*time.Hour {
			t.Errorf("last sleep %+v, events %v", b.LastSleep(), b.ledger.types())
		}
	})
}

// A clock that runs backwards and catches up is no sleep.
func TestBeaterIgnoresBackwardClocks(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.clock.Sleep(-time.Hour)
		b.pass(11 * time.Second)
		b.clock.Sleep(time.Hour)
		b.pass(10 * time.Second)
		if b.SuspendedTotal() != 0 || len(b.ledger.events) != 0 {
			t.Errorf("total %v, events %v", b.SuspendedTotal(), b.ledger.types())
		}
	})
}

// A ledger that refuses loses beats and no event; one that hangs costs its
// patience and is no stall.
func TestBeaterOutlivesItsLedger(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.ledger.err = errors.New("busy")
		b.pass(time.Second)
		b.clock.Sleep(time.Hour)
		b.pass(time.Minute)
		if len(b.ledger.beats) != 0 {
			t.Fatalf("%d beats", len(b.ledger.beats))
		}
		b.ledger.err, b.ledger.hangs = nil, true
		b.pass(time.Minute)
		if b.ledger.hung != 6 {
			t.Errorf("it tried %d times in a minute", b.ledger.hung)
		}
		b.ledger.hangs = false
		b.pass(20 * time.Second)
		if len(b.ledger.beats) < 1 || !slices.Equal(b.ledger.types(), []lifecycle.EventType{lifecycle.EventSlept}) {
			t.Errorf("%d beats, events %v", len(b.ledger.beats), b.ledger.types())
		}
		if age := b.clock.Now().Awake.Milliseconds() - b.ledger.beats[0].At.AwakeMS; age > 20_000 {
			t.Errorf("the first beat that went through is %d ms old", age)
		}
	})
}

// Stop does not wait for a ledger that hangs, and hands over what it has not
// taken, a sleep that ended just now included.
func TestBeaterStopsWhileTheLedgerHangs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.ledger.hangs = true
		b.pass(time.Second + time.Millisecond)
		b.clock.Sleep(time.Hour)
		began := time.Now()
		events := b.Stop()
		if time.Since(began) != 0 || len(events) != 1 || events[0].Type != lifecycle.EventSlept || b.SuspendedTotal() != time.Hour {
			t.Errorf("Stop() = %v after %v", events, time.Since(began))
		}
		if again := b.Stop(); again != nil {
			t.Errorf("the second Stop() = %v", again)
		}
	})
}

func TestBeaterNeverStarted(t *testing.T) {
	t.Parallel()
	b := New(Config{})
	if events := b.Stop(); events != nil || b.SuspendedTotal() != 0 {
		t.Errorf("Stop() = %v", events)
	}
	b.Start() // comes too late, and does nothing
}

// Slow work of its own makes a Beater neither late nor faster.
func TestBeaterKeepsItsRhythm(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.slow = 9 * time.Second
		b.pass(time.Hour)
		if n := len(b.ledger.beats); n != 360 || len(b.ledger.events) != 0 {
			t.Errorf("%d beats, events %v", n, b.ledger.types())
		}
	})
}

// The list of descendants is written when it has changed, down to nobody.
func TestBeaterWritesDescendantsOnChange(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		one := []store.Descendant{{PID: 10, StartTicks: 1}}
		var got [][]store.Descendant
		for _, list := range [][]store.Descendant{nil, one, slices.Clone(one), {{PID: 10, StartTicks: 2}}, nil, nil} {
			b.list = list
			b.pass(DefaultInterval)
			got = append(got, b.ledger.beats[len(b.ledger.beats)-1].Descendants)
		}
		if got[0] != nil || !slices.Equal(got[1], one) || got[2] != nil || len(got[3]) != 1 || got[4] == nil || len(got[4]) != 0 || got[5] != nil {
			t.Errorf("written: %v", got)
		}
	})
}

// A list that did not arrive is written again.
func TestBeaterRetriesDescendants(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.list = []store.Descendant{{PID: 10, StartTicks: 1}}
		b.ledger.err = errors.New("busy")
		b.pass(DefaultInterval)
		b.ledger.err = nil
		b.pass(DefaultInterval)
		if last := b.ledger.beats[len(b.ledger.beats)-1]; len(last.Descendants) != 1 {
			t.Errorf("written: %+v", last)
		}
	})
}

// A row that was written anew, by the ledger itself, lacks the descendants.
func TestBeaterTellsANewRowEverything(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.list = []store.Descendant{{PID: 10, StartTicks: 1}}
		b.pass(time.Second)
		b.ledger.answer.Reannounced = true
		b.pass(DefaultInterval)
		b.ledger.answer.Reannounced = false
		n := len(b.ledger.beats)
		b.pass(2 * DefaultInterval)
		if again := b.ledger.beats[n:]; len(again) != 2 || len(again[0].Descendants) != 1 || again[1].Descendants != nil {
			t.Errorf("written: %+v", again)
		}
	})
}

// What the ledger wants is passed on once. A row that ended by a false verdict
// changes nothing; a fenced one takes no more beats.
func TestBeaterPassesOnAnswers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.ledger.answer.Over = true
		b.pass(time.Minute)
		if len(b.answers) != 0 {
			t.Errorf("told %v of a lost row", b.answers)
		}
		b.ledger.answer = store.BeatAnswer{StopRequested: lifecycle.StoppedByUser}
		b.pass(time.Minute)
		b.ledger.answer.Fenced = true
		b.pass(DefaultInterval)
		n := len(b.ledger.beats)
		b.pass(time.Minute)
		want := []Answer{{StopRequested: lifecycle.StoppedByUser}, {StopRequested: lifecycle.StoppedByUser, Fenced: true}}
		if !slices.Equal(b.answers, want) {
			t.Errorf("told %v", b.answers)
		}
		if len(b.ledger.beats) != n {
			t.Error("it beats into a row that is not its own")
		}
	})
}

// The queue for a ledger that takes nothing is bounded and keeps the newest.
func TestBeaterBoundsItsQueue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *bench) {
		b.ledger.err = errors.New("broken")
		for range 2 * maxPending {
			b.clock.Sleep(time.Minute)
			b.pass(DefaultInterval)
		}
		events := b.Stop()
		if len(events) != maxPending || events[maxPending-1].ExternalID != "beat-3-128" {
			t.Errorf("%d events, the last %+v", len(events), events[len(events)-1])
		}
	})
}

// A run that may have been asked to end before its launch beats at once.
func TestPromptBeat(t *testing.T) {
	t.Parallel()
	for prompt, want := range map[bool]int{true: 1, false: 0} {
		synctest.Test(t, func(t *testing.T) {
			ledger := &fakeLedger{}
			b := New(Config{UID: "u", Generation: 1, Clock: clocktest.Following(epoch()), Ledger: ledger, Prompt: prompt})
			b.Start()
			defer b.Stop()
			synctest.Wait()
			if n := len(ledger.beats); n != want {
				t.Errorf("prompt %v: %d beats at once", prompt, n)
			}
		})
	}
}
