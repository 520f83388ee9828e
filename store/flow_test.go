package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// flowTest is a ledger with flows, each step a millisecond after the one before.
type flowTest struct {
	*testing.T
	*store.Ledger
	path string
	db   *sql.DB
	ms   int64
}

func newFlowTest(t *testing.T) *flowTest {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	return &flowTest{T: t, Ledger: storetest.Open(t, path), path: path, db: storetest.Raw(t, path), ms: 1000}
}

// now is the moment of the next step. Up to it every rule holds.
func (t *flowTest) now() store.Instant {
	t.Helper()
	storetest.CheckFlows(t, t.db)
	t.ms++
	return storetest.At(t.ms)
}

// create makes a flow of mine in /flow.
func (t *flowTest) create(id string, limit int) {
	t.Helper()
	_, created, refused, err := t.CreateFlow(t.Context(), store.NewFlow{ID: id, Workspace: "/flow", Owner: "me", MaxParallel: limit, At: t.now()})
	if !created || refused != "" || err != nil {
		t.Fatalf("create %s: %v, %q, %v", id, created, refused, err)
	}
}

// run asks for an execution under a flow.
func (t *flowTest) run(id, uid string, ask lifecycle.FlowAsk) store.FlowRunResult {
	t.Helper()
	a := storetest.Announcement(uid, 1000+len(uid)+int(uid[len(uid)-1]), t.now().WallMS)
	a.FlowID = id
	r, err := t.RunInFlow(t.Context(), store.FlowRun{Announcement: a, Ask: ask})
	must(t.T, err)
	return r
}

// runs commits executions that must be accepted.
func (t *flowTest) runs(id string, uids ...string) {
	t.Helper()
	for _, uid := range uids {
		if r := t.run(id, uid, lifecycle.FlowAsk{}); !r.Created {
			t.Fatalf("run %s: %q", uid, r.Refused)
		}
	}
}

// move makes a move that must be accepted.
func (t *flowTest) move(id string, move lifecycle.FlowMove) store.Flow {
	t.Helper()
	f, refused, err := t.ChangeFlow(t.Context(), store.FlowChange{ID: id, Move: move, Detail: "because", At: t.now()})
	if refused != "" || err != nil {
		t.Fatalf("%s %s: %q, %v", move, id, refused, err)
	}
	return f
}

// cancel cancels a flow.
func (t *flowTest) cancel(id string) store.FlowCancelAnswer {
	t.Helper()
	a, err := t.CancelFlow(t.Context(), store.FlowCancel{ID: id, At: t.now()})
	must(t.T, err)
	return a
}

func (t *flowTest) end(uid string) {
	t.Helper()
	must(t.T, finish(t.Context(), t.Ledger, storetest.Exit(uid, 0, t.now().WallMS)))
}

func (t *flowTest) lose(uid string) {
	t.Helper()
	must(t.T, finish(t.Context(), t.Ledger, lost(uid, t.now().WallMS)))
}

// want checks what a flow is, and why.
func (t *flowTest) want(id string, status lifecycle.WorkflowStatus, why lifecycle.FlowWhy) store.Flow {
	t.Helper()
	f, err := t.Flow(t.Context(), id)
	if err != nil || f.Status != status || f.Why != why {
		t.Errorf("flow %s is %s (%s), %v, want %s (%s)", id, f.Status, f.Why, err, status, why)
	}
	return f
}

// stopOf is who asked an execution to stop.
func (t *flowTest) stopOf(uid string) lifecycle.StoppedBy {
	t.Helper()
	e, err := t.Execution(t.Context(), uid)
	must(t.T, err)
	return e.StopRequested
}

// A flow that has ended does not return early from a cancel: what still runs in it
// is stopped, whatever its state.
func TestCancelOfAnEndedFlowStopsItsLiveChildren(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 0)
	f.runs("f", "a", "b")
	closing, refused, err := f.ChangeFlow(t.Context(), store.FlowChange{ID: "f", Move: lifecycle.FlowFinish, UID: "a", At: f.now()})
	if refused != "" || err != nil || closing.Status != lifecycle.WorkflowSucceeded || closing.ClosedByUID != "a" {
		t.Fatalf("%+v, %q, %v", closing, refused, err)
	}
	if f.stopOf("a") != "" || f.stopOf("b") != lifecycle.StoppedByParent {
		t.Errorf("the closing run was asked by %q, the other by %q", f.stopOf("a"), f.stopOf("b"))
	}
	got := f.cancel("f")
	if !got.Before || got.Refused != "" || fmt.Sprint(got.Stopping) != "[a]" || f.stopOf("a") != lifecycle.StoppedByUser {
		t.Errorf("%+v, a was asked by %q", got, f.stopOf("a"))
	}
	if got.Flow.Status != lifecycle.WorkflowSucceeded || got.Flow.CancelRequestedAtMS != 0 || got.Flow.Live() != 2 {
		t.Errorf("the flow is %+v", got.Flow)
	}
	f.end("a")
	f.end("b")
	f.want("f", lifecycle.WorkflowSucceeded, lifecycle.FlowFinished)
}

