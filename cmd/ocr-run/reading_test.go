package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// A run that ended between the look at its row and that at its wrapper has ended, and is
// not gone, though the ledger may not have been to be had for its end.
func TestARunThatJustEndedIsNotGone(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]bool{"in the ledger": false, "in the spool": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, l, state := call{environment: processEnvironment()}, storetest.New(t), t.TempDir()
			c.lookup = vars(map[string]string{"XDG_STATE_HOME": state})
			at := c.observer()
			a := store.Announcement{
				UID: "u", Lineage: "u", Command: []string{"agent"}, At: at.Now, BeatMS: 10_000,
				Wrapper: store.Identity{MachineID: at.MachineID, BootID: at.Now.BootID, PIDNamespace: proc.PIDNamespace(), PID: 1 << 30, StartTicks: 1},
			}
			if _, err := l.Announce(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			read, err := l.Executions(t.Context(), store.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			if v := c.views(t.Context(), l, read)[0]; v.Liveness != string(heartbeat.LivenessGone) {
				t.Fatalf("with a dead wrapper it is %s", v.Liveness)
			}
			finish := l.Finish
			if busy {
				finish = store.NewRecorder(store.RecorderConfig{
					SpoolDir: spoolDir(filepath.Join(state, "ocr-run")), Open: func(context.Context) (*store.Ledger, error) { return nil, store.ErrBusy },
				}).Finish
			}
			if _, err := finish(t.Context(), store.Ending{UID: "u", Generation: 1, End: lifecycle.EndExited, ExitCode: new(0), At: at.Now}); err != nil {
				t.Fatal(err)
			}
			if v := c.views(t.Context(), l, read)[0]; v.Liveness != string(heartbeat.LivenessEnded) || v.Outcome != string(lifecycle.OutcomeSuccess) {
				t.Errorf("it is %s (%s)", v.Liveness, v.Outcome)
			}
		})
	}
}
