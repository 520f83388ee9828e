package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/lifecycle"
)

// desk is a workspace in which verbs run in this process, under a clock of the
// test's.
type desk struct {
	env  environment
	time *clocktest.Fake
}

func newDesk(t *testing.T) desk {
	t.Helper()
	b, now := newBench(t), clocktest.New(clock.System().Now())
	set := map[string]string{"XDG_STATE_HOME": filepath.Join(b.dir, "state")}
	return desk{environment{
		stdin: nil, environ: []string{}, dir: b.dir, clock: now, bootID: clock.BootID, machineID: clock.MachineID,
		lookup: func(key string) (string, bool) { v, ok := set[key]; return v, ok },
	}, now}
}

// run runs a verb and gives what it printed; it must exit with the code.
func (d desk) run(t *testing.T, code int, words ...string) []byte {
	t.Helper()
	var files [2]*os.File
	for i := range files {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	d.env.stdout, d.env.stderr = files[0], files[1]
	d.env.args = words
	got := run(t.Context(), d.env)
	var out [2][]byte
	for i, f := range files {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = b
	}
	if got != code {
		t.Fatalf("%q exits %d, want %d: %s", words, got, code, out[1])
	}
	return out[0]
}

// kinds are the repairs "state reconcile" names, by session.
func (d desk) kinds(t *testing.T, words ...string) map[string]string {
	t.Helper()
	var r reconciled
	out := d.run(t, exitOK, append([]string{"state", "reconcile", "--json"}, words...)...)
	if err := json.Unmarshal(out, &r); err != nil || r.SchemaVersion != 1 || r.DryRun != (len(words) > 0) {
		t.Fatalf("%s: %v", out, err)
	}
	kinds := map[string]string{}
	for _, a := range r.Actions {
		kinds[a.SessionID] = a.Kind
	}
	return kinds
}

// A week after nothing happened a session is closed, once, and a plan alone
// closes nothing. The machine may have slept through all of it.
func TestReconcileClosesTheAbandoned(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	want := func(got map[string]string, old, young lifecycle.Repair) {
		t.Helper()
		if got["old"] != string(old) || got["young"] != string(young) || len(got) != 2 {
			t.Errorf("the repairs are %v, want %s and %s", got, old, young)
		}
	}
	d.run(t, exitOK, "state", "begin", "--session-id", "old", "--branch", "b", "--workflow-type", "review")
	d.time.Sleep(4 * 24 * time.Hour)
	d.run(t, exitOK, "state", "begin", "--session-id", "young", "--branch", "b", "--workflow-type", "map")
	want(d.kinds(t), lifecycle.RepairNone, lifecycle.RepairNone)
	d.time.Sleep(4 * 24 * time.Hour)
	for range 2 {
		want(d.kinds(t, "--dry-run"), lifecycle.RepairStale, lifecycle.RepairNone)
	}
	want(d.kinds(t), lifecycle.RepairStale, lifecycle.RepairNone)
	want(d.kinds(t), lifecycle.RepairNone, lifecycle.RepairNone)
	if got := string(d.run(t, exitOK, "state", "finish", "--session-id", "old")); got != "old: closed\n" {
		t.Errorf("finishing it prints %q", got)
	}
	if got := string(d.run(t, exitOK, "state", "reconcile")); got != "Nothing to reconcile: all sessions are consistent.\n" {
		t.Errorf("for a person it prints %q", got)
	}
	d.run(t, exitOK, "state", "begin", "--session-id", "old", "--branch", "b", "--workflow-type", "review")
	want(d.kinds(t), lifecycle.RepairNone, lifecycle.RepairNone)
}

func TestReconciledText(t *testing.T) {
	t.Parallel()
	actions := []reconcileAction{
		{"a", string(lifecycle.RepairNone), "consistent"},
		{"b", string(lifecycle.RepairStale), "active, last event 8d ago, no in-flight dependents"},
	}
	const line = "  stale-close  b\n    active, last event 8d ago, no in-flight dependents\n"
	if got := reconciledText(reconciled{DryRun: true, Actions: actions}); got != "Reconciliation plan (1 change(s), dry run):\n"+line {
		t.Errorf("the plan is %q", got)
	}
	if got := reconciledText(reconciled{Actions: actions}); got != "Reconciled 1 session(s):\n"+line {
		t.Errorf("what was done is %q", got)
	}
}
