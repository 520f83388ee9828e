package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// announced is a ledger with one live execution, "u1", announced at 1000 and
// launched at 2000.
func announced(t *testing.T) *store.Ledger {
	t.Helper()
	l := storetest.New(t)
	announce(t, l, "u1", 100)
	return l
}

func announce(t *testing.T, l *store.Ledger, uid string, pid int) {
	t.Helper()
	if _, err := l.Announce(t.Context(), storetest.Announcement(uid, pid, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := l.Launched(t.Context(), storetest.Launch(uid, pid+2, 2000)); err != nil {
		t.Fatal(err)
	}
}

func execution(t *testing.T, l *store.Ledger, uid string) store.Execution {
	t.Helper()
	e, err := l.Execution(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// eventTypes lists the history of an execution.
func eventTypes(t *testing.T, l *store.Ledger, uid string) []lifecycle.EventType {
	t.Helper()
	events, err := l.Events(t.Context(), store.EventFilter{UID: uid})
	if err != nil {
		t.Fatal(err)
	}
	types := make([]lifecycle.EventType, len(events))
	for i, e := range events {
		types[i] = e.Type
	}
	return types
}

func wantEvents(t *testing.T, l *store.Ledger, uid string, want ...lifecycle.EventType) {
	t.Helper()
	if got := eventTypes(t, l, uid); !slices.Equal(got, want) {
		t.Errorf("events of %s are %v, want %v", uid, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func TestALifeIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	a := storetest.Announcement("u1", 100, 1000)
	a.ParentUID, a.ResumedFrom, a.Name, a.Agent, a.RunFile = "p", "r", "nightly", "claude", "/run/u1"
	a.Wrapper.PIDNamespace, a.Wrapper.StartTicks = 1<<63+5, 1<<63+7
	_, err := l.Announce(t.Context(), a)
	must(t, err)
	launch := storetest.Launch("u1", 102, 2000)
	launch.TTY, launch.Cgroup = "/dev/pts/3", "/ocr/u1"
	must(t, l.Launched(t.Context(), launch))
	_, err = l.Beat(t.Context(), store.Beat{
		UID: "u1", Generation: 1, At: storetest.At(3000), SuspendedMS: 40, LastActivityMS: 2900,
		Descendants: []store.Descendant{{PID: 7, StartTicks: 8, Name: "sh"}},
	})
	must(t, err)
	end := store.Ending{
		UID: "u1", Generation: 1, End: lifecycle.EndSignalled, Signal: new(11), CoreDumped: true,
		StoppedBy: lifecycle.StoppedByUser, StopFailed: true, At: storetest.At(9000), AwakeMS: 6960, SuspendedMS: 50,
		Evidence:       []lifecycle.Evidence{{Source: lifecycle.SourceHook, Detail: "lost", AtMS: 5}},
		Leftovers:      store.Leftovers{Kept: []store.Leftover{{PID: 9, StartTicks: 10, Command: "daemon"}}},
		AgentSessionID: "s-1", Resume: []string{"claude", "--resume", "s-1"}, Degraded: true,
	}
	must(t, finish(t.Context(), l, end))

	got := execution(t, l, "u1")
	launch.Child.PIDNamespace, launch.Monitor.PIDNamespace = a.Wrapper.PIDNamespace, a.Wrapper.PIDNamespace
	want := store.Execution{
		Announcement: a, Launch: launch, Generation: 1,
		Process: lifecycle.Process{
			End: lifecycle.EndSignalled, Signal: new(11), CoreDumped: true,
			StoppedBy: lifecycle.StoppedByUser, StopFailed: true,
		},
		StartedAtMS: 2000, EndedAtMS: 9000, AwakeMS: 6960, SuspendedMS: 50, Beats: 1, LastBeat: storetest.At(3000),
		LastActivityMS: 2900, Descendants: []store.Descendant{{PID: 7, StartTicks: 8, Name: "sh"}},
		Evidence: end.Evidence, Leftovers: end.Leftovers, AgentSessionID: "s-1", Resume: end.Resume,
		Degraded: true, Turn: lifecycle.TurnNone,
	}
	wantSame(t, got, want)
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventEnded)
}

func TestAnnounceTwice(t *testing.T) {
	t.Parallel()
	l := announced(t)
	generation, err := l.Announce(t.Context(), storetest.Announcement("u1", 100, 1500))
	must(t, err)
	if generation != 1 {
		t.Errorf("generation is %d, want 1", generation)
	}
	_, err = l.Announce(t.Context(), storetest.Announcement("u1", 500, 1500))
	wantError(t, err, store.ErrConflict)
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 3000)))
	_, err = l.Announce(t.Context(), storetest.Announcement("u1", 100, 4000))
	wantError(t, err, store.ErrConflict)
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventEnded)
}

func TestAnnounceForAClosedWorkflowIsRefused(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	beginReview(t, l, "w", "", 10)
	_, _, err := l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "w", Abort: true, At: storetest.At(20)})
	must(t, err)
	a := storetest.Announcement("u1", 100, 1000)
	a.WorkflowID = "w"
	_, err = l.Announce(t.Context(), a)
	wantError(t, err, store.ErrInvariant)
	must(t, l.Reannounce(t.Context(), a, store.Launch{}, 1))
	if got := execution(t, l, "u1").WorkflowID; got != "" {
		t.Errorf("the row announced again is linked to %q", got)
	}
}

