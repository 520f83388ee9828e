package supervisor

import (
	"path/filepath"
	"testing"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// What goes before the launch is none of the command's time.
func TestAwakeTimeCountsFromTheLaunch(t *testing.T) {
	b := newBench(t, "exit 3")
	want(t, "code", codeOf(t, b.command().Run()), 3)
	e, err := storetest.Open(t, filepath.Join(b.order.StateDir, "ledger.db")).Execution(t.Context(), b.order.UID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "awake", e.AwakeMS, b.ending().At.AwakeMS-e.Launch.At.AwakeMS)
}

func TestNotLaunchedRanForNothing(t *testing.T) {
	t.Parallel()
	want(t, "awake", (&run{}).ranFor(store.Instant{WallMS: 5, AwakeMS: 5}), 0)
}
