package main

import (
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// The run of these tests, in wall-clock milliseconds.
const (
	workFrom = 10_000_500
	workTo   = 20_000_000
)

// A step of work is what an agent does to a workflow, in the seconds that the run
// took part in; not what tidies it up.
func TestWhatMovedAWorkflow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind lifecycle.EventType
		atMS int64
		toMS int64
		want bool
	}{
		{"a step", lifecycle.EventPhaseTransition, workFrom + 1, workTo, true},
		{"a step in the second it began", lifecycle.EventSessionCreated, 10_000_000, workTo, true},
		{"a step in the second before", lifecycle.EventSessionCreated, 9_999_999, workTo, false},
		{"a step after the end", lifecycle.EventPhaseTransition, workTo + 1, workTo, false},
		{"a step up to now", lifecycle.EventPhaseTransition, workTo + 1, 0, true},
		{"a close", lifecycle.EventSessionClosed, workFrom + 1, workTo, false},
		{"an abort", lifecycle.EventSessionAborted, workFrom + 1, workTo, false},
		{"a stale one tidied up", lifecycle.EventSessionAutoClosedStale, workFrom + 1, workTo, false},
		{"one taken in", lifecycle.EventSessionSynced, workFrom + 1, workTo, false},
	} {
		k := hostWork{fromMS: workFrom, toMS: c.toMS}
		if got := k.moved(ocrdb.Event{Type: c.kind, AtMS: c.atMS}); got != c.want {
			t.Errorf("%s: moved is %v", c.name, got)
		}
	}
}

// Another run is at a workflow when it drives it and was there, as far as anybody
// knows, while ours was.
func TestWhoIsAtAWorkflow(t *testing.T) {
	t.Parallel()
	running := lifecycle.Process{End: lifecycle.EndRunning}
	ended := lifecycle.Process{End: lifecycle.EndExited, ExitCode: new(0)}
	drives := ocrdb.RoleSupervisor
	for _, c := range []struct {
		name string
		row  ocrdb.Execution
		want bool
	}{
		{"it lives", ocrdb.Execution{Role: drives, Process: running, HeartbeatMS: workFrom}, true},
		{"it ended meanwhile", ocrdb.Execution{Role: drives, Process: ended, FinishedMS: workFrom}, true},
		{"it ended before", ocrdb.Execution{Role: drives, Process: ended, FinishedMS: workFrom - 1, HeartbeatMS: workFrom}, false},
		{"it began after", ocrdb.Execution{Role: drives, Process: running, StartedMS: workTo + 1, HeartbeatMS: workTo + 1}, false},
		{"it beat shortly before", ocrdb.Execution{Role: drives, Process: running, HeartbeatMS: workFrom - 59_000}, true},
		{"it has not for long", ocrdb.Execution{Role: drives, Process: running, HeartbeatMS: workFrom - 61_000}, false},
		{"a reviewer it started", ocrdb.Execution{Role: ocrdb.RoleInstance, Process: running, HeartbeatMS: workFrom}, false},
		{"our own row", ocrdb.Execution{UID: "own", Role: drives, Process: running, HeartbeatMS: workFrom}, false},
	} {
		k := hostWork{uid: "own", fromMS: workFrom, toMS: workTo}
		if got := k.atIt(c.row); got != c.want {
			t.Errorf("%s: at it is %v", c.name, got)
		}
	}
}