func TestReannounceRestoresAMissingRow(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	a, launch := storetest.Announcement("u1", 100, 1000), storetest.Launch("u1", 102, 2000)
	for range 2 {
		must(t, l.Reannounce(t.Context(), a, launch, 3))
	}
	got := execution(t, l, "u1")
	if got.Generation != 3 || got.StartedAtMS != 2000 || got.Launch.Child.PID != 102 {
		t.Errorf("restored row is %+v", got)
	}
	wantError(t, l.Reannounce(t.Context(), storetest.Announcement("u1", 7, 1000), launch, 3), store.ErrConflict)
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventStarted)
}

func TestBeatAnswers(t *testing.T) {
	t.Parallel()
	l := announced(t)
	beat := func(uid string, generation int64) store.BeatAnswer {
		t.Helper()
		answer, err := l.Beat(t.Context(), store.Beat{UID: uid, Generation: generation, At: storetest.At(3000)})
		must(t, err)
		return answer
	}
	must(t, l.Reannounce(t.Context(), storetest.Announcement("newer", 300, 1000), store.Launch{}, 2))
	if got := beat("u1", 1); got != (store.BeatAnswer{}) {
		t.Errorf("a beat on a live row answers %+v", got)
	}
	if got := beat("nobody", 1); !got.Missing {
		t.Errorf("a beat without a row answers %+v", got)
	}
	if got := beat("newer", 1); !got.Fenced {
		t.Errorf("a beat of an old generation answers %+v", got)
	}
	_, err := l.Beat(t.Context(), store.Beat{UID: "u1", Generation: 9, At: storetest.At(3000)})
	wantError(t, err, store.ErrConflict)
	_, err = l.RequestStop(t.Context(), "u1", lifecycle.StoppedByParent, storetest.At(3000))
	must(t, err)
	if got := beat("u1", 1); got.StopRequested != lifecycle.StoppedByParent {
		t.Errorf("a beat on a row asked to stop answers %+v", got)
	}
	must(t, finish(t.Context(), l, lost("u1", 4000)))
	if got := beat("u1", 1); !got.Over {
		t.Errorf("a beat on a lost row answers %+v", got)
	}
	if got := execution(t, l, "u1").Beats; got != 2 {
		t.Errorf("%d beats counted, want 2", got)
	}
}

// lost is an end nobody saw.
func lost(uid string, ms int64) store.Ending {
	return store.Ending{UID: uid, Generation: 1, End: lifecycle.EndLost, At: storetest.At(ms), AwakeMS: -1}
}

func TestRequestStopIsSticky(t *testing.T) {
	t.Parallel()
	l := announced(t)
	for _, by := range []lifecycle.StoppedBy{lifecycle.StoppedByUser, lifecycle.StoppedByReaper} {
		accepted, err := l.RequestStop(t.Context(), "u1", by, storetest.At(3000))
		must(t, err)
		if !accepted {
			t.Errorf("a stop by %s is not accepted", by)
		}
	}
	if got := execution(t, l, "u1").StopRequested; got != lifecycle.StoppedByUser {
		t.Errorf("stop requested by %q, want the first", got)
	}
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 3000)))
	accepted, err := l.RequestStop(t.Context(), "u1", lifecycle.StoppedByUser, storetest.At(3000))
	must(t, err)
	if accepted {
		t.Error("a stop of an ended run is accepted")
	}
	_, err = l.RequestStop(t.Context(), "nobody", lifecycle.StoppedByUser, storetest.At(3000))
	wantError(t, err, store.ErrNotFound)
}

