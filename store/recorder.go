package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// defaultRecordTimeout bounds one write, so that no run waits long for its
// ledger.
const defaultRecordTimeout = 2 * time.Second

// retryShare is the part of the bound a write gets once one has failed: the next
// ones will probably fail too, and the spool is at hand.
const retryShare = 8

// RecorderConfig says where a Recorder writes.
type RecorderConfig struct {
	// Open opens the ledger. It is called at the first write and again after
	// trouble, never twice at once, with a context that does not end. Required.
	Open func(ctx context.Context) (*Ledger, error)
	// SpoolDir takes the facts the ledger does not; made when needed. Empty means
	// that there is none, and what the ledger does not take is lost.
	SpoolDir string
	// Timeout is how long one write waits for other writers, if the ledger was
	// not opened with less; 0 means 2 seconds. While facts are in the spool it
	// is an eighth of that, or as long as SQLite itself waits if that is longer.
	Timeout time.Duration
	// Log is told of the first trouble with the ledger, of the first with the
	// spool, and of every fact refused. Nil for nobody.
	Log func(error)
}

// Recorder writes the facts of one execution, to the ledger or, while that
// cannot be had, to a spool that is taken in later. Its methods bear the names
// of the ledger's, and do the same; but the only errors they return are verdicts
// on the fact itself (ErrFenced, ErrConflict, ErrInvariant), never trouble with
// a file. They are bounded in time whatever the context, and safe for
// concurrent use. A row that is gone is announced again. Once the row of the uid was
// seen to be another wrapper's, nothing more is written: all is ErrNotOurs.
type Recorder struct {
	config RecorderConfig
	spool  spool

	mu     sync.Mutex
	ledger *Ledger
	// memory is what it takes to announce the execution again.
	memory fact
	// pending: the spool may hold facts of ours, under spooled. They go first.
	pending  bool
	spooled  string
	degraded bool
	// introduced: the spool was given the announcement that what waits there needs.
	introduced bool
	// entered: the ledger took a fact of ours.
	entered bool
	// beaten is the last beat that stands in the row, zero when that is not known.
	beaten Instant
	// reannounced: the row was written anew since the last beat.
	reannounced bool
	// skipped: the ledger was too busy for the last beat, and for that alone.
	skipped bool
	// busyMS is the wall time of the last fact that the ledger was too busy for, 0 when it
	// has taken one since.
	busyMS int64
	// spoolLost: the spool failed and Log has been told.
	spoolLost bool
	// lost is why the last fact could be written nowhere, nil when it could.
	lost error
	// gone is what the run worked on in ledgers that were lost under it.
	gone lostWork
	// vouched: the row in the ledger as it is open is known to be ours.
	vouched bool
	// disowned is why the row is another's: nothing of ours is to be written to it. Nil
	// for one that is not.
	disowned error
}

// NewRecorder makes a Recorder. Nothing is opened before the first write.
func NewRecorder(c RecorderConfig) *Recorder {
	if c.Log == nil {
		c.Log = func(error) {}
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultRecordTimeout
	}
	return &Recorder{config: c, spool: spool{dir: c.SpoolDir}}
}

// Degraded says whether anything of this run went, for a while, elsewhere than
// to the ledger, or two beats in a row nowhere. It stays true.
func (r *Recorder) Degraded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.degraded
}

// Lost says whether the last fact could be written nowhere, neither to the ledger
// nor to the spool.
func (r *Recorder) Lost() bool { return r.Trouble() != nil }

// Trouble is why the last fact could be written nowhere; nil when it could.
func (r *Recorder) Trouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// Knows says whether the ledger has a row of that uid, or the spool facts that are of
// one. A ledger that cannot be asked has none.
func (r *Recorder) Knows(ctx context.Context, uid string) bool {
	// The spool first: what leaves it meanwhile is in the ledger.
	if r.spool.holds(uid) {
		return true
	}
	l, err := r.Ledger(ctx)
	if err == nil {
		_, err = l.owner(ctx, uid)
	}
	return err == nil
}

// Probe says why nothing could be put into the spool now; nil when it could.
func (r *Recorder) Probe() error { return r.spool.probe() }

// Ledger is the open ledger, for reading; it is opened when it is not. It
// belongs to the Recorder.
func (r *Recorder) Ledger(ctx context.Context) (*Ledger, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened(ctx)
}

