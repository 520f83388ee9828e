package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// seen is when the rows of these tests are looked at.
func seen() store.Instant {
	return store.Instant{WallMS: 1769860800000, AwakeMS: 500_000, BootID: "boot"}
}

// fullRow is a row with every column set.
func fullRow() store.Execution {
	at := seen()
	at.WallMS -= 60_000
	at.AwakeMS -= 50_000
	return store.Execution{
		Announcement: store.Announcement{
			UID: "u1", ParentUID: "u0", ResumedFrom: "u9", WorkflowID: "s1", FlowID: "f1", Lineage: "u0/u0/u1", Name: "nightly",
			Command: []string{"agent", "do it"}, CWD: "/w/sub", Workspace: "/w", Agent: "claude", At: at, BeatMS: 10_000,
		},
		Launch:      store.Launch{UID: "u1", Child: store.Identity{PID: 42}, At: at},
		Generation:  1,
		Process:     lifecycle.Process{End: lifecycle.EndSignalled, Signal: new(11), CoreDumped: true, StoppedBy: lifecycle.StoppedByDeadline},
		StartedAtMS: at.WallMS, EndedAtMS: at.WallMS + 55_000, AwakeMS: 45_000, SuspendedMS: 10_000, LastBeat: at,
		Evidence:  []lifecycle.Evidence{{Source: lifecycle.SourceKernel, Detail: "core", AtMS: at.WallMS}, {Source: lifecycle.SourceText, Detail: "tail"}},
		Leftovers: store.Leftovers{Stopped: []store.Leftover{{PID: 43, Command: "node", Signal: "TERM"}}, Remaining: []store.Leftover{{PID: 44, Reason: "D state"}}},
		Resume:    []string{"claude", "--resume", "x"}, AgentSessionID: "x", Degraded: true,
		Workflow: &store.WorkflowView{ID: "s1", Kind: lifecycle.KindReview, Completeness: lifecycle.CompletenessOpenNoArtifact, Phase: "reviews", Round: 2},
		Turn:     lifecycle.TurnInterrupted,
	}
}

// leastRow is a row that waits for its launch.
func leastRow() store.Execution {
	return store.Execution{
		Announcement: store.Announcement{UID: "u2", Command: []string{"true"}},
		Process:      lifecycle.Process{End: lifecycle.EndQueued}, AwakeMS: -1,
	}
}

func TestExecutionView(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		row  store.Execution
		live heartbeat.Liveness
	}{
		{"view_full.json", fullRow(), heartbeat.LivenessEnded},
		{"view_least.json", leastRow(), heartbeat.LivenessLate},
	}
	for _, tt := range tests {
		got, err := render.ExecutionJSON(executionView(tt.row, tt.live, seen()))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", tt.name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs, got:\n%s", path, got)
		}
	}
}

