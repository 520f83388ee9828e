package store_test

import (
	"slices"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// What is to be settled in a host's database is what ended in its project, between
// two moments, and has not been settled.
func TestHostUnsettled(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	for i, r := range []struct {
		uid, host string
		endMS     int64
	}{
		{"first", "/project", 2_000},
		{"no-host", "", 2_000},
		{"running", "/project", 0},
		{"early", "/project", 1_500},
		{"late", "/project", 9_000},
		{"second", "/other", 3_000},
	} {
		a := storetest.Announcement(r.uid, 100+i, 1_000)
		a.Host = r.host
		generation, err := l.Announce(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if r.endMS == 0 {
			continue
		}
		e := store.Ending{UID: r.uid, Generation: generation, End: lifecycle.EndExited, ExitCode: new(0), At: storetest.At(r.endMS)}
		if _, err := l.Finish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	unsettled := func(want ...string) {
		t.Helper()
		rows, err := l.HostUnsettled(t.Context(), 1_600, 8_000)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, r.UID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("unsettled are %q, want %q", got, want)
		}
	}
	unsettled("first", "second")
	for range 2 {
		if err := l.SettleHost(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
	}
	unsettled("second")
	// What has not ended, or is in no project, has nothing to be settled.
	for _, uid := range []string{"running", "no-host"} {
		if err := l.SettleHost(t.Context(), uid); err != nil {
			t.Error(err)
		}
		if e, err := l.Execution(t.Context(), uid); err != nil || e.HostSettled {
			t.Errorf("%s: settled is %v, %v", uid, e.HostSettled, err)
		}
	}
}

// A run is judged by the workflow of a host as it stood at its end, and a closed
// vocabulary keeps what is stored readable.
func TestHostWorkflowOfAnEnd(t *testing.T) {
	t.Parallel()
	l := storetest.New(t)
	a := storetest.Announcement("run", 100, 1_000)
	a.Host = "/project"
	generation, err := l.Announce(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	view := store.WorkflowView{ID: "w", Kind: lifecycle.KindReview, Completeness: lifecycle.CompletenessOpenNoArtifact, Phase: "reviews", Round: 2}
	e := store.Ending{UID: "run", Generation: generation, End: lifecycle.EndExited, ExitCode: new(0), At: storetest.At(2_000), HostWorkflow: &view}
	if _, err := l.Finish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got, err := l.Execution(t.Context(), "run")
	view.Hosted = true
	if err != nil || got.Host != "/project" || got.Workflow == nil || *got.Workflow != view {
		t.Errorf("execution %+v with workflow %+v, %v", got, got.Workflow, err)
	}
}