func TestFinish(t *testing.T) {
	t.Parallel()
	l := announced(t)
	wantError(t, finish(t.Context(), l, storetest.Exit("nobody", 0, 3000)), store.ErrNotFound)
	wantError(t, finish(t.Context(), l, store.Ending{UID: "u1", Generation: 1, End: lifecycle.EndRunning}), store.ErrInvariant)
	wantError(t, finish(t.Context(), l, storetest.Exit("u1", 256, 3000)), store.ErrInvariant)
	must(t, finish(t.Context(), l, storetest.Exit("u1", 3, 500)))
	must(t, finish(t.Context(), l, storetest.Exit("u1", 4, 9000)))
	must(t, finish(t.Context(), l, lost("u1", 9000)))
	got := execution(t, l, "u1")
	if *got.Process.ExitCode != 3 || got.EndedAtMS != got.StartedAtMS {
		t.Errorf("the first end does not stand, clamped: %+v", got)
	}
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventEnded)
}

// That nothing continues a run is not the same as that nothing is known.
func TestFinishWithNothingToGoOnWith(t *testing.T) {
	t.Parallel()
	l := announced(t)
	e := storetest.Exit("u1", 3, 3000)
	e.Resume = []string{}
	must(t, finish(t.Context(), l, e))
	if got := execution(t, l, "u1"); got.Resume == nil || len(got.Resume) != 0 {
		t.Errorf("%#v", got.Resume)
	}
}

func TestFinishOfAnOldGenerationIsFenced(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	must(t, l.Reannounce(t.Context(), storetest.Announcement("u1", 100, 1000), store.Launch{}, 2))
	wantError(t, finish(t.Context(), l, storetest.Exit("u1", 0, 3000)), store.ErrFenced)
	wantError(t, l.Suspend(t.Context(), "u1", 1, storetest.At(3000), 20), store.ErrFenced)
	wantError(t, l.Continue(t.Context(), "u1", 1, storetest.At(3000)), store.ErrFenced)
	if got := execution(t, l, "u1"); got.Process.End != lifecycle.EndRunning {
		t.Errorf("a fenced writer ended the row: %+v", got.Process)
	}
}

func TestLostLearnsTheRealEnd(t *testing.T) {
	t.Parallel()
	l := announced(t)
	end := lost("u1", 5000)
	end.Evidence = []lifecycle.Evidence{{Source: lifecycle.SourceLedger, Detail: "vanished"}}
	must(t, finish(t.Context(), l, end))
	if got := execution(t, l, "u1"); got.AwakeMS != -1 || got.Process.End != lifecycle.EndLost || len(got.Evidence) != 1 {
		t.Errorf("lost row is %+v", got)
	}
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 6000)))
	must(t, finish(t.Context(), l, storetest.Exit("u1", 1, 7000)))
	got := execution(t, l, "u1")
	if len(got.Evidence) != 0 || got.Process.End != lifecycle.EndExited || *got.Process.ExitCode != 0 || got.EndedAtMS != 6000 {
		t.Errorf("late truth is %+v", got)
	}
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventLost, lifecycle.EventLateTruth)
}

func TestNotStarted(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	_, err := l.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	end := storetest.Exit("u1", 127, 1001)
	end.End = lifecycle.EndNotStarted
	must(t, finish(t.Context(), l, end))
	if got := execution(t, l, "u1"); got.StartedAtMS != 0 || got.Launch != (store.Launch{}) {
		t.Errorf("a run that never launched has a launch: %+v", got)
	}
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventNotStarted)
}

func TestSuspendAndContinue(t *testing.T) {
	t.Parallel()
	l := announced(t)
	for range 2 {
		must(t, l.Suspend(t.Context(), "u1", 1, storetest.At(3000), 20))
	}
	if got := execution(t, l, "u1").StoppedSinceMS; got != 3000 {
		t.Errorf("stopped since %d, want 3000", got)
	}
	for range 2 {
		must(t, l.Continue(t.Context(), "u1", 1, storetest.At(4000)))
	}
	must(t, l.Suspend(t.Context(), "u1", 1, storetest.At(5000), 19))
	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 6000)))
	must(t, l.Suspend(t.Context(), "u1", 1, storetest.At(7000), 19))
	if got := execution(t, l, "u1").StoppedSinceMS; got != 0 {
		t.Errorf("an ended run is stopped since %d", got)
	}
	wantError(t, l.Suspend(t.Context(), "nobody", 1, storetest.At(3000), 20), store.ErrNotFound)
	wantEvents(t, l, "u1", lifecycle.EventAnnounced, lifecycle.EventStarted, lifecycle.EventSuspended,
		lifecycle.EventContinued, lifecycle.EventSuspended, lifecycle.EventEnded)
}

