package ocrdb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"sync"
	"time"
)

// CommandPrefix starts the command of every row of ours. The product reads rows
// whose command starts with its own verbs ("ocr review", "ocr map",
// "session-instance") as its own and would link a stranger's session to them.
const CommandPrefix = "ocr-run"

// Announcement is what is known of a run before it starts.
type Announcement struct {
	// UID identifies the execution and goes to the child in
	// OCR_DASHBOARD_EXECUTION_UID; required.
	UID string
	// Command is the wrapped command with its arguments; required.
	Command []string
	// Vendor is the agent's name in the product's words (claude, opencode);
	// empty when it is none it knows.
	Vendor string
	// Name is what the run is called; empty for none.
	Name string
	// WorkflowID is the workflow the run goes on with, when that is known
	// already; empty lets the product link it when the agent begins one.
	WorkflowID string
	// StartedMS is when the run started, in wall-clock UTC milliseconds.
	StartedMS int64
	// BeatEvery is how old the stored heartbeat may grow before a Beat renews
	// it; see Interval. 0 means Interval(DefaultThreshold).
	BeatEvery time.Duration
}

// Row is our one row about a run, and what we know of it in case another
// program's copy of the file replaces it. Its methods may be called from
// several goroutines; it keeps nothing open between them. It never writes a
// pid: the product kills the processes whose pid it finds.
type Row struct {
	host Host
	id   int64
	mu   sync.Mutex
	// What follows is guarded by mu.
	known   known
	linked  bool // the row was seen with known.workflowID
	logged  bool // the start line is in the command log
	settled bool // the finish line is in the command log
}

// known is the row as it would have to be written anew.
type known struct {
	Announcement
	heartbeatMS int64
	workflowID  string
	vendorID    string
	notes       []string
	exit        *int // nil while it runs
	finishedMS  int64
}

// Row prepares a run's row. Nothing is written before Announce.
func (h Host) Row(a Announcement) *Row {
	if a.BeatEvery <= 0 {
		a.BeatEvery = Interval(DefaultThreshold)
	}
	return &Row{host: h, id: IDOf(a.UID), known: known{Announcement: a, workflowID: a.WorkflowID}}
}

// idBits keeps ids where JavaScript still tells every integer from the next.
const idBits = 52

// IDOf is the integer id of our row for a uid. It is how a row is known to be
// ours, for ever and by whoever reads it: a foreign row has it only by a chance
// of one in four thousand billions.
//
// It is negative, because nothing else ever is. The product takes the next
// number of a counter, each of its programs from a copy of its own in the
// rename era, and merges rows by number: two rows with one number become one.
// SQLite keeps the counter at the largest id, so that a negative one moves it
// nowhere. It is the same for the same uid, so that a row that was lost and is
// written again meets the older copy of itself in a program's memory and
// replaces it. It stays within 52 bits, beyond which sql.js rounds.
func IDOf(uid string) int64 {
	sum := sha256.Sum256([]byte(uid))
	return -1 - int64(binary.BigEndian.Uint64(sum[:8])>>(64-idBits))
}

// Announce writes the row, before the child exists. The error is for a note
// only: every Beat tries again.
func (r *Row) Announce(ctx context.Context, nowMS int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.heartbeatMS = max(nowMS, r.known.heartbeatMS)
	_, err := r.assert(ctx, true, r.keep)
	r.logStart(err)
	return r.host.failed("announce "+r.known.UID, err)
}

// Answer says how our row stands.
type Answer struct {
	// Restored: the row was not there, and has been written anew.
	Restored bool
	// Over: the row has an end. Nothing but the run's own Finish changes it.
	Over bool
	// ExitCode is that end in the product's words; nil when there is none.
	ExitCode *int
	// Cascaded: the end is the one that closing the workflow wrote to it, by the
	// run's own agent or by somebody else, while the run went on.
	Cascaded bool
	// WorkflowID is the workflow the product has linked to the run; empty when
	// none is, and always before schema 11.
	WorkflowID string
}