// Close closes the ledger if it is open. Facts in the spool stay there.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.drop()
}

// Announce is Ledger.Announce. In the spool the generation is the first.
func (r *Recorder) Announce(ctx context.Context, a Announcement) (generation int64, err error) {
	generation = firstGeneration
	f := fact{Op: opAnnounce, Announcement: &a, Generation: firstGeneration}
	err = r.record(ctx, f, func(ctx context.Context, l *Ledger) error {
		given, created, err := l.announce(ctx, a)
		if err == nil {
			generation = given
		}
		if err == nil && created {
			r.beaten = a.At
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	r.remember(fact{Announcement: &a, Generation: generation})
	return generation, nil
}

// Reannounce is Ledger.Reannounce. Missing rows are announced again without it.
func (r *Recorder) Reannounce(ctx context.Context, a Announcement, launch Launch, generation int64) error {
	f := fact{Op: opAnnounce, Announcement: &a, Launch: &launch, Generation: generation}
	err := r.record(ctx, f, func(ctx context.Context, l *Ledger) error {
		return l.Reannounce(ctx, a, launch, generation)
	})
	if err == nil {
		r.remember(f)
	}
	return err
}

// Launched is Ledger.Launched.
func (r *Recorder) Launched(ctx context.Context, launch Launch) error {
	err := r.record(ctx, fact{Op: opLaunch, Launch: &launch}, func(ctx context.Context, l *Ledger) error {
		return l.Launched(ctx, launch)
	})
	if err == nil {
		r.remember(fact{Launch: &launch})
	}
	return err
}

// Beat is Ledger.Beat. A beat that cannot be written is dropped, and is the one
// fact for which that is an error: the next one must say what it said.
func (r *Recorder) Beat(ctx context.Context, b Beat) (answer BeatAnswer, err error) {
	f := fact{At: &b.At}
	err = r.record(ctx, f, func(ctx context.Context, l *Ledger) error {
		answer, err = l.Beat(ctx, b)
		if err == nil && answer.Missing && r.memory.Announcement != nil {
			if err = r.announceAgain(ctx, l, f); err == nil {
				answer, err = l.Beat(ctx, b)
			}
		}
		if err == nil && !answer.Missing && !answer.Fenced && !answer.Over {
			r.beaten = b.At
		}
		return err
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	answer.Reannounced, r.reannounced = r.reannounced, false
	return answer, err
}

// Suspend is Ledger.Suspend.
func (r *Recorder) Suspend(ctx context.Context, uid string, gen int64, at Instant, signal int) error {
	f := fact{Op: opSuspend, UID: uid, Generation: gen, At: &at, Signal: signal}
	return r.record(ctx, f, func(ctx context.Context, l *Ledger) error {
		return l.Suspend(ctx, uid, gen, at, signal)
	})
}

// Continue is Ledger.Continue.
func (r *Recorder) Continue(ctx context.Context, uid string, gen int64, at Instant) error {
	f := fact{Op: opContinue, UID: uid, Generation: gen, At: &at}
	return r.record(ctx, f, func(ctx context.Context, l *Ledger) error {
		return l.Continue(ctx, uid, gen, at)
	})
}

// Foresee is Ledger.Foresee, on a ledger that is open. It opens none.
func (r *Recorder) Foresee(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ledger != nil {
		_ = r.ledger.Foresee(ctx) // what is not made ready is made later
	}
}

// Finish is Ledger.Finish. It marks the ending degraded when the run was, and adds
// what AddLost does. A run whose end went to the spool, or that has lost work, is not
// known to be alone. What the run's own processes have put into the spool goes first: it
// is what they did before the end.
func (r *Recorder) Finish(ctx context.Context, e Ending) (alone bool, err error) {
	r.catchUp(ctx, e.UID)
	e.Degraded = e.Degraded || r.Degraded()
	err = r.record(ctx, fact{Op: opFinish, Ending: &e}, func(ctx context.Context, l *Ledger) error {
		r.gone.addTo(ctx, l, &e)
		alone, err = l.Finish(ctx, e)
		return err
	})
	return alone && (e.HostWorkflow == nil || !e.HostWorkflow.Lost), err
}

// Append is Ledger.Append. The sequence number is 0 when the event went to the
// spool.
func (r *Recorder) Append(ctx context.Context, e Event) (seq int64, err error) {
	err = r.record(ctx, fact{Op: opEvent, Event: &e}, func(ctx context.Context, l *Ledger) error {
		seq, err = l.Append(ctx, e)
		return err
	})
	return seq, err
}

// Report is Ledger.Report, for any process of an execution: what others have put
// into the spool goes first, and what the wrapper itself reports is of its own
// generation. deferred is true when the report went there itself,
// and nobody knows yet what it does.
func (r *Recorder) Report(ctx context.Context, rep SessionReport) (answer SessionAnswer, deferred bool, err error) {
	r.mu.Lock()
	if !r.pending && r.spool.holds(rep.UID) {
		r.pending, r.spooled = true, rep.UID
	}
	if a := r.memory.Announcement; rep.Generation == 0 && a != nil && a.UID == rep.UID {
		rep.Generation = r.memory.Generation
	}
	r.mu.Unlock()
	deferred = true
	err = r.record(ctx, fact{Op: opReport, Report: &rep}, func(ctx context.Context, l *Ledger) error {
		answer, err = l.Report(ctx, rep)
		deferred = err != nil
		return err
	})
	return answer, deferred && err == nil, err
}

// remember keeps what it takes to announce the execution again.
func (r *Recorder) remember(f fact) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.Announcement != nil {
		r.memory.Announcement, r.memory.Generation = f.Announcement, f.Generation
	}
	if f.Launch != nil {
		r.memory.Launch = f.Launch
	}
}

// record writes a fact to the ledger, or else to the spool. A fact without an
// operation is not worth spooling. One at a time, so that facts stay in order.
func (r *Recorder) record(ctx context.Context, f fact, write func(context.Context, *Ledger) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A fact does not become untrue because its run is being cancelled.
	c := calm{context.WithoutCancel(ctx), r.config.Timeout}
	if r.pending {
		c.patience /= retryShare
	}
	err := r.disowned
	switch {
	case err != nil:
	case r.holdsBack(f):
		err = errBusyLately
	default:
		err = r.direct(c, f, write) //nolint:contextcheck // it inherits ctx
	}
	switch {
	case err == nil:
		r.lost, r.entered, r.skipped, r.busyMS = nil, true, false, 0
		r.vouched = r.vouched || f.Op == opAnnounce
		return nil
	case errors.Is(err, ErrNotOurs):
		r.lost, r.disowned = err, err
		r.config.Log(err)
		return err
	case refusal(err):
		r.config.Log(err)
		return err
	case f.Op == "" && !r.skipped && hasCode(err, codeBusy, codeLocked):
		// Disks stall, and the next one says what this one could not.
		r.skipped = true
		return err
	}
	if hasCode(err, codeBusy, codeLocked) {
		r.busyMS = f.atMS()
	}
	if !r.degraded {
		r.degraded = true
		r.config.Log(fmt.Errorf("record in spool %s: %w", r.spool.dir, err))
	}
	if f.Op == "" {
		return err
	}
	r.divert(ctx, f, err)
	return nil
}

// errBusyLately is why a fact is not even offered to the ledger.
var errBusyLately = errors.New("the ledger was busy a moment ago")

// busyFor is for how long the ledger is taken to be busy, in milliseconds.
const busyFor = 1000

// holdsBack says whether a fact goes to the spool at once, because it follows close upon
// one that the ledger was too busy for: of many in a row each would wait for it, and the
// command with them. A beat and the end take in what waits there.
func (r *Recorder) holdsBack(f fact) bool {
	switch f.Op {
	case opLaunch, opSuspend, opContinue, opEvent, opReport:
		return r.pending && f.atMS() < r.busyMS+busyFor
	default:
		return false
	}
}

// direct writes to the ledger, after everything the spool still holds. A row
// that is gone is announced again first.
func (r *Recorder) direct(ctx context.Context, f fact, write func(context.Context, *Ledger) error) error {
	l, err := r.opened(ctx)
	if err != nil {
		return err
	}
	if r.pending {
		if err := r.spool.takeInOne(ctx, l, r.spooled); err != nil {
			return err
		}
		r.pending, r.introduced = false, false
	}
	if err := r.vouch(ctx, l, f); err != nil {
		return err
	}
	err = write(ctx, l)
	if !errors.Is(err, ErrNotFound) || r.memory.Announcement == nil {
		return err
	}
	if err := r.announceAgain(ctx, l, f); err != nil {
		return err
	}
	return write(ctx, l)
}

// vouch makes sure that the row is ours, in a ledger that has not taken a fact of ours
// since it was opened, or since facts went to the spool: there another wrapper may have
// been under our uid. One that is gone is announced again.
func (r *Recorder) vouch(ctx context.Context, l *Ledger, f fact) error {
	a := r.memory.Announcement
	if a == nil || r.vouched {
		return nil
	}
	row, err := l.owner(ctx, a.UID)
	switch {
	case errors.Is(err, ErrNotFound):
		err = r.announceAgain(ctx, l, f)
	case err == nil && !row.wrappedBy(a.Wrapper):
		err = row.notOurs()
	}
	r.vouched = err == nil
	return err
}

// announceAgain writes the row anew in a ledger that took the old one's place,
// as noticed when f was to be written. The announcement must be remembered.
func (r *Recorder) announceAgain(ctx context.Context, l *Ledger, f fact) error {
	var launch Launch
	if r.memory.Launch != nil {
		launch = *r.memory.Launch
	}
	a := *r.memory.Announcement
	r.beaten = Instant{}
	if err := l.Reannounce(ctx, a, launch, r.memory.Generation); err != nil {
		return err
	}
	r.reannounced = true
	r.gone.missed(r.entered)
	r.gone.addEnded(ctx, l, a.UID)
	_, err := l.Append(ctx, Event{UID: a.UID, Type: lifecycle.EventLedgerReplaced, AtMS: f.atMS()})
	return err
}

// opened is the open ledger; one that was replaced is closed and opened anew.
func (r *Recorder) opened(ctx context.Context) (*Ledger, error) {
	if r.ledger != nil {
		replaced, err := r.ledger.Replaced()
		if err == nil && !replaced {
			return r.ledger, nil
		}
		// Never again can it be read, whatever becomes of the look that noticed it.
		c := calm{context.WithoutCancel(ctx), r.config.Timeout}
		r.gone.readFrom(c, r.ledger, r.memory.Announcement) //nolint:contextcheck // it inherits ctx
		if err := errors.Join(err, r.drop()); err != nil {
			return nil, err
		}
	}
	l, err := r.config.Open(ctx)
	if err != nil {
		return nil, err
	}
	r.ledger = l
	return l, nil
}

// drop closes the ledger if it is open.
func (r *Recorder) drop() error {
	if r.ledger == nil {
		return nil
	}
	l := r.ledger
	r.ledger, r.vouched = nil, false
	err := l.Close()
	if errors.Is(err, errLogTaken) {
		// What the run does in the ledger from now on cannot be seen from here.
		r.gone.unread = errLogTaken
		r.config.Open = func(context.Context) (*Ledger, error) { return nil, err }
	}
	return err
}

// divert writes a fact to the spool. The spool begins with the announcement, so
// that it makes sense to a ledger that knows nothing of this run, and the end says what
// such a ledger could not know.
func (r *Recorder) divert(ctx context.Context, f fact, why error) {
	r.vouched = false
	if f.Ending != nil {
		r.gone.addTo(ctx, r.ledger, f.Ending)
		lost := *f.Ending
		r.allGone(ctx, why).addTo(ctx, nil, &lost)
		if lost.HostWorkflow != f.Ending.HostWorkflow {
			f.IfLost = &lost
		}
	}
	if a := cmp.Or(f.Announcement, r.memory.Announcement); a != nil {
		f.Wrapper = &a.Wrapper
	}
	facts := []fact{f}
	if !r.introduced && f.Announcement == nil && r.memory.Announcement != nil {
		again := r.memory
		again.Op = opAnnounce
		facts = []fact{again, f}
	}
	uid := facts[0].uid()
	err := r.spool.append(uid, facts)
	r.lost = err
	if err != nil {
		if !r.spoolLost {
			r.spoolLost = true
			r.config.Log(fmt.Errorf("record execution %s: nothing can be written: %w", uid, err))
		}
		return
	}
	r.pending, r.spooled, r.introduced = true, uid, true
}