func TestAppendOnce(t *testing.T) {
	t.Parallel()
	l := announced(t)
	e := store.Event{ExternalID: "x1", UID: "u1", TurnID: "t", Type: lifecycle.EventSlept, AtMS: 5, Payload: []byte(`{"ms":3}`)}
	first, err := l.Append(t.Context(), e)
	must(t, err)
	again, err := l.Append(t.Context(), e)
	must(t, err)
	last, err := l.LastSeq(t.Context())
	must(t, err)
	if first != again || last != first {
		t.Errorf("appended as %d, then %d, last is %d", first, again, last)
	}
	got, err := l.Events(t.Context(), store.EventFilter{AfterSeq: first - 1, Limit: 1})
	must(t, err)
	e.Seq = first
	wantSame(t, got, []store.Event{e})
	for _, bad := range []store.Event{
		{Type: "no_such_word"},
		{Type: lifecycle.EventSlept, Payload: []byte("no json")},
		{Type: lifecycle.EventSlept, ExternalID: "of nobody"},
	} {
		_, err = l.Append(t.Context(), bad)
		wantError(t, err, store.ErrInvariant)
	}
}

func TestNewestEventsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	l := announced(t)
	for i := range 5 {
		_, err := l.Append(t.Context(), store.Event{UID: []string{"u1", ""}[i%2], Type: lifecycle.EventSlept, AtMS: int64(i)})
		must(t, err)
	}
	times := func(f store.EventFilter) (at []int64) {
		got, err := l.Events(t.Context(), f)
		must(t, err)
		for _, e := range got {
			at = append(at, e.AtMS)
		}
		return at
	}
	wantSame(t, times(store.EventFilter{Limit: 2, Newest: true}), []int64{3, 4})
	wantSame(t, times(store.EventFilter{UID: "u1", Limit: 2, Newest: true}), []int64{2, 4})
	wantSame(t, times(store.EventFilter{Newest: true}), times(store.EventFilter{}))
}

func TestExecutionsAreFilteredNewestFirst(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	for i, uid := range []string{"a", "b", "c", "d"} {
		a := storetest.Announcement(uid, 100+i, int64(1000*(i+1)))
		if uid == "c" {
			a.Workspace = "/other"
		}
		_, err := l.Announce(t.Context(), a)
		must(t, err)
	}
	must(t, finish(t.Context(), l, storetest.Exit("b", 0, 9000)))
	must(t, finish(t.Context(), l, storetest.Exit("c", 0, 9000)))
	for name, test := range map[string]struct {
		filter store.Filter
		want   []string
	}{
		"all":       {store.Filter{}, []string{"d", "c", "b", "a"}},
		"over":      {store.Filter{Over: new(true)}, []string{"c", "b"}},
		"live":      {store.Filter{Over: new(false)}, []string{"d", "a"}},
		"workspace": {store.Filter{Workspace: "/repo"}, []string{"d", "b", "a"}},
		"since":     {store.Filter{SinceMS: 3000}, []string{"d", "c"}},
		"limit":     {store.Filter{Limit: 2, Workspace: "/repo"}, []string{"d", "b"}},
	} {
		found, err := l.Executions(t.Context(), test.filter)
		must(t, err)
		wantSame(t, uids(found), test.want)
		_ = name
	}
	unsettled, err := l.Unsettled(t.Context())
	must(t, err)
	wantSame(t, uids(unsettled), []string{"a", "d"})
}

func uids(found []store.Execution) []string {
	var out []string
	for _, e := range found {
		out = append(out, e.UID)
	}
	return out
}

func TestResolve(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	for i, uid := range []string{"abc-111", "abd-222", "abd", "x%y"} {
		_, err := l.Announce(t.Context(), storetest.Announcement(uid, 100+i, 1000))
		must(t, err)
	}
	for name, want := range map[string]string{"abc": "abc-111", "222": "abd-222", "abd": "abd", "x%": "x%y"} {
		got, err := l.Resolve(t.Context(), name)
		if err != nil || got != want {
			t.Errorf("%q resolves to %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"", "zz", "%"} {
		_, err := l.Resolve(t.Context(), name)
		wantError(t, err, store.ErrNotFound)
	}
	_, err := l.Resolve(t.Context(), "ab")
	wantError(t, err, store.ErrAmbiguous)
	ambiguous, ok := errors.AsType[*store.AmbiguousError](err)
	if !ok || len(ambiguous.Candidates) != 3 {
		t.Errorf("ambiguity is %+v", ambiguous)
	}
}
