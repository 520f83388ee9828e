package render

import (
	"os"
	"path/filepath"
	"testing"
)

// checkGolden compares text with testdata/name. With UPDATE_GOLDEN set it
// writes the file instead.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// noon is when all examples are looked at.
const noon = 1769860800000 // 2026-01-31T12:00:00Z

// running is a run that has not ended and says as little as a run can.
func running() Execution {
	return Execution{
		UID: "01975e3a-0000-7000-8000-00001f0c9a2e", Source: "ledger", Command: []string{"sleep", "60"},
		Liveness: "live", Process: Process{End: "running"}, Turn: Turn{State: "none"}, Outcome: "running", Recording: "ok",
	}
}

// lit is a run whose lights say as much as lights can.
func lit(activity string) Execution {
	e := running()
	e.Lights = &Lights{
		Activity: activity, Beating: Light{new(true), new(int64(3_000))}, Processes: Light{new(false), new(int64(95_000))},
		Output: Light{new(true), new(int64(4_000))}, Turn: Light{new(false), nil}, LimitedUntil: TimeOrNull(noon + 7_200_000),
		DeadConnection: new("192.0.2.1:443"), Usage: &Usage{Processes: 3, CPUMS: 12_340, MemoryBytes: 150 << 20},
	}
	e.Turn.State = "running"
	return e
}

// unfinished is a run that says as much as a run can.
func unfinished() Execution {
	return Execution{
		UID: "01975e3a-1111-7000-8000-0000aabbccdd", ParentUID: new("01975e3a-0000-7000-8000-00001f0c9a2e"),
		FlowID: new("flow-1"), ResumedFrom: new("01975e3a-2222-7000-8000-000012345678"), Name: new("nightly"),
		Source: "ledger", Command: []string{"claude", "-p", "review this branch; it's <urgent> & new\x1b[2J"},
		Workspace: new("/home/u/proj"), Agent: new("claude"), AgentSessionID: new("c0ffee"), PID: new(4711),
		StartedAt: TimeOrNull(noon - 7200_000), EndedAt: TimeOrNull(noon - 3600_000 + 1), AwakeMS: new(int64(1_200_000)),
		SuspendedMS: new(int64(2_400_001)), LastHeartbeatAt: TimeOrNull(noon - 3605_000), Liveness: "ended",
		Process: Process{End: "exited", ExitCode: new(0)},
		Workflow: &Workflow{
			ID: "2026-01-31-main", Kind: "review", Source: "ledger", Completeness: "open_no_artifact",
			Phase: new("reviews"), Round: new(1),
		},
		Turn: Turn{State: "error"}, Outcome: "incomplete", Cause: new("sleep"),
		Evidence: []Evidence{
			{Source: "text", Detail: "stream error:\nconnection reset", At: TimeOrNull(noon - 3601_000)},
			{Source: "clock", Detail: "asleep for 40m"},
		},
		Leftovers: Leftovers{
			Stopped:   []Leftover{{PID: 4800, Command: new("node server.js"), Signal: new("TERM")}},
			Kept:      []Leftover{{PID: 4801, Command: new("ocr-run keep"), Reason: new("asked to be kept")}},
			Remaining: []Leftover{{PID: 4802}},
		},
		Resume: &Resume{Command: []string{"claude", "--resume", "c0ffee"}}, Recording: "degraded",
	}
}

// others are ends of other kinds.
func others() []Execution {
	crashed, lost, missing := running(), running(), running()
	crashed.UID, crashed.Liveness, crashed.Outcome, crashed.Cause = "…-crashed1", "ended", "failed", new("crash")
	crashed.EndedAt, crashed.AwakeMS = TimeOrNull(noon-1), new(int64(4200))
	crashed.Process = Process{End: "signalled", Signal: new(11), CoreDumped: true, StoppedBy: new("user")}
	crashed.Command = []string{"./prog", "日本語のとても長い引数です", "and", "then", "some", "more", "words", "to", "reach", "the", "edge"}
	lost.UID, lost.Liveness, lost.Outcome, lost.Cause = "…-lost0001", "ended", "failed", new("orphaned")
	lost.Process, lost.EndedAt = Process{End: "lost"}, TimeOrNull(noon-86400_000)
	lost.Workflow = &Workflow{ID: "m", Kind: "map", Source: "ledger", Completeness: "in_flight"}
	missing.UID, missing.Liveness, missing.Outcome, missing.Cause = "…-absent01", "ended", "failed", new("not-started")
	missing.Process, missing.EndedAt = Process{End: "not-started", ExitCode: new(127)}, TimeOrNull(noon-2*86400_000)
	return []Execution{crashed, lost, missing}
}
