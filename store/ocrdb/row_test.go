package ocrdb

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// ended is a run that exited, half an hour after noon.
func ended(code int) Ending {
	return Ending{Process: lifecycle.Process{End: lifecycle.EndExited, ExitCode: &code}, Cause: lifecycle.CauseFinished, AtMS: noon + 1_800_000}
}

// theRow is our row as it is in the database, without its empty columns.
func theRow(t *testing.T, h Host, n int) map[string]string {
	t.Helper()
	row := map[string]string{}
	for _, line := range dump(t, copyOf(t, h), "SELECT * FROM command_executions WHERE uid = ?", uid(n)) {
		for cell := range strings.SplitSeq(line, "|") {
			if k, v, ok := strings.Cut(cell, "="); ok {
				row[k] = v
			}
		}
	}
	return row
}

func TestAWholeLifeChangesNothingElse(t *testing.T) {
	t.Parallel()
	for _, era := range eras() {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, era)
			others := func() []string {
				db := copyOf(t, h)
				all := dump(t, db, "SELECT * FROM command_executions WHERE uid IS NOT ?", uid(1))
				for _, table := range []string{"sessions", "orchestration_events", "sqlite_sequence", "schema_version"} {
					all = append(all, dump(t, db, "SELECT * FROM "+table)...)
				}
				return append(all, dump(t, db, "SELECT type, name, sql FROM sqlite_master")...)
			}
			before := others()
			r := h.Row(run(1))
			if err := r.Announce(t.Context(), noon); err != nil {
				t.Fatal(err)
			}
			sound(t, h, era)
			row := theRow(t, h, 1)
			want := map[string]string{
				"uid": uid(1), "command": "ocr-run claude -p review <this> & that", "started_at": "2026-07-30T12:00:00.000Z",
				"args": `["claude","-p","review <this> & that"]`,
			}
			if era != "v9" {
				want["vendor"], want["last_heartbeat_at"] = "claude", "2026-07-30T12:00:00.000Z"
			}
			for k, v := range want {
				if row[k] != v {
					t.Errorf("%s is %q, want %q", k, row[k], v)
				}
			}
			if answer, err := r.Beat(t.Context(), noon+60_000); err != nil || answer.Restored || answer.Over {
				t.Errorf("beat: %+v, %v", answer, err)
			}
			if era != "v9" && theRow(t, h, 1)["last_heartbeat_at"] != "2026-07-30T12:01:00.000Z" {
				t.Errorf("heartbeat: %v", theRow(t, h, 1))
			}
			done, err := r.Finish(t.Context(), ended(3))
			if err != nil || !done.Stored || done.Corrected || *done.ExitCode != 3 {
				t.Errorf("finish: %+v, %v", done, err)
			}
			again, err := r.Finish(t.Context(), ended(3))
			if err != nil || !again.Stored || again.Restored {
				t.Errorf("finish again: %+v, %v", again, err)
			}
			row = theRow(t, h, 1)
			if row["exit_code"] != "3" || row["finished_at"] != "2026-07-30T12:30:00.000Z" {
				t.Errorf("ended: %v", row)
			}
			if era != "v9" && row["notes"] != "ocr-run: exited 3, cause finished" {
				t.Errorf("notes: %q", row["notes"])
			}
			if _, ok := row["pid"]; ok {
				t.Error("a pid was written")
			}
			if after := others(); !slices.Equal(before, after) {
				t.Errorf("something else changed:\n%v\n%v", before, after)
			}
			sound(t, h, era)
		})
	}
}

func TestARowThatWasLostIsPutBack(t *testing.T) {
	t.Parallel()
	for _, era := range eras() {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, era)
			r := h.Row(run(1))
			gone := func() { edited(t, h, "DELETE FROM command_executions WHERE uid = ?", uid(1)) }
			if err := r.Announce(t.Context(), noon); err != nil {
				t.Fatal(err)
			}
			gone()
			if answer, err := r.Beat(t.Context(), noon+1000); err != nil || !answer.Restored {
				t.Errorf("beat: %+v, %v", answer, err)
			}
			if _, err := r.Finish(t.Context(), ended(0)); err != nil {
				t.Error(err)
			}
			before := theRow(t, h, 1)
			gone()
			if done, err := r.Finish(t.Context(), ended(0)); err != nil || !done.Restored || !done.Stored {
				t.Errorf("finish: %+v, %v", done, err)
			}
			after := theRow(t, h, 1)
			for k, v := range before {
				if after[k] != v {
					t.Errorf("%s is %q, was %q", k, after[k], v)
				}
			}
			sound(t, h, era)
		})
	}
}

func TestAnOlderCopyOfTheRowIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v11")
	r := h.Row(run(1))
	if err := r.Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	edited(t, h, "UPDATE command_executions SET workflow_id = '2026-05-20-feat-search' WHERE uid = ?", uid(1))
	if answer, err := r.Beat(t.Context(), noon+60_000); err != nil || answer.WorkflowID != "2026-05-20-feat-search" {
		t.Fatalf("beat: %+v, %v", answer, err)
	}
	put(t, h.Path, string(old))
	if answer, err := r.Beat(t.Context(), noon+61_000); err != nil || answer.WorkflowID != "2026-05-20-feat-search" {
		t.Errorf("the link is not back: %+v, %v", answer, err)
	}
	if _, err := r.Finish(t.Context(), ended(0)); err != nil {
		t.Fatal(err)
	}
	put(t, h.Path, string(old))
	if done, err := r.Finish(t.Context(), ended(0)); err != nil || !done.Stored || done.WorkflowID != "2026-05-20-feat-search" {
		t.Errorf("the end is not back: %+v, %v", done, err)
	}
	sound(t, h, "v11")
}

// cascade closes a workflow as the product does, our row with it.
const cascade = `UPDATE command_executions SET finished_at = datetime('now'), exit_code = -4, pid = NULL,
	notes = coalesce(notes || char(10), '') || 'closed by parent workflow close' WHERE uid = ? AND finished_at IS NULL`

func TestACascadeOnOurOwnRowIsCorrected(t *testing.T) {
	t.Parallel()
	for _, era := range []string{"v11", "v14"} {
		h := hostWith(t, era)
		r := h.Row(run(1))
		if err := r.Announce(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
		edited(t, h, cascade, uid(1))
		if answer, err := r.Beat(t.Context(), noon+60_000); err != nil || !answer.Over || !answer.Cascaded {
			t.Errorf("beat: %+v, %v", answer, err)
		}
		done, err := r.Finish(t.Context(), ended(0))
		if err != nil || !done.Stored || !done.Corrected || *done.ExitCode != 0 {
			t.Errorf("finish: %+v, %v", done, err)
		}
		if row := theRow(t, h, 1); row["exit_code"] != "0" || row["notes"] != cascadeNote+"\nocr-run: exited 0, cause finished" {
			t.Errorf("row: %v", row)
		}
		if again, err := r.Finish(t.Context(), ended(0)); err != nil || !again.Stored || again.Corrected {
			t.Errorf("again: %+v, %v", again, err)
		}
	}
}

func TestAnEndThatIsNotOursStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, set string }{
		{"cancelled", "exit_code = -2"},
		{"swept", "exit_code = -3, notes = 'orphaned by liveness sweep (threshold 60s)'"},
		{"orphan cascade", "exit_code = -4, notes = 'cascade-closed: workflow process orphaned by liveness sweep'"},
		{"deadline", "exit_code = -5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, "v14")
			r := h.Row(run(1))
			if err := r.Announce(t.Context(), noon); err != nil {
				t.Fatal(err)
			}
			edited(t, h, "UPDATE command_executions SET finished_at = '2026-07-30T12:10:00.000Z', "+c.set+" WHERE uid = ?", uid(1))
			before := theRow(t, h, 1)
			if answer, err := r.Beat(t.Context(), noon+60_000); err != nil || !answer.Over || answer.Cascaded {
				t.Errorf("beat: %+v, %v", answer, err)
			}
			end := ended(0)
			end.VendorSessionID = "session-1"
			for range 2 {
				if done, err := r.Finish(t.Context(), end); err != nil || done.Stored {
					t.Errorf("finish: %+v, %v", done, err)
				}
			}
			after := theRow(t, h, 1)
			if after["exit_code"] != before["exit_code"] || after["finished_at"] != before["finished_at"] || after["vendor_session_id"] != "" {
				t.Errorf("changed: %v", after)
			}
			if want := strings.TrimPrefix(before["notes"]+"\nocr-run: exited 0, cause finished", "\n"); after["notes"] != want {
				t.Errorf("notes %q, want %q", after["notes"], want)
			}
		})
	}
}

func TestTheAgentsSessionIsWrittenOnlyWhenItMayBeResumed(t *testing.T) {
	t.Parallel()
	user := lifecycle.Process{End: lifecycle.EndSignalled, Signal: new(2), StoppedBy: lifecycle.StoppedByUser}
	parent := user
	parent.StoppedBy = lifecycle.StoppedByParent
	for _, c := range []struct {
		name, id, already, want string
		process                 lifecycle.Process
	}{
		{"at the end", "ses_1.a:b-c", "", "ses_1.a:b-c", ended(1).Process},
		{"the first stays", "later", "first", "first", ended(0).Process},
		{"after a user's cancel", "ses_1", "", "", user},
		{"after the end of the run around it", "ses_1", "", "", parent},
		{"no session id", "-rf /", "", "", ended(0).Process},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, "v14")
			r := h.Row(run(1))
			if err := r.Announce(t.Context(), noon); err != nil {
				t.Fatal(err)
			}
			if c.already != "" {
				edited(t, h, "UPDATE command_executions SET vendor_session_id = ? WHERE uid = ?", c.already, uid(1))
			}
			if _, err := r.Finish(t.Context(), Ending{Process: c.process, VendorSessionID: c.id, AtMS: noon}); err != nil {
				t.Fatal(err)
			}
			if got := theRow(t, h, 1)["vendor_session_id"]; got != c.want {
				t.Errorf("session %q, want %q", got, c.want)
			}
		})
	}
}

