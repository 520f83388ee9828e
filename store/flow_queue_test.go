package store_test

import (
	"errors"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// Of many that wait only as many run as there are slots, the first come first; a
// stop request and the end of the flow leave a slot to nobody.
func TestSlotsAreTakenInTurn(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 2)
	f.runs("f", "a", "b", "c", "d")
	take := func(uid string, limit int) store.SlotAnswer {
		t.Helper()
		a, err := f.TakeSlot(t.Context(), store.SlotRequest{UID: uid, Generation: 1, Limit: limit})
		must(t, err)
		return a
	}
	if got := take("c", 0); got.Taken || got.Ahead != 2 || got.Limit != 2 || got.End != lifecycle.EndQueued {
		t.Errorf("before its turn: %+v", got)
	}
	if got := take("b", 1); got.Taken || got.Limit != 1 {
		t.Errorf("under a limit of its own: %+v", got)
	}
	if !take("a", 0).Taken || !take("b", 0).Taken || take("c", 9).Taken {
		t.Error("two of three take a slot")
	}
	if _, err := f.Beat(t.Context(), store.Beat{UID: "c", Generation: 1, At: f.now()}); err != nil {
		t.Errorf("a queued run beats: %v", err)
	}
	f.end("a")
	_, err := f.RequestStop(t.Context(), "c", lifecycle.StoppedByUser, f.now())
	must(t, err)
	if got := take("c", 0); got.Taken || got.StopRequested != lifecycle.StoppedByUser {
		t.Errorf("asked to stop: %+v", got)
	}
	// A dead one ahead is settled, and no longer there.
	f.lose("c")
	if !take("d", 0).Taken {
		t.Error("d has its turn")
	}
	f.runs("f", "e")
	f.end("b")
	f.cancel("f")
	if got := take("e", 0); got.Taken {
		t.Errorf("under a cancelled flow: %+v", got)
	}
	f.end("d")
	f.lose("e")
	f.want("f", lifecycle.WorkflowCancelled, lifecycle.FlowCancelled)
	if _, err := f.TakeSlot(t.Context(), store.SlotRequest{UID: "none"}); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// One that waits for its time takes no slot before, and is in nobody's way.
func TestTheTimeGoesBeforeTheTurn(t *testing.T) {
	t.Parallel()
	f := newFlowTest(t)
	f.create("f", 1)
	early := storetest.Announcement("early", 4711, f.now().WallMS)
	early.FlowID, early.NotBeforeMS, early.WaitsFor = "f", 50_000, store.WaitPause
	_, err := f.RunInFlow(t.Context(), store.FlowRun{Announcement: early})
	must(t, err)
	f.runs("f", "a", "b")
	take := func(uid string, nowMS int64) store.SlotAnswer {
		t.Helper()
		a, err := f.TakeSlot(t.Context(), store.SlotRequest{UID: uid, Generation: 1, NowMS: nowMS})
		must(t, err)
		return a
	}
	if got := take("early", 49_999); got.Taken || got.NotBeforeMS != 50_000 || got.End != lifecycle.EndQueued {
		t.Errorf("before its time: %+v", got)
	}
	if !take("a", 49_999).Taken {
		t.Error("a is held up by one that waits")
	}
	if got := take("early", 50_000); got.Taken || got.NotBeforeMS != 0 {
		t.Errorf("its time has come, its turn has not: %+v", got)
	}
	f.end("a")
	if take("b", 50_000).Taken || !take("early", 50_000).Taken {
		t.Error("from its time on it has its old place")
	}
}