// The wish to cancel is written down whatever the revision: among many who change a
// flow all the time it gets through at the first try, and once.
func TestCancelNeverLosesToARevision(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 0)
	f.runs("f", "a")
	var wg sync.WaitGroup
	var stop atomic.Bool
	var conflicts, changes atomic.Int64
	for i := range 4 {
		l := storetest.Open(t, f.path)
		wg.Go(func() {
			for n := int64(0); !stop.Load(); n++ {
				move := []lifecycle.FlowMove{lifecycle.FlowWait, lifecycle.FlowBlock}[(n+int64(i))%2]
				seen, err := l.Flow(t.Context(), "f")
				if err != nil {
					t.Error(err)
				}
				ask := lifecycle.FlowAsk{Revision: seen.Revision}
				now, refused, err := l.ChangeFlow(t.Context(), store.FlowChange{ID: "f", Move: move, Ask: ask, At: storetest.At(5000 + n)})
				switch {
				case err != nil:
					t.Error(err)
				case refused == lifecycle.FlowRevisionConflict && now.Revision == seen.Revision:
					t.Errorf("a conflict came with revision %d, which was given", now.Revision)
				case refused == lifecycle.FlowRevisionConflict:
					conflicts.Add(1)
				case refused == "":
					changes.Add(1)
				}
			}
		})
	}
	for changes.Load() < 10 {
		if t.Failed() {
			break
		}
	}
	got := f.cancel("f")
	stop.Store(true)
	wg.Wait()
	if got.Refused != "" || got.Asked || got.Flow.CancelRequestedAtMS == 0 || f.stopOf("a") != lifecycle.StoppedByUser {
		t.Errorf("%+v", got)
	}
	if again := f.cancel("f"); !again.Asked || again.Flow.CancelRequestedAtMS != got.Flow.CancelRequestedAtMS || again.Stopping != nil {
		t.Errorf("the second time: %+v", again)
	}
	t.Logf("%d changes, %d conflicts", changes.Load(), conflicts.Load())
	f.end("a")
	f.want("f", lifecycle.WorkflowCancelled, lifecycle.FlowCancelled)
}

// A cancel that is written down and not yet carried out is no failure: it is
// accepted, and the flow settles with the end of its last child.
func TestAPendingCancelIsAccepted(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 0)
	f.runs("f", "a", "b")
	result := func(a store.FlowCancelAnswer) lifecycle.FlowCancelResult {
		return lifecycle.CancelResultOf(a.Refused, a.Before, a.Flow.Status.Closed(), a.Flow.Live())
	}
	if got := result(f.cancel("f")); got != lifecycle.FlowCancelAccepted {
		t.Errorf("with live children: %s", got)
	}
	f.end("a")
	f.want("f", lifecycle.WorkflowRunning, lifecycle.FlowStarted)
	f.end("b")
	settled := f.want("f", lifecycle.WorkflowCancelled, lifecycle.FlowCancelled)
	if settled.EndedAtMS != f.ms {
		t.Errorf("it ended at %d, its last child at %d", settled.EndedAtMS, f.ms)
	}
	if got := result(f.cancel("f")); got != lifecycle.FlowCancelTerminal {
		t.Errorf("of a cancelled one: %s", got)
	}
	f.create("empty", 0)
	if got := result(f.cancel("empty")); got != lifecycle.FlowCancelSettled {
		t.Errorf("without children: %s", got)
	}
	if got := result(f.cancel("none")); got != lifecycle.FlowCancelNotFound {
		t.Errorf("of none: %s", got)
	}
	a, err := f.CancelFlow(t.Context(), store.FlowCancel{ID: "f", Owner: "you", At: f.now()})
	if err != nil || result(a) != lifecycle.FlowCancelRefused {
		t.Errorf("of somebody else's: %+v, %v", a, err)
	}
}

