package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// flowChildrenVariable sets how many children the crowd has: make flows sets 500.
const flowChildrenVariable = "OCR_RUN_FLOW_CHILDREN"

// flow is a flow verb as a process of its own.
func (b bench) flow(ctx context.Context, words ...string) *exec.Cmd {
	cmd := b.state(ctx, "")
	cmd.Args = append([]string{"ocr-run", "flow"}, words...)
	return cmd
}

// A crowd of children is cancelled at a random moment, while more of them are
// committed and launched. All are stopped, the flow has settled once, nothing was
// committed after the wish, and no process is left, not even a dead one.
func TestACrowdOfChildrenIsCancelled(t *testing.T) {
	t.Parallel()
	b, n := newBench(t), 24
	t.Cleanup(func() { b.stopRecorded(t) })
	if raceDetector {
		n = 8
	}
	if set, err := strconv.Atoi(os.Getenv(flowChildrenVariable)); err == nil {
		n = set
	}
	if out, err := b.flow(t.Context(), "create", "--id", "f").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	moment := int64(rand.IntN(n + 1))
	var created, refused, asked atomic.Int64
	reached := make(chan struct{})
	var all sync.WaitGroup
	var tell sync.Once
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	for range 8 {
		all.Go(func() {
			for range work {
				if asked.Add(1) > moment {
					tell.Do(func() { close(reached) })
				}
				cmd := b.flow(t.Context(), "run", "f", "--detach", "--quiet", "--", "sleep", "100")
				out, _ := cmd.CombinedOutput()
				switch cmd.ProcessState.ExitCode() {
				case exitOK:
					created.Add(1)
				case exitInvariant:
					refused.Add(1)
				default:
					t.Errorf("%v: %s", cmd.ProcessState, out)
				}
			}
			tell.Do(func() { close(reached) })
		})
	}
	<-reached
	out, err := b.flow(t.Context(), "cancel", "f", "--wait", "--timeout", "4m").CombinedOutput()
	if err != nil {
		t.Errorf("cancel: %v: %s", err, out)
	}
	all.Wait()
	db := storetest.Raw(t, b.ledger)
	if ended, flows := storetest.CheckFlows(t, db); ended != 1 || flows != 1 {
		t.Errorf("%d of %d flows have ended", ended, flows)
	}
	b.checkCrowd(t, int(created.Load()))
	t.Logf("%d created, %d refused, cancelled at %d: %s", created.Load(), refused.Load(), moment, out)
}

// checkCrowd holds the rows of the crowd against the processes there are.
func (b bench) checkCrowd(t *testing.T, created int) {
	t.Helper()
	l := storetest.Open(t, b.ledger)
	f, err := l.Flow(t.Context(), "f")
	if err != nil || f.Status != lifecycle.WorkflowCancelled || f.Live() != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	children, err := l.FlowExecutions(t.Context(), "f")
	if err != nil || len(children) != created {
		t.Errorf("%d rows of %d runs, %v", len(children), created, err)
	}
	for _, e := range children {
		if v := lifecycle.Judge(factsOf(e)); v.Outcome != lifecycle.OutcomeCancelled {
			t.Errorf("run %s is %+v: %+v", e.UID, v, e.Process)
		}
		for what, id := range map[string]store.Identity{"wrapper": e.Wrapper, "monitor": e.Launch.Monitor, "command": e.Launch.Child} {
			gone(t, what+" of "+e.UID, id)
		}
	}
}

// gone waits until a process is no more. A dead one that only the first process of
// the system has still to take in is none of ours.
func gone(t *testing.T, what string, id store.Identity) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); id.PID != 0; {
		p, err := proc.Read(id.PID)
		if err != nil || p.Start != id.StartTicks || p.Dead() && p.PPID == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s is still there: %+v", what, p)
			return
		}
		if clock.Wait(t.Context(), 5*time.Millisecond) != nil {
			return
		}
	}
}

// stopRecorded kills, after a failure, what the rows name and is still the same
// process.
func (b bench) stopRecorded(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	l, err := store.Open(context.Background(), store.Config{Path: b.ledger})
	if err != nil {
		t.Log(err)
		return
	}
	defer l.Close()
	all, err := l.Unsettled(context.Background())
	if err != nil {
		t.Log(err)
	}
	ended, err := l.FlowExecutions(context.Background(), "f")
	if err != nil {
		t.Log(err)
	}
	for _, e := range append(all, ended...) {
		for _, id := range []store.Identity{e.Launch.Child, e.Launch.Monitor, e.Wrapper} {
			if p, err := proc.Read(id.PID); id.PID > 0 && err == nil && p.Start == id.StartTicks {
				_ = unix.Kill(id.PID, unix.SIGKILL)
			}
		}
	}
}