func TestSomebodyElsesRowIsNotTouched(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v14")
	theirs := "14c0a5e0-3b64-4f0a-9a10-000000000025"
	before := dump(t, copyOf(t, h), "SELECT * FROM command_executions")
	a := run(1)
	a.UID = theirs
	r := h.Row(a)
	if err := r.Announce(t.Context(), noon); !errors.Is(err, ErrForeign) {
		t.Errorf("announce: %v", err)
	}
	if _, err := r.Beat(t.Context(), noon); !errors.Is(err, ErrForeign) {
		t.Errorf("beat: %v", err)
	}
	if _, err := r.Finish(t.Context(), ended(0)); !errors.Is(err, ErrForeign) {
		t.Errorf("finish: %v", err)
	}
	if after := dump(t, copyOf(t, h), "SELECT * FROM command_executions"); !slices.Equal(before, after) {
		t.Errorf("changed: %v", after)
	}
	if e, ok, err := h.Execution(t.Context(), theirs); err != nil || !ok || !e.Unfinished() || e.Ours {
		t.Errorf("row to adopt: %+v, %v, %v", e, ok, err)
	}
}

func TestTheCommandLogIsTheProducts(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v9")
	r := h.Row(run(1))
	for range 2 {
		if err := r.Announce(t.Context(), noon); err != nil {
			t.Fatal(err)
		}
	}
	cancel := Ending{Process: lifecycle.Process{End: lifecycle.EndExited, ExitCode: new(0), StoppedBy: lifecycle.StoppedByUser}, AtMS: noon + 1000}
	for range 2 {
		if _, err := r.Finish(t.Context(), cancel); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(filepath.Dir(h.Path), ".cache", "command-history.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if len(lines) != 2 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	start := `{"v":1,"uid":"` + uid(1) + `","db_id":`
	if !strings.HasPrefix(lines[0], start) || !strings.HasSuffix(lines[0],
		`"exit_code":null,"started_at":"2026-07-30T12:00:00.000Z","finished_at":null,"is_detached":0,"event":"start","writer":"cli"}`) {
		t.Errorf("start: %s", lines[0])
	}
	if !strings.HasPrefix(lines[1], start) || !strings.HasSuffix(lines[1],
		`"exit_code":-2,"started_at":"2026-07-30T12:00:00.000Z","finished_at":"2026-07-30T12:00:01.000Z","is_detached":0,"event":"cancel","writer":"cli"}`) {
		t.Errorf("end: %s", lines[1])
	}
	var e struct{ Args string }
	var args []string
	if err := json.Unmarshal([]byte(lines[1]), &e); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(e.Args), &args); err != nil || !slices.Equal(args, run(1).Command) {
		t.Errorf("args %v, %v", args, err)
	}
}

func TestLongCommandsStayShort(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v14")
	a := run(1)
	a.Command = append([]string{"claude", strings.Repeat("é", 100_000), "\xff"}, make([]string, 1000)...)
	if err := h.Row(a).Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	e, ok, err := h.Execution(t.Context(), uid(1))
	if err != nil || !ok || len([]rune(e.Command)) != maxCommand+1 || len(e.Args) != maxArgs+1 || len([]rune(e.Args[1])) != maxArg+1 || e.Args[2] != "\uFFFD" {
		t.Errorf("%d characters, %d args, %v, %v", len([]rune(e.Command)), len(e.Args), ok, err)
	}
}

func TestAFreshHeartbeatIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v11")
	r := h.Row(run(1))
	if err := r.Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Beat(t.Context(), noon+19_999); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(h.Path); err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the file was written for nothing")
	}
	if _, err := r.Beat(t.Context(), noon+20_000); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(h.Path); err != nil || os.SameFile(before, after) {
		t.Error("the heartbeat was not written")
	}
}

func TestIDsMeetNobody(t *testing.T) {
	t.Parallel()
	seen := map[int64]bool{}
	for n := range 10_000 {
		id := IDOf(uid(n))
		if id >= 0 || id < -1<<idBits || seen[id] || int64(float64(id)) != id {
			t.Fatalf("id %d of %s", id, uid(n))
		}
		seen[id] = true
	}
}