func TestAwakeMS(t *testing.T) {
	t.Parallel()
	running, lost, otherBoot, ahead := fullRow(), fullRow(), fullRow(), fullRow()
	running.Process = lifecycle.Process{End: lifecycle.EndRunning}
	lost.Process, lost.AwakeMS = lifecycle.Process{End: lifecycle.EndLost}, -1
	otherBoot.Process, otherBoot.Launch.At.BootID = running.Process, "before"
	ahead.Process, ahead.Launch.At.AwakeMS = running.Process, seen().AwakeMS+1
	tests := []struct {
		name string
		row  store.Execution
		want *int64
	}{
		{"ended", fullRow(), new(int64(45_000))},
		{"running", running, new(int64(50_000))},
		{"lost", lost, nil},
		{"other boot", otherBoot, nil},
		{"never less than nothing", ahead, new(int64(0))},
	}
	for _, tt := range tests {
		got := awakeMS(tt.row, seen())
		if (got == nil) != (tt.want == nil) || got != nil && *got != *tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSinceMS(t *testing.T) {
	t.Parallel()
	const now = 1769860800000
	tests := map[string]int64{
		"2h": now - 7200_000, "2d": now - 172800_000, "2026-01-31T11:59:59Z": now - 1000, "2026-01-31T13:00:00+01:00": now,
	}
	for text, want := range tests {
		if got, err := sinceMS(text, now); err != nil || got != want {
			t.Errorf("sinceMS(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "-2h", "2026-01-31"} {
		if _, err := sinceMS(text, now); err == nil {
			t.Errorf("sinceMS(%q) was accepted", text)
		} else if !strings.Contains(err.Error(), "length of time") || !strings.Contains(err.Error(), "RFC 3339") {
			t.Errorf("sinceMS(%q) does not say what is: %v", text, err)
		}
	}
}

// TestJSONDocumented checks that the manual names every word a program can
// meet.
func TestJSONDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{}
	for _, w := range lifecycle.Causes() {
		words = append(words, string(w))
	}
	for _, w := range lifecycle.Outcomes() {
		words = append(words, string(w))
	}
	for _, w := range lifecycle.EventTypes() {
		words = append(words, string(w))
	}
	for _, w := range lifecycle.Stoppers() {
		words = append(words, string(w))
	}
	for _, w := range lifecycle.Completenesses() {
		words = append(words, string(w))
	}
	for _, w := range lifecycle.EvidenceSources() {
		words = append(words, string(w))
	}
	for _, w := range []heartbeat.Liveness{heartbeat.LivenessLive, heartbeat.LivenessLate, heartbeat.LivenessStopped, heartbeat.LivenessGone, heartbeat.LivenessEnded} {
		words = append(words, string(w))
	}
	for _, w := range []nextAction{nextNone, nextReopen, nextWait, nextFinish, nextCompleteRound, nextAdvance} {
		words = append(words, string(w))
	}
	for _, w := range words {
		if !strings.Contains(string(b), "`"+w+"`") {
			t.Errorf("%q is not documented", w)
		}
	}
}

func TestWaitingIsShownWhileItLasts(t *testing.T) {
	t.Parallel()
	e := leastRow()
	e.NotBeforeMS, e.WaitsFor = 5000, store.WaitLimit
	if waitsFor(e, store.Instant{}) != "limit" || waitsUntilMS(e, store.Instant{}) != 5000 {
		t.Errorf("waits for %q until %d", waitsFor(e, store.Instant{}), waitsUntilMS(e, store.Instant{}))
	}
	queued := e
	queued.Process.End = lifecycle.EndQueued
	if before, due := (store.Instant{WallMS: 4999}), (store.Instant{WallMS: 5000}); waitsUntilMS(queued, before) != 5000 || waitsUntilMS(queued, due) != 0 {
		t.Error("a queued run waits for its turn once its time has come")
	}
	e.StartedAtMS = 6000
	if waitsFor(e, store.Instant{}) != "" || waitsUntilMS(e, store.Instant{}) != 0 {
		t.Error("a run that was launched waits")
	}
	e.BeatMS, e.AwaitsUserMS = 1000, 9000
	for activity, want := range map[int64]int64{0: 9000, 10_500: 9000, 11_500: 0} {
		e.LastActivityMS = activity
		if got := awaitsUserMS(e); got != want {
			t.Errorf("activity at %d: since %d, want %d", activity, got, want)
		}
	}
}

func TestARunIsResumedByWhatItsAgentToldIfItsEndDoesNotSay(t *testing.T) {
	t.Parallel()
	e := store.Execution{
		Announcement: store.Announcement{Agent: "codex", Command: []string{"codex", "exec", "hi"}}, AgentSessionID: "0199c0de-0000",
	}
	for end, known := range map[lifecycle.ProcessEnd]bool{
		lifecycle.EndLost: true, lifecycle.EndExited: true, lifecycle.EndSignalled: true,
		lifecycle.EndQueued: false, lifecycle.EndRunning: false, lifecycle.EndNotStarted: false,
	} {
		e.Process.End = end
		got := strings.Join(resumeOf(e), " ")
		if strings.HasPrefix(got, "codex exec resume 0199c0de-0000 ") != known || !known && got != "" {
			t.Errorf("%s: %q", end, got)
		}
	}
	e.Process.End, e.Resume = lifecycle.EndExited, []string{}
	if got := resumeOf(e); len(got) != 0 {
		t.Errorf("a session that is gone is continued by %q", got)
	}
	e.Process.End, e.Resume, e.Command = lifecycle.EndSignalled, nil, []string{"sh", "-c", "codex exec hi"}
	if got := resumeOf(e); got != nil {
		t.Errorf("a shell is continued by %q", got)
	}
}