// Every reason to refuse a run has a word of its own, and the flow as it is comes
// with it.
func TestEveryRefusalIsTyped(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	beginReview(t, f.Ledger, "review", "", 900)
	for _, id := range []string{"open", "cancelled", "done"} {
		f.create(id, 0)
		f.runs(id, id+"-1")
	}
	f.cancel("cancelled")
	f.move("done", lifecycle.FlowFinish)
	seen := map[lifecycle.FlowRefusal]bool{"": true}
	for _, tt := range []struct {
		id   string
		ask  lifecycle.FlowAsk
		want lifecycle.FlowRefusal
	}{
		{"none", lifecycle.FlowAsk{}, lifecycle.FlowNotFound},
		{"review", lifecycle.FlowAsk{}, lifecycle.FlowNotManaged},
		{"open", lifecycle.FlowAsk{Owner: "you"}, lifecycle.FlowOwnerMismatch},
		{"cancelled", lifecycle.FlowAsk{}, lifecycle.FlowCancelRequested},
		{"done", lifecycle.FlowAsk{}, lifecycle.FlowTerminal},
		{"open", lifecycle.FlowAsk{Revision: 1}, lifecycle.FlowRevisionConflict},
		{"open", lifecycle.FlowAsk{Owner: "me", Revision: 2}, ""},
	} {
		r := f.run(tt.id, "x", tt.ask)
		seen[r.Refused] = true
		if r.Refused != tt.want || r.Created != (tt.want == "") || r.Found != (tt.want != lifecycle.FlowNotFound) || r.Found && r.Flow.ID != tt.id {
			t.Errorf("%+v gives %+v", tt, r)
		}
		if _, err := f.Execution(t.Context(), "x"); errors.Is(err, store.ErrNotFound) != (tt.want != "") {
			t.Errorf("%+v leaves %v", tt, err)
		}
	}
	must(t, f.Close()) // what follows has no ledger
	r, err := f.RunInFlow(t.Context(), store.FlowRun{Announcement: storetest.Announcement("y", 9, 9000)})
	if seen[r.Refused] = true; err == nil || r.Created {
		t.Errorf("a closed ledger takes a run: %+v", r)
	}
	// A run leads everywhere a flow is open; that no step leads on is for moves.
	for _, refusal := range lifecycle.FlowRefusals() {
		if seen[refusal] != (refusal != lifecycle.FlowInvalidTransition) {
			t.Errorf("%s was given: %v", refusal, seen[refusal])
		}
	}
}

// There is one predicate of the end, and what is blocked never is at it: it can be
// run in, waited for, resumed, and ended.
func TestBlockedIsNeverAnEnd(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 0)
	f.runs("f", "a")
	if b := f.move("f", lifecycle.FlowBlock); b.Status.Closed() || b.EndedAtMS != 0 || b.Detail != "because" {
		t.Errorf("%+v", b)
	}
	f.runs("f", "b")
	f.want("f", lifecycle.WorkflowBlocked, lifecycle.FlowBlocked)
	f.move("f", lifecycle.FlowWait)
	f.move("f", lifecycle.FlowResume)
	f.want("f", lifecycle.WorkflowRunning, lifecycle.FlowResumed)
	f.move("f", lifecycle.FlowBlock)
	f.end("a")
	f.end("b")
	f.move("f", lifecycle.FlowFinish)
	f.want("f", lifecycle.WorkflowSucceeded, lifecycle.FlowFinished)
}

// A child that was lost pins nothing: neither a cancel, nor a flow that would be
// left running with nobody in it.
func TestALostChildPinsNothing(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("cancelled", 0)
	f.runs("cancelled", "a", "b")
	f.cancel("cancelled")
	f.lose("a")
	f.lose("b")
	f.want("cancelled", lifecycle.WorkflowCancelled, lifecycle.FlowCancelled)

	f.create("f", 0)
	f.runs("f", "c", "d")
	f.lose("c")
	f.want("f", lifecycle.WorkflowRunning, lifecycle.FlowStarted)
	f.lose("d")
	f.want("f", lifecycle.WorkflowBlocked, lifecycle.FlowChildLost)
	// The real end of one comes late: not all is lost.
	f.end("d")
	f.want("f", lifecycle.WorkflowRunning, lifecycle.FlowChildBack)

	f.create("retried", 0)
	f.runs("retried", "e")
	f.lose("e")
	f.runs("retried", "g")
	f.want("retried", lifecycle.WorkflowRunning, lifecycle.FlowStarted)
	f.lose("g")
	f.want("retried", lifecycle.WorkflowBlocked, lifecycle.FlowChildLost)

	// What a person said stands.
	f.create("waiting", 0)
	f.runs("waiting", "h")
	f.move("waiting", lifecycle.FlowWait)
	f.lose("h")
	f.want("waiting", lifecycle.WorkflowWaiting, lifecycle.FlowWaiting)
}

