package reaper

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// codes are the codes about one run, sorted.
func codes(found []Finding, uid string) (c []Code) {
	for _, f := range found {
		if f.UID == uid {
			c = append(c, f.Code)
		}
	}
	slices.Sort(c)
	return c
}

// TestAuditFinds makes everything go wrong that can, and checks that it is named
// and that nothing is changed.
func TestAuditFinds(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	all := breed(t, s.marker(), "setsid")
	unproved := breed(t, s.marker(), "setsid-unseen")
	s.row(all...)
	at := here(t)
	early := at
	early.Now.AwakeMS -= time.Hour.Milliseconds()
	early.Now.WallMS -= time.Hour.Milliseconds()
	self := me(t, at)
	// One that never beat since, one that was never launched, one from the future.
	announceChild(t, s.Ledger, s.dir, "late", store.Launch{UID: "late", Child: identity(at, 1<<29, 1), Monitor: noOne(at), At: early.Now}, self, early)
	a := store.Announcement{UID: "queued", Lineage: "queued", Command: []string{"agent"}, CWD: "/", Workspace: "/", Wrapper: self, At: early.Now, BeatMS: hourMS}
	if _, err := s.Ledger.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	// One whose turn has just come after long: it beat for as long as it waited.
	a.UID, a.Lineage = "turn", "turn"
	if _, err := s.Ledger.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ledger.Beat(t.Context(), store.Beat{UID: "turn", Generation: 1, At: at.Now}); err != nil {
		t.Fatal(err)
	}
	a.UID, a.Lineage, a.At.WallMS, a.At.AwakeMS = "ahead", "ahead", at.Now.WallMS+hourMS, at.Now.AwakeMS
	if _, err := s.Ledger.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ledger.RequestStop(t.Context(), "late", lifecycle.StoppedByUser, early.Now); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"spool/x.jsonl": "{}\n", "spool/y.jsonl.rejected": "{}\n"} {
		path := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := store.Instant{WallMS: at.Now.WallMS - 8*24*hourMS, BootID: "x"}
	if _, _, err := s.Ledger.BeginWorkflow(t.Context(), store.Begin{ID: "w", Kind: lifecycle.KindReview, Branch: "b", Workspace: "/", At: old}); err != nil {
		t.Fatal(err)
	}

	found, err := Audit(t.Context(), s.Config)
	if err != nil {
		t.Fatal(err)
	}
	for uid, want := range map[string][]Code{
		s.uid: {CodeLost, CodeOrphan, CodeOrphanUnverified}, "late": {CodeCancelStuck, CodeStaleRunning}, "queued": {CodeStaleQueued},
		"turn": nil, "ahead": {CodeInconsistentTimestamps},
	} {
		if got := codes(found, uid); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", uid, got, want)
		}
	}
	rest := codes(found, "")
	if !slices.Equal(rest, []Code{CodeSpoolRejected, CodeSpoolWaiting, CodeStaleWorkflow}) {
		t.Errorf("besides: %v", rest)
	}
	if !slices.IsSortedFunc(found, func(a, b Finding) int { return len(b.Severity) - len(a.Severity) }) {
		t.Errorf("the worst is not first: %+v", found)
	}
	if again, err := Audit(t.Context(), s.Config); err != nil || len(again) != len(found) || !all[0].alive() || !unproved[0].alive() {
		t.Errorf("looking has changed something: %d findings, then %d, %v", len(found), len(again), err)
	}
}

// A run file of an ended run that nobody holds is one too many.
func TestAuditRunFile(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	s.row()
	settled(t, s.Ledger, s.dir, s.uid, here(t))
	if found, err := Audit(t.Context(), s.Config); err != nil || len(found) != 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if err := os.WriteFile(runfile.Path(s.dir, s.uid), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := Audit(t.Context(), s.Config); err != nil || !slices.Equal(codes(found, s.uid), []Code{CodeMissingCleanup}) {
		t.Errorf("%+v, %v", found, err)
	}
	s.reap()
	if found, err := Audit(t.Context(), s.Config); err != nil || len(found) != 0 {
		t.Errorf("after a sweep: %+v, %v", found, err)
	}
}

// Flows wait for as long as they must, and do not run without a run.
func TestAuditFlows(t *testing.T) {
	t.Parallel()
	now := store.Instant{WallMS: 100 * 24 * hourMS}
	flow := func(status lifecycle.WorkflowStatus, quiet time.Duration, inFlight int) store.WorkflowHistory {
		return store.WorkflowHistory{
			Workflow:    store.Workflow{ID: "f", Kind: lifecycle.KindFlow, Status: status, InFlight: inFlight},
			LastEventMS: now.WallMS - quiet.Milliseconds(),
		}
	}
	for _, tt := range []struct {
		h    store.WorkflowHistory
		want Code
	}{
		{flow(lifecycle.WorkflowWaiting, 30*24*time.Hour, 0), ""},
		{flow(lifecycle.WorkflowBlocked, time.Hour, 0), CodeStaleBlocked},
		{flow(lifecycle.WorkflowBlocked, time.Minute, 0), ""},
		{flow(lifecycle.WorkflowRunning, time.Hour, 0), CodeMissingLinkedTasks},
		{flow(lifecycle.WorkflowRunning, time.Hour, 1), ""},
	} {
		if f, _ := auditWorkflow(tt.h, now); f.Code != tt.want {
			t.Errorf("%s: %q, want %q", tt.h.Status, f.Code, tt.want)
		}
	}
}

// The vocabulary has no word twice.
func TestCodes(t *testing.T) {
	t.Parallel()
	all := Codes()
	slices.Sort(all)
	if len(slices.Compact(all)) != len(Codes()) {
		t.Error("a code stands there twice")
	}
}

// A sweep closes what nobody has touched for a week, and says so first; it forgets
// what is too old only when asked.
func TestReapWorkflowsAndHistory(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	at := here(t)
	old := store.Instant{WallMS: at.Now.WallMS - 30*24*hourMS, BootID: "x"}
	if _, _, err := s.Ledger.BeginWorkflow(t.Context(), store.Begin{ID: "stale", Kind: lifecycle.KindReview, Branch: "b", Workspace: "/", At: old}); err != nil {
		t.Fatal(err)
	}
	a := store.Announcement{UID: "old", Lineage: "old", Command: []string{"agent"}, CWD: "/", Workspace: "/", Wrapper: noOne(at), At: old, BeatMS: 1}
	if _, err := s.Ledger.Announce(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ledger.Finish(t.Context(), store.Ending{UID: "old", Generation: 1, End: lifecycle.EndNotStarted, ExitCode: new(127), At: old}); err != nil {
		t.Fatal(err)
	}
	r := s.reap()
	if len(r.Workflows) != 1 || !r.Workflows[0].Done || r.Forgotten != (store.Forgotten{}) {
		t.Errorf("%+v", r)
	}
	w, err := s.Ledger.Workflow(t.Context(), "stale")
	if err != nil || w.Status != lifecycle.WorkflowLost || w.CloseReason != string(lifecycle.EventSessionAutoClosedStale) {
		t.Errorf("%+v, %v", w, err)
	}
	s.KeepHistory = HistoryLeast
	if r := s.reap(); r.Forgotten != (store.Forgotten{Executions: 1}) {
		t.Errorf("forgotten: %+v", r.Forgotten)
	}
	if r := s.reap(); r.Forgotten != (store.Forgotten{}) || len(r.Workflows) != 0 {
		t.Errorf("the second time: %+v", r)
	}
}
