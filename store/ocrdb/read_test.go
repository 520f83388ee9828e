package ocrdb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// TestCompletenessIsTheProducts compares our reading, in which nobody is left
// out, with the last word of the product's own view. The two older fixtures get
// the view in a copy: it must agree with what is derived without it.
func TestCompletenessIsTheProducts(t *testing.T) {
	t.Parallel()
	var view string
	if err := raw(t, hostWith(t, "v14").Path, "").QueryRow("SELECT sql FROM sqlite_master WHERE name = 'session_completeness'").Scan(&view); err != nil {
		t.Fatal(err)
	}
	for _, era := range eras() {
		h := hostWith(t, era)
		theirs := copyOf(t, h)
		if era == "v9" {
			execute(t, theirs, "ALTER TABLE command_executions ADD COLUMN workflow_id TEXT")
		}
		if era != "v14" {
			execute(t, theirs, view)
		}
		want := map[string]string{}
		for _, line := range dump(t, theirs, "SELECT session_id AS s, completeness_state AS c FROM session_completeness") {
			id, state, _ := strings.Cut(line, "|c=")
			want[strings.TrimPrefix(id, "s=")] = state
		}
		list, err := h.Workflows(t.Context(), Ask{})
		if err != nil || len(list) != len(want) {
			t.Fatalf("%s: %d of %d workflows, %v", era, len(list), len(want), err)
		}
		for _, w := range list {
			if string(w.Completeness) != want[w.ID] {
				t.Errorf("%s: %s is %s, want %s", era, w.ID, w.Completeness, want[w.ID])
			}
		}
	}
}

func TestOneWorkflow(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v14")
	driver, reviewer := "14c0a5e0-3b64-4f0a-9a10-000000000017", "14c0a5e0-3b64-4f0a-9a10-000000000026"
	w, ok, err := h.WorkflowOf(t.Context(), driver)
	if err != nil || !ok || w.Kind != lifecycle.KindMap || w.Phase != "flow-analysis" || w.PhaseNumber != 3 ||
		w.Round != 1 || w.Closed || w.InFlight != 0 || w.Completeness != lifecycle.CompletenessOpenNoArtifact {
		t.Errorf("its own row counts: %+v, %v, %v", w, ok, err)
	}
	if w, _, err := h.WorkflowOf(t.Context(), reviewer); err != nil || w.InFlight != 1 || w.Completeness != lifecycle.CompletenessInFlight {
		t.Errorf("another row does not count: %+v, %v", w, err)
	}
	for _, id := range []string{"14c0a5e0-3b64-4f0a-9a10-000000000027", "nobody", ""} {
		if w, ok, err := h.WorkflowOf(t.Context(), id); ok || err != nil {
			t.Errorf("%q: %+v, %v", id, w, err)
		}
	}
	list, err := h.Workflows(t.Context(), Ask{ID: "2026-07-30-feat-two-rounds", Round: 1})
	if err != nil || len(list) != 1 || list[0].Completeness != lifecycle.CompletenessComplete || list[0].CurrentRound != 2 || list[0].Phase != lifecycle.PhaseComplete {
		t.Errorf("the round before: %+v, %v", list, err)
	}
	active, err := h.Workflows(t.Context(), Ask{Active: true, SinceMS: noon - 3*3_600_000})
	if err != nil || len(active) == 0 || active[0].ID != "2026-07-30-feat-login-form" {
		t.Errorf("active: %+v, %v", active, err)
	}
	for _, w := range active {
		if w.Closed || w.UpdatedMS < noon-3*3_600_000 {
			t.Errorf("not asked for: %+v", w)
		}
	}
	if _, ok, err := hostWith(t, "v9").WorkflowOf(t.Context(), driver); ok || err != nil {
		t.Errorf("before links: %v, %v", ok, err)
	}
}

