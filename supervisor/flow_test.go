package supervisor

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// A run that was committed under a flow a moment before the flow was cancelled looks
// again when it is launched, and stops: at once, and not at its next beat.
func TestCancelledBeforeItsLaunch(t *testing.T) {
	b := newBench(t, `exec sleep 100`)
	b.order.FlowID = "f"
	at := store.Instant{WallMS: 1000}
	l, err := store.Open(t.Context(), store.Config{Path: filepath.Join(b.order.StateDir, "ledger.db")})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := l.CreateFlow(t.Context(), store.NewFlow{ID: "f", Owner: "me", At: at}); err != nil {
		t.Fatal(err)
	}
	// The row is another process's: what counts is that it was committed.
	r, err := l.RunInFlow(t.Context(), store.FlowRun{Announcement: store.Announcement{UID: b.order.UID, FlowID: "f", Command: []string{"x"}, At: at}})
	if err != nil || !r.Created {
		t.Fatalf("%+v, %v", r, err)
	}
	if a, err := l.CancelFlow(t.Context(), store.FlowCancel{ID: "f", At: at}); err != nil || len(a.Stopping) != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	want(t, "exit code", codeOf(t, b.command().Run()), 128+int(unix.SIGTERM))
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
	f, err := l.Flow(t.Context(), "f")
	if err != nil || f.Status != lifecycle.WorkflowCancelled {
		t.Errorf("%+v, %v", f, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// A signal that came before the launch is acted on after it, or instead of one that takes
// long.
func TestSignalBeforeTheLaunch(t *testing.T) {
	b := newBench(t, `exec sleep 100`)
	b.order.Early = true
	want(t, "exit code", codeOf(t, b.command().Run()), 128+int(unix.SIGTERM))
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}