// Beat says that the wrapper lives, and writes the row anew when it is gone.
// A row whose heartbeat is fresh enough is only looked at.
func (r *Row) Beat(ctx context.Context, nowMS int64) (Answer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known.heartbeatMS = max(nowMS, r.known.heartbeatMS)
	answer, err := r.assert(ctx, false, r.keep)
	r.logStart(err)
	return answer, r.host.failed("beat "+r.known.UID, err)
}

// asserts is how often one call writes the row before it leaves the rest to the
// next.
const asserts = 3

// assert decides on the row with fn, writes what that asks for, and reads it
// back until fn has nothing more to ask.
func (r *Row) assert(ctx context.Context, blind bool, fn func(stored, schema) (action, Answer)) (answer Answer, err error) {
	err = bounded(ctx, func(ctx context.Context) (err error) {
		answer, err = r.tryAssert(ctx, blind, fn)
		return err
	})
	return answer, err
}

// tryAssert is assert within a bound of time.
func (r *Row) tryAssert(ctx context.Context, blind bool, fn func(stored, schema) (action, Answer)) (answer Answer, err error) {
	restored, stands := false, false
	for range asserts {
		act := actNothing
		if !blind {
			err := r.host.view(ctx, func(ctx context.Context, q queryer, s schema) error {
				if err := s.writable(); err != nil {
					return err
				}
				act, answer, err = r.decide(ctx, q, s, fn)
				return err
			})
			answer.Restored = restored
			if err != nil || act == actNothing {
				r.learn(answer)
				return answer, err
			}
		}
		blind = false
		err = r.host.change(ctx, func(ctx context.Context, tx *sql.Tx, s schema) (bool, error) {
			act, answer, err = r.decide(ctx, tx, s, fn)
			if err != nil || act == actNothing {
				return false, err
			}
			stands = s.version > lastRenameEra
			return r.write(ctx, tx, s, act)
		})
		if err != nil {
			return answer, err
		}
		restored = restored || act == actInsert
		if stands && r.known.exit == nil {
			// Nothing but a renamed file can take back what was committed.
			r.learn(answer)
			answer.Restored = restored
			return answer, nil
		}
	}
	answer.Restored = restored
	return answer, ErrNotStanding
}

// decide looks at the row and lets fn say what is to be done.
func (r *Row) decide(ctx context.Context, q queryer, s schema, fn func(stored, schema) (action, Answer)) (action, Answer, error) {
	at, err := r.look(ctx, q, s)
	if err != nil {
		return actNothing, Answer{}, err
	}
	act, answer := fn(at, s)
	return act, answer, nil
}

// learn remembers what the row was told by others, to be able to write it anew.
func (r *Row) learn(a Answer) {
	if a.WorkflowID != "" {
		r.known.workflowID, r.linked = a.WorkflowID, true
	}
}

// action is what is to be done about the row.
type action int

const (
	actNothing action = iota
	actInsert
	actBeat
	actFinish
	// actNote appends the notes to a row whose end is not ours to change.
	actNote
)

// keep is the decision while the run lives: the row is to be there, and fresh.
// An end that somebody wrote meanwhile stays.
func (r *Row) keep(at stored, s schema) (action, Answer) {
	stale := s.executions["last_heartbeat_at"] && at.heartbeatMS+r.known.BeatEvery.Milliseconds() <= r.known.heartbeatMS
	switch {
	case !at.there:
		return actInsert, at.answer()
	case at.over || r.known.exit != nil:
		return actNothing, at.answer()
	case stale || r.unlinked(at, s):
		return actBeat, at.answer()
	default:
		return actNothing, at.answer()
	}
}

// unlinked says whether the row had a workflow before another program's copy of
// the file took its place.
func (r *Row) unlinked(at stored, s schema) bool {
	return s.executions["workflow_id"] && at.workflowID == "" && r.linked
}