// TestOutcomes judges every row of the fixtures. Three differ from what the
// product shows: 8 of v14, cascaded by its own agent's finish, did its work; 15
// of v14 ended in a round that is complete, before a second began; and 12 of
// v11 is a reviewer that the close took along.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	const (
		running    = lifecycle.OutcomeRunning
		success    = lifecycle.OutcomeSuccess
		incomplete = lifecycle.OutcomeIncomplete
		failed     = lifecycle.OutcomeFailed
		cancelled  = lifecycle.OutcomeCancelled
	)
	for era, want := range map[string]map[int64]lifecycle.Outcome{
		"v9": {1: success, 2: cancelled, 3: failed, 4: success},
		"v11": {
			1: failed, 2: success, 3: success, 4: incomplete, 5: incomplete, 6: failed, 7: cancelled, 8: success,
			9: success, 10: running, 11: running, 12: cancelled,
		},
		"v14": {
			1: success, 2: incomplete, 3: success, 4: failed, 5: cancelled, 6: cancelled, 7: cancelled, 8: success,
			9: success, 10: success, 11: incomplete, 12: incomplete, 13: failed, 14: incomplete, 15: success,
			16: success, 17: running, 18: failed, 19: failed, 20: failed, 21: cancelled, 22: cancelled,
			23: success, 24: failed, 25: running, 26: running, 27: running,
		},
	} {
		list, err := hostWith(t, era).Executions(t.Context(), Select{})
		if err != nil || len(list) != len(want) {
			t.Fatalf("%s: %d of %d rows, %v", era, len(list), len(want), err)
		}
		for i, e := range list {
			if got := lifecycle.Judge(e.Facts()).Outcome; got != want[e.ID] {
				t.Errorf("%s: %d is %s, want %s: %+v", era, e.ID, got, want[e.ID], e)
			}
			if e.Ours || e.StartedMS == 0 || i > 0 && e.StartedMS > list[i-1].StartedMS {
				t.Errorf("%s: %d: %+v", era, e.ID, e)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v14")
	for name, c := range map[string]struct {
		sel  Select
		want int
	}{
		"all":        {Select{}, 27},
		"limit":      {Select{Limit: 5}, 5},
		"since":      {Select{SinceMS: noon - 3_600_000}, 8},
		"unfinished": {Select{Unfinished: true}, 4},
		"workflow":   {Select{WorkflowID: "2026-07-30-feat-csv-export"}, 3},
		"uid":        {Select{UID: "14c0a5e0-3b64-4f0a-9a10-000000000025"}, 1},
		"nobody":     {Select{UID: "nobody"}, 0},
	} {
		if list, err := h.Executions(t.Context(), c.sel); err != nil || len(list) != c.want {
			t.Errorf("%s: %d rows, want %d, %v", name, len(list), c.want, err)
		}
	}
	e, ok, err := h.Execution(t.Context(), "14c0a5e0-3b64-4f0a-9a10-000000000018")
	if err != nil || !ok || e.Vendor != "opencode" || e.VendorSessionID != "ses_0018abcdEFGH" || e.Role != RoleSupervisor ||
		e.StartedMS != noon-8_100_000+205 || e.WorkflowKind != lifecycle.KindMap || e.Phase != "topology" || *e.ExitCode != 1 {
		t.Errorf("%+v, %v, %v", e, ok, err)
	}
}

func TestALinkThatLeadsNowhereIsUnreadable(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v14")
	r := h.Row(run(1))
	if err := r.Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	db := raw(t, h.Path, "")
	execute(t, db, "PRAGMA foreign_keys=OFF")
	execute(t, db, "UPDATE command_executions SET workflow_id = 'gone' WHERE uid = ?", uid(1))
	if _, _, err := h.WorkflowOf(t.Context(), uid(1)); !errors.Is(err, ErrUnreadable) {
		t.Errorf("workflow: %v", err)
	}
	e, ok, err := h.Execution(t.Context(), uid(1))
	if err != nil || !ok || e.Completeness != lifecycle.CompletenessUnreadable {
		t.Errorf("execution: %+v, %v, %v", e, ok, err)
	}
}

func TestWhatCannotBeReadSaysSo(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty": "", "text": strings.Repeat("this is no database\n", 500), "cut": "SQLite format 3\x00",
	} {
		h := Host{Root: t.TempDir()}
		h.Path = h.Root + "/.ocr/data/ocr.db"
		put(t, h.Path, content)
		if _, err := h.Workflows(t.Context(), Ask{}); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), h.Path) {
			t.Errorf("%s: workflows: %v", name, err)
		}
		if err := h.Row(run(1)).Announce(t.Context(), noon); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: announce: %v", name, err)
		}
		if got, err := os.ReadFile(h.Path); err != nil || string(got) != content {
			t.Errorf("%s: the file was written, %v", name, err)
		}
	}
	h := Host{Root: t.TempDir()}
	h.Path = h.Root + "/.ocr/data/ocr.db"
	if _, err := h.Executions(t.Context(), Select{}); !errors.Is(err, ErrUnreadable) {
		t.Errorf("missing: %v", err)
	}
	if err := h.Row(run(1)).Announce(t.Context(), noon); !errors.Is(err, ErrUnreadable) {
		t.Errorf("missing: %v", err)
	}
	if _, err := os.Stat(h.Path); !os.IsNotExist(err) {
		t.Errorf("a database was made: %v", err)
	}
}

func TestOtherSchemas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, era, change string
		write             error
	}{
		{"known", "v14", "INSERT INTO schema_version (version, description) VALUES (15, 'x')", nil},
		{"too new", "v14", "INSERT INTO schema_version (version, description) VALUES (16, 'x')", ErrTooNew},
		{"too old", "v9", "DELETE FROM schema_version WHERE version = 9", ErrTooOld},
		{"a column more", "v14", "ALTER TABLE command_executions ADD COLUMN input_tokens INTEGER", nil},
		{"a column less", "v14", "ALTER TABLE command_executions DROP COLUMN persona", nil},
		{"no view", "v14", "DROP VIEW session_completeness", nil},
		{"no notes", "v14", "ALTER TABLE command_executions DROP COLUMN notes", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, c.era)
			edited(t, h, c.change)
			r := h.Row(run(1))
			if err := r.Announce(t.Context(), noon); !errors.Is(err, c.write) {
				t.Errorf("announce: %v", err)
			}
			if _, err := r.Finish(t.Context(), ended(0)); !errors.Is(err, c.write) {
				t.Errorf("finish: %v", err)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(h.Path), ".cache")); (err == nil) != (c.write == nil) {
				t.Errorf("command log: %v", err)
			}
			if _, ok, err := h.Execution(t.Context(), uid(1)); err != nil || ok != (c.write == nil) {
				t.Errorf("the row is there: %v, %v", ok, err)
			}
			if list, err := h.Workflows(t.Context(), Ask{}); err != nil || len(list) < 2 {
				t.Errorf("reading: %d workflows, %v", len(list), err)
			}
		})
	}
}