// The end settles the flow in its own transaction, on every way it can come: by the
// wrapper in the short way and in the long, late, and out of the spool.
func TestEveryWayToEndSettlesTheFlow(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*flowTest){
		"lost":       func(f *flowTest) { f.lose("a") },
		"with turns": func(f *flowTest) { report(f.T, f.Ledger, "a", f.now().WallMS, "turn.started t1"); f.end("a") },
		"with its launch": func(f *flowTest) {
			e := storetest.Exit("a", 3, f.now().WallMS)
			e.Launch = new(storetest.Launch("a", 77, f.ms))
			must(f.T, finish(f.Context(), f.Ledger, e))
		},
		"not started": func(f *flowTest) {
			e := storetest.Exit("a", 127, f.now().WallMS)
			e.End = lifecycle.EndNotStarted
			must(f.T, finish(f.Context(), f.Ledger, e))
		},
		"spool": func(f *flowTest) {
			spool := filepath.Join(f.TempDir(), "spool")
			broken := store.NewRecorder(store.RecorderConfig{Open: func(context.Context) (*store.Ledger, error) { return nil, errAway }, SpoolDir: spool})
			must(f.T, finish(f.Context(), broken, storetest.Exit("a", 0, f.now().WallMS)))
			f.want("f", lifecycle.WorkflowRunning, lifecycle.FlowStarted)
			if n, err := store.IngestSpool(f.Context(), f.Ledger, spool); err != nil || n != 1 {
				f.Errorf("%d facts, %v", n, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFlowTest(t)
			f.create("f", 0)
			f.runs("f", "a")
			f.cancel("f")
			end(f)
			f.want("f", lifecycle.WorkflowCancelled, lifecycle.FlowCancelled)
			if n, err := f.SettleFlows(t.Context(), f.now()); n != 0 || err != nil {
				t.Errorf("%d flows were left to settle, %v", n, err)
			}
		})
	}
}

// What somebody wrote who knew of no flows is settled by whoever looks, once.
func TestAnybodySettlesWhatIsDue(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 0)
	f.runs("f", "a")
	f.cancel("f")
	db := raw(t, f.path, "")
	_, err := db.ExecContext(t.Context(), `UPDATE executions SET "end" = 'lost', ended_at = 9999 WHERE uid = 'a'`)
	must(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO events (uid, type, at) VALUES ('a', 'execution_lost', 9999)`)
	must(t, err)
	var wg sync.WaitGroup
	var settled atomic.Int64
	for range 4 {
		l := storetest.Open(t, f.path)
		wg.Go(func() {
			n, err := l.SettleFlows(t.Context(), storetest.At(20_000))
			if err != nil {
				t.Error(err)
			}
			settled.Add(int64(n))
		})
	}
	wg.Wait()
	if settled.Load() != 1 {
		t.Errorf("it was settled %d times", settled.Load())
	}
	f.want("f", lifecycle.WorkflowCancelled, lifecycle.FlowCancelled)
}

// Owner and workspace are the flow's, and creating twice changes nothing.
func TestAFlowGivesWhatItsRunsHaveInCommon(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 0)
	f.runs("f", "a")
	e, err := f.Execution(t.Context(), "a")
	if err != nil || e.Workspace != "/flow" || e.FlowID != "f" {
		t.Errorf("%+v, %v", e.Announcement, err)
	}
	for owner, want := range map[string]lifecycle.FlowRefusal{"me": "", "you": lifecycle.FlowOwnerMismatch} {
		got, created, refused, err := f.CreateFlow(t.Context(), store.NewFlow{ID: "f", Owner: owner, Workspace: "/other", At: f.now()})
		if created || refused != want || err != nil || got.Workspace != "/flow" || got.Owner != "me" {
			t.Errorf("%s: %+v, %v, %q, %v", owner, got, created, refused, err)
		}
	}
	if id, err := f.FlowOf(t.Context(), "a"); id != "f" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	nested := storetest.Announcement("nested", 4711, f.now().WallMS)
	nested.ParentUID = "a"
	_, err = f.Announce(t.Context(), nested)
	must(t, err)
	if id, err := f.FlowOf(t.Context(), "nested"); id != "f" || err != nil {
		t.Errorf("of a nested run: %q, %v", id, err)
	}
	if below, err := f.Below(t.Context(), "a"); err != nil || len(below) != 1 || below[0].UID != "nested" {
		t.Errorf("%+v, %v", below, err)
	}
	if _, err := f.FlowOf(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
