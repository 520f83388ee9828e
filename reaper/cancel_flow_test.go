package reaper

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// flow makes a flow.
func (s *sweepTest) flow(id string) {
	s.t.Helper()
	if _, _, _, err := s.Ledger.CreateFlow(s.t.Context(), store.NewFlow{ID: id, Owner: "me", At: here(s.t).Now}); err != nil {
		s.t.Fatal(err)
	}
}

// child commits a run under a flow, wrapped by a process.
func (s *sweepTest) child(flow, uid string, wrapper store.Identity, queued bool) {
	s.t.Helper()
	r, err := s.Ledger.RunInFlow(s.t.Context(), store.FlowRun{Announcement: store.Announcement{
		UID: uid, FlowID: flow, Lineage: uid, Command: []string{"x"}, CWD: "/", Wrapper: wrapper, Queued: queued,
		RunFile: runfile.Path(s.dir, uid), At: here(s.t).Now, BeatMS: 10_000,
	}})
	if err != nil || !r.Created {
		s.t.Fatalf("%+v, %v", r, err)
	}
}

// Of a cancelled flow the wrappers within reach are told once, the rows of dead ones
// are settled, those out of reach are named, and the flow has ended with the last.
func TestCancelFlowDealsWithEveryChild(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.flow("f")
	at := here(t)
	wrapper := breed(t, nil, "running")[0]
	s.child("f", "alive", identity(at, wrapper.PID, wrapper.Start), false)
	s.child("f", "dead", noOne(at), true)
	elsewhere := noOne(at)
	elsewhere.MachineID = "another machine"
	s.child("f", "elsewhere", elsewhere, false)
	got, err := CancelFlow(t.Context(), s.Config, store.FlowCancel{ID: "f", At: at.Now})
	if err != nil || got.Result != lifecycle.FlowCancelAccepted || got.Asked {
		t.Fatalf("%+v, %v", got, err)
	}
	want := []ChildStep{{"alive", ChildWoken}, {"dead", ChildSettled}, {"elsewhere", ChildUnreachable}}
	if len(got.Children) != 3 || got.Children[0] != want[0] || got.Children[1] != want[1] || got.Children[2] != want[2] {
		t.Errorf("the children are %+v, want %+v", got.Children, want)
	}
	eventually(t, "TERM arrives", func() bool { return !wrapper.alive() })
	if got.Flow.Ended != 1 || got.Flow.Live() != 2 || got.Flow.Status.Closed() {
		t.Errorf("the flow is %+v", got.Flow)
	}
	// The second wish presses no harder.
	again, err := CancelFlow(t.Context(), s.Config, store.FlowCancel{ID: "f", At: at.Now})
	if err != nil || !again.Asked || again.Result != lifecycle.FlowCancelAccepted || again.Children[0].State != ChildAsked {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	for _, uid := range []string{"alive", "elsewhere"} {
		if _, err := s.Ledger.Finish(t.Context(), lostEnd(execution(t, s, uid))); err != nil {
			t.Fatal(err)
		}
	}
	f, err := AwaitFlow(t.Context(), s.Config, "f")
	if err != nil || f.Status != lifecycle.WorkflowCancelled {
		t.Errorf("%+v, %v", f, err)
	}
	if got, err := CancelFlow(t.Context(), s.Config, store.FlowCancel{ID: "f", At: at.Now}); err != nil || got.Result != lifecycle.FlowCancelTerminal {
		t.Errorf("when all is over: %+v, %v", got, err)
	}
	for id, want := range map[string]lifecycle.FlowCancelResult{"none": lifecycle.FlowCancelNotFound, "f": lifecycle.FlowCancelRefused} {
		got, err := CancelFlow(t.Context(), s.Config, store.FlowCancel{ID: id, Owner: "you", At: at.Now})
		if err != nil || got.Result != want {
			t.Errorf("%s: %+v, %v", id, got, err)
		}
	}
}

// execution reads a row.
func execution(t *testing.T, s *sweepTest, uid string) store.Execution {
	t.Helper()
	e, err := s.Ledger.Execution(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// What dead children left running is stopped with them.
func TestCancelFlowTidiesUp(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.flow("f")
	at := here(t)
	left := breed(t, s.marker(), "setsid")
	s.child("f", s.uid, noOne(at), false)
	child := noOne(at)
	child.StartTicks = 1
	if err := s.Ledger.Launched(t.Context(), store.Launch{UID: s.uid, Child: child, Monitor: noOne(at), At: at.Now}); err != nil {
		t.Fatal(err)
	}
	beat := store.Beat{UID: s.uid, Generation: 1, At: at.Now, Descendants: []store.Descendant{{PID: left[0].PID, StartTicks: left[0].Start}}}
	if _, err := s.Ledger.Beat(t.Context(), beat); err != nil {
		t.Fatal(err)
	}
	got, err := CancelFlow(t.Context(), s.Config, store.FlowCancel{ID: "f", At: at.Now})
	if err != nil || got.Result != lifecycle.FlowCancelSettled || len(got.Processes) != 1 || left[0].alive() {
		t.Errorf("%+v, %v", got, err)
	}
}

// Waiting for a flow settles the children that die meanwhile, and ends with patience.
func TestAwaitFlow(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.flow("f")
	at := here(t)
	wrapper := breed(t, nil, "running")[0]
	s.child("f", "a", identity(at, wrapper.PID, wrapper.Start), true)
	if _, err := s.Ledger.CancelFlow(t.Context(), store.FlowCancel{ID: "f", At: at.Now}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	s.wait = func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
	cancel(errors.New("out of patience"))
	if f, err := AwaitFlow(ctx, s.Config, "f"); err == nil {
		t.Errorf("it has not ended, and that was no error: %+v", f)
	}
	_ = proc.Signal(wrapper.PID, wrapper.Start, syscall.SIGKILL)
	f, err := AwaitFlow(t.Context(), s.Config, "f")
	if err != nil || f.Status != lifecycle.WorkflowCancelled || f.Lost != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

// The flow of which somebody who knows of no flows has written the last end is settled
// by whoever looks, and by a sweep.
func TestSweepSettlesFlows(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	db := storetest.Raw(t, s.Ledger.Path())
	over := func(flow, uid string) {
		t.Helper()
		s.flow(flow)
		s.child(flow, uid, noOne(here(t)), true)
		at := here(t).Now.WallMS
		if _, err := db.ExecContext(t.Context(), `UPDATE executions SET "end" = 'lost', ended_at = ? WHERE uid = ?`, at, uid); err != nil {
			t.Fatal(err)
		}
	}
	settled := func(flow string) {
		t.Helper()
		if f, err := s.Ledger.Flow(t.Context(), flow); err != nil || f.Why != lifecycle.FlowChildLost {
			t.Errorf("%+v, %v", f, err)
		}
	}
	over("f", "a")
	if r, err := Settle(t.Context(), s.Ledger, s.spoolDir(), here(t)); err != nil || r.Lost != 0 || r.Flows != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	settled("f")
	over("g", "b")
	s.reap()
	settled("g")
}
