package heartbeat

import (
	"context"
	"sync"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// DefaultInterval is the time between beats when none is given.
const DefaultInterval = 10 * time.Second

// firstBeat is when the first beat comes at the latest: late enough that a
// short command ends without one, early enough to write down what a long one
// starts at once.
const firstBeat = time.Second

// ledger is what a Beater needs of the ledger. Its calls must be bounded well
// below the interval, so that one that hangs costs beats and not the rhythm. A
// row that has vanished is its business; the answer to the beat says that it was
// written anew.
type ledger interface {
	// Beat writes one beat.
	Beat(ctx context.Context, b store.Beat) (store.BeatAnswer, error)
	// Append adds one line of history.
	Append(ctx context.Context, e store.Event) (seq int64, err error)
}

// Answer is what the ledger wants of a run.
type Answer struct {
	// StopRequested names who asked for the run to end; empty when nobody did.
	StopRequested lifecycle.StoppedBy
	// Fenced is true when a newer generation owns the row.
	Fenced bool
}

// Config says what a Beater beats for. UID, Clock and Ledger are required. All
// functions are called on the Beater's goroutine, one at a time, and hold up
// the next beat while they run.
type Config struct {
	UID        string
	Generation int64
	// Interval is the time between beats; 0 means DefaultInterval.
	Interval time.Duration
	// BootID is the boot that Clock's awake time counts from.
	BootID string
	Clock  clock.Clock
	Ledger ledger
	// Prompt: the first beat is at once, for a run that may have been asked to end
	// before it was launched.
	Prompt bool
	// Alarm says when a beat is due; nil for a [clock.Timer]. It is the Beater's from Start to Stop.
	Alarm interface {
		C() <-chan struct{}
		Set(d time.Duration)
	}
	// Wakes cuts the wait for the next beat short, so that a sleep is noted as
	// soon as it is over; nil when nobody tells.
	Wakes <-chan struct{}
	// Descendants lists the processes the run has started; nil for none. The
	// list is written when it has changed.
	Descendants func() []store.Descendant
	// Activity is the wall time of the last output or input, in milliseconds;
	// nil when nobody watches it.
	Activity func() int64
	// Look looks after the run, once per beat and before it is written; what it
	// returns goes with the beat. Nil for nobody.
	Look func(now clock.Reading) *store.Vitals
	// Heard is told what the ledger answered to each beat it took. Nil for nobody.
	Heard func(store.BeatAnswer)
	// OnAnswer is told when the ledger wants something new: once when the run
	// is fenced off, once per stop request. Nil ignores it.
	OnAnswer func(Answer)
}

// Beater proves that a wrapper lives, from Start to Stop. Its methods may be
// called from any goroutine.
type Beater struct {
	cfg    Config
	ctx    context.Context //nolint:containedctx // it is the life of the goroutine
	cancel context.CancelFunc
	start  sync.Once
	stop   sync.Once
	wg     sync.WaitGroup

	// first is the reading suspensions are counted from; set by Start.
	first clock.Reading

	mu      sync.Mutex
	last    clock.Reading
	slept   Sleep
	pending []store.Event
	noted   int // events ever queued

	// The rest belongs to the goroutine.
	written []store.Descendant // the list the ledger has
	answer  Answer             // what OnAnswer was last told
}

// Sleep is one suspension of the machine.
type Sleep struct {
	// For is how long the machine slept; 0 means that it never did.
	For time.Duration
	// Woke is the first reading after it.
	Woke clock.Reading
}

// New prepares a Beater; nothing runs before Start.
func New(cfg Config) *Beater {
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Beater{cfg: cfg, ctx: ctx, cancel: cancel}
}

// Start begins beating. It returns at once; a second call does nothing. The
// caller must Stop.
func (b *Beater) Start() {
	b.start.Do(func() {
		b.first = b.cfg.Clock.Now()
		b.last = b.first
		b.wg.Go(b.run)
	})
}

// Stop ends the beating and returns when the goroutine is gone; the context of a
// ledger call in flight ends. It takes in a sleep that ended a moment ago and
// returns the events the ledger has not taken, for the caller to keep. There
// are none if Start was never called, or Stop was.
func (b *Beater) Stop() (events []store.Event) {
	b.stop.Do(func() {
		b.cancel()
		started := true
		b.start.Do(func() { started = false })
		if !started {
			return
		}
		b.wg.Wait()
		b.observe(b.cfg.Clock.Now(), b.cfg.Interval)
		events, b.pending = b.pending, nil
	})
	return events
}

// SuspendedTotal is how long the machine has slept since Start, up to the last
// beat; after Stop, up to Stop.
func (b *Beater) SuspendedTotal() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(b.last.Suspended-b.first.Suspended, 0)
}

// LastSleep is the most recent sleep since Start.
func (b *Beater) LastSleep() Sleep {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.slept
}
