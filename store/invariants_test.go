package store_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// raw opens the file behind the ledger's back: no foreign keys, no courtesy.
// Only recursive_triggers can be had, which guards against REPLACE.
func raw(t *testing.T, path, params string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_txlock=immediate"+params)
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

// populated is a ledger file with
//   - executions live (linked to review, turns t0 settled and t1 running), free,
//     ended (exit 0) and lost,
//   - workflows review (round 1, context), closed (aborted review), flow (open),
//     cancelling (flow asked to cancel) and done (closed flow).
func populated(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := store.Open(t.Context(), store.Config{Path: path})
	must(t, err)
	for i, uid := range []string{"live", "free", "ended", "lost"} {
		announce(t, l, uid, 100*(i+1))
	}
	must(t, finish(t.Context(), l, storetest.Exit("ended", 0, 5000)))
	must(t, finish(t.Context(), l, lost("lost", 5000)))
	beginReview(t, l, "review", "live", 2100)
	beginReview(t, l, "closed", "", 2100)
	_, _, err = l.FinishWorkflow(t.Context(), store.FinishWorkflow{ID: "closed", Abort: true, At: storetest.At(2200)})
	must(t, err)
	report(t, l, "live", 2300, "turn.started t0")
	report(t, l, "live", 2400, "turn.completed t0")
	report(t, l, "live", 2500, "turn.started t1")
	must(t, l.Close())
	db := raw(t, path, "")
	for _, query := range []string{
		insertFlow("flow", "running", "NULL", "NULL"),
		insertFlow("cancelling", "running", "7", "NULL"),
		insertFlow("done", "running", "NULL", "NULL"),
		`UPDATE workflows SET status = 'succeeded', ended_at = 9, revision = 2 WHERE id = 'done'`,
	} {
		_, err := db.ExecContext(t.Context(), query)
		must(t, err)
	}
	return path
}

func insertFlow(id, status, cancel, ended string) string {
	return `INSERT INTO workflows (id, kind, workspace, branch, session_dir, goal, owner, status, round, revision,
		cancel_requested_at, created_at, updated_at, ended_at)
		VALUES ('` + id + `', 'flow', '', '', '', '', '', '` + status + `', 1, 1, ` + cancel + `, 5, 5, ` + ended + `)`
}

// insertExecution is a row with its end and more columns ("name, name" and
// "value, value").
func insertExecution(uid, end, columns, values string) string {
	return `INSERT INTO executions (uid, "end", generation, lineage, command, cwd, workspace, machine_id, boot_id, pid_namespace,
		wrapper_pid, wrapper_start, created_at, created_awake, beat_ms, last_beat_wall, last_beat_awake, last_beat_boot` + columns + `)
		VALUES ('` + uid + `', '` + end + `', 1, '', '[]', '/', '/', 'machine-1', 'boot-1', 1, 1, 1, 10, 10, 1, 10, 10, 'boot-1'` + values + `)`
}

const (
	setLive     = `UPDATE executions SET `
	ofLive      = ` WHERE uid = 'live'`
	setReview   = `UPDATE workflows SET revision = revision + 1, `
	completedIn = `INSERT INTO events (workflow_id, type, round, at) VALUES ('review', 'round_completed', `
	abortedIn   = `INSERT INTO events (workflow_id, type, round, at) VALUES ('review', 'session_aborted', `
	stopLive    = `UPDATE executions SET stop_requested = 'parent', stop_requested_at = 1 WHERE uid = 'live'`
	toSynthesis = setReview + `phase = 'change-context' WHERE id = 'review';` + setReview + `phase = 'analysis' WHERE id = 'review';` +
		setReview + `phase = 'reviews' WHERE id = 'review';` + setReview + `phase = 'aggregation' WHERE id = 'review';` +
		setReview + `phase = 'discourse' WHERE id = 'review';` + setReview + `phase = 'synthesis' WHERE id = 'review'`
	asked = `UPDATE workflows SET revision = revision + 1, cancel_requested_at = 3000 WHERE id = 'review'`
)

// invariants are the rules the ledger keeps whoever writes. After setup, try
// must fail with a reason that contains want; fine, the nearest thing that is
// allowed, must not.
func invariants() []invariant {
	return []invariant{
		{1, "end is a word", nil, setLive + `"end" = 'gone'` + ofLive, "CHECK", ""},
		{1, "stopper is a word", nil, setLive + `"end" = 'exited', exit_code = 0, ended_at = 9000, session_status = 'stopped', stopped_by = 'me'` + ofLive, "stopped_by IN", setLive + `"end" = 'exited', exit_code = 0, ended_at = 9000, session_status = 'stopped', stopped_by = 'user'` + ofLive},
		{1, "stop request is a word", nil, setLive + `stop_requested = 'me', stop_requested_at = 1` + ofLive, "stop_requested IN", setLive + `stop_requested = 'user', stop_requested_at = 1` + ofLive},
		{1, "session status is a word", nil, setLive + `session_status = 'odd'` + ofLive, "session_status IN", setLive + `session_status = 'starting'` + ofLive},
		{1, "workflow status is a word", nil, setReview + `status = 'odd' WHERE id = 'flow'`, "status IN", setReview + `status = 'blocked' WHERE id = 'flow'`},
		{1, "workflow kind is a word", nil, strings.Replace(insertFlow("x", "running", "NULL", "NULL"), "'flow'", "'odd'", 1), "kind IN", insertFlow("x", "running", "NULL", "NULL")},
		{1, "a review is never queued", nil, setReview + `status = 'queued' WHERE id = 'review'`, "kind = 'flow' OR", setReview + `status = 'queued' WHERE id = 'flow'`},
		{1, "turn state is a word", nil, `UPDATE turns SET state = 'odd' WHERE id = 't1'`, "state IN", ""},

		{2, "an end has its time", nil, setLive + `"end" = 'exited', exit_code = 0, session_status = 'stopped'` + ofLive, "CHECK", setLive + `"end" = 'exited', exit_code = 0, session_status = 'stopped', ended_at = 9000` + ofLive},
		{2, "a live execution has no end time", nil, setLive + `ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{2, "a closed workflow has its time", []string{stopLive, abortedIn + `1, 1)`}, setReview + `status = 'failed' WHERE id = 'review'`, "CHECK", setReview + `status = 'failed', ended_at = 9000 WHERE id = 'review'`},
		{2, "an open workflow has no end time", []string{stopLive, abortedIn + `1, 1)`}, setReview + `ended_at = 9000 WHERE id = 'review'`, "", ""},
		{2, "a settled turn has its time", nil, `UPDATE turns SET state = 'error' WHERE id = 't1'`, "CHECK", `UPDATE turns SET state = 'error', ended_at = 9000 WHERE id = 't1'`},
		{2, "an open turn has no end time", nil, `UPDATE turns SET ended_at = 9000 WHERE id = 't1'`, "CHECK", ""},

		{3, "exited without a code", nil, setLive + `"end" = 'exited', ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{3, "exited with a signal", nil, setLive + `"end" = 'exited', exit_code = 1, signal = 9, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{3, "exit code out of range", nil, setLive + `"end" = 'exited', exit_code = -2, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{3, "exit code too large", nil, setLive + `"end" = 'exited', exit_code = 256, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", setLive + `"end" = 'exited', exit_code = 255, ended_at = 9000, session_status = NULL` + ofLive},
		{3, "signalled without a signal", nil, setLive + `"end" = 'signalled', ended_at = 9000, session_status = NULL` + ofLive, "CHECK", setLive + `"end" = 'signalled', signal = 9, ended_at = 9000, session_status = NULL` + ofLive},
		{3, "signalled with a code", nil, setLive + `"end" = 'signalled', signal = 9, exit_code = 137, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{3, "not started with an ordinary code", nil, setLive + `"end" = 'not-started', exit_code = 1, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", setLive + `"end" = 'not-started', exit_code = 126, ended_at = 9000, session_status = NULL` + ofLive},
		{3, "not started without a code", nil, setLive + `"end" = 'not-started', ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{3, "lost with a code", nil, setLive + `"end" = 'lost', exit_code = 0, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", setLive + `"end" = 'lost', ended_at = 9000, session_status = NULL` + ofLive},
		{3, "running with a code", nil, setLive + `exit_code = 0` + ofLive, "CHECK", ""},
		{3, "queued with a signal", nil, insertExecution("x", "queued", ", signal", ", 9"), "CHECK", insertExecution("x", "queued", "", "")},
		{3, "a core without a signal", nil, setLive + `"end" = 'exited', exit_code = 1, core_dumped = 1, ended_at = 9000, session_status = NULL` + ofLive, "CHECK", ""},
		{3, "a live execution was stopped by nobody", nil, setLive + `stopped_by = 'user'` + ofLive, "CHECK", ""},
		{3, "a stop request has its time", nil, setLive + `stop_requested = 'user'` + ofLive, "CHECK", ""},

		{4, "started before created", nil, setLive + `started_at = 1` + ofLive, "started_at >=", setLive + `started_at = 1000` + ofLive},
		{4, "ended before started", nil, setLive + `"end" = 'lost', ended_at = 1999, session_status = NULL` + ofLive, "ended_at >=", setLive + `"end" = 'lost', ended_at = 2000, session_status = NULL` + ofLive},
		{4, "ended before created", []string{insertExecution("x", "running", "", "")}, `UPDATE executions SET "end" = 'lost', ended_at = 9 WHERE uid = 'x'`, "ended_at >=", `UPDATE executions SET "end" = 'lost', ended_at = 10 WHERE uid = 'x'`},
		{4, "workflow updated before created", nil, setReview + `updated_at = 1 WHERE id = 'review'`, "updated_at >=", ""},
		{4, "workflow ended before created", nil, setReview + `status = 'failed', ended_at = 1 WHERE id = 'flow'`, "ended_at >=", setReview + `status = 'failed', ended_at = 5 WHERE id = 'flow'`},
		{4, "turn started before requested", nil, `UPDATE turns SET started_at = 1 WHERE id = 't1'`, "started_at >=", ""},
		{4, "turn ended before started", nil, `UPDATE turns SET state = 'error', ended_at = 2499 WHERE id = 't1'`, "ended_at >=", ""},

		{5, "phase of another kind", nil, setReview + `phase = 'topology' WHERE id = 'review'`, "", setReview + `phase = 'change-context' WHERE id = 'review'`},
		{5, "a review without a phase", nil, setReview + `phase = NULL WHERE id = 'review'`, "", ""},
		{5, "a new review without a phase", nil, strings.Replace(insertFlow("x", "running", "NULL", "NULL"), "'flow'", "'review'", 1), "CASE kind", ""},
		{5, "a flow with a phase", nil, setReview + `phase = 'context' WHERE id = 'flow'`, "CASE kind", ""},

		{6, "cancelled without intent", nil, setReview + `status = 'cancelled', ended_at = 9 WHERE id = 'flow'`, "cancel_requested_at IS NOT NULL", setReview + `status = 'cancelled', ended_at = 9 WHERE id = 'cancelling'`},

		{7, "two running turns", nil, `INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES ('live', 't2', 'running', 1, 1)`, "UNIQUE", `INSERT INTO turns (uid, state, requested_at) VALUES ('live', 'pending', 1)`},
		{7, "two pending turns", []string{`INSERT INTO turns (uid, state, requested_at) VALUES ('live', 'pending', 1)`}, `INSERT INTO turns (uid, state, requested_at) VALUES ('live', 'pending', 2)`, "UNIQUE", ""},

		{8, "two unfinished rows of one process", nil, `UPDATE executions SET child_pid = 102, child_start = 10200 WHERE uid = 'free'`, "UNIQUE", `UPDATE executions SET child_pid = 102, child_start = 10201 WHERE uid = 'free'`},

		{9, "a running turn in an idle session", nil, `INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES ('free', 't', 'running', 1, 1)`, "may hold it", ""},
		{9, "a running turn in a ready session", []string{`UPDATE executions SET session_status = 'ready' WHERE uid = 'free'`}, `INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES ('free', 't', 'running', 1, 1)`, "may hold it", ""},
		{9, "a running turn of an ended execution", nil, `INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES ('ended', 't', 'running', 1, 1)`, "may hold it", `INSERT INTO turns (uid, id, state, requested_at, started_at, ended_at) VALUES ('ended', 't', 'error', 1, 1, 1)`},
		{9, "a pending turn of an ended execution", nil, `INSERT INTO turns (uid, state, requested_at) VALUES ('ended', 'pending', 1)`, "may hold it", `INSERT INTO turns (uid, state, requested_at) VALUES ('free', 'pending', 1)`},
		{9, "a turn of nobody", nil, `INSERT INTO turns (uid, state, requested_at) VALUES ('nobody', 'pending', 1)`, "may hold it", ""},
		{9, "a pending turn starts in an idle session", []string{`INSERT INTO turns (uid, state, requested_at) VALUES ('free', 'pending', 1)`}, `UPDATE turns SET state = 'running', id = 't', started_at = 1 WHERE uid = 'free'`, "may hold it", ""},

		{11, "an ended execution with a live session", nil, setLive + `"end" = 'lost', ended_at = 9000` + ofLive, "session_status IS NULL OR session_status =", setLive + `"end" = 'lost', ended_at = 9000, session_status = 'error'` + ofLive},
		{11, "an ended execution that is suspended", nil, setLive + `"end" = 'lost', ended_at = 9000, session_status = NULL, stopped_since = 5` + ofLive, "stopped_since IS NULL", ""},

		{12, "a settled turn changes its state", nil, `UPDATE turns SET state = 'error' WHERE id = 't0'`, "settled", ""},
		{12, "a settled turn runs again", nil, `UPDATE turns SET state = 'running', ended_at = NULL WHERE id = 't0'`, "settled", ""},
		{12, "a running turn becomes pending", nil, `UPDATE turns SET state = 'pending' WHERE id = 't1'`, "transition", ""},
		{12, "a turn changes hands", nil, `UPDATE turns SET uid = 'free' WHERE id = 't1'`, "transition", ""},

		{13, "revision stands still", nil, `UPDATE workflows SET goal = 'other' WHERE id = 'review'`, "revision", `UPDATE workflows SET goal = 'other', revision = revision + 1 WHERE id = 'review'`},
		{13, "revision jumps", nil, `UPDATE workflows SET revision = revision + 2 WHERE id = 'review'`, "revision", ""},

		{14, "a cancel request is cleared", nil, setReview + `cancel_requested_at = NULL WHERE id = 'cancelling'`, "sticky", ""},
		{14, "a cancel request is moved", nil, setReview + `cancel_requested_at = 8 WHERE id = 'cancelling'`, "sticky", setReview + `goal = 'x' WHERE id = 'cancelling'`},
		{14, "a stop request is cleared", []string{stopLive}, setLive + `stop_requested = NULL, stop_requested_at = NULL` + ofLive, "sticky", stopLive},
		{14, "a stop request is changed", []string{stopLive}, setLive + `stop_requested = 'user'` + ofLive, "sticky", ""},
		{14, "a stop request is moved", []string{stopLive}, setLive + `stop_requested_at = 2` + ofLive, "sticky", ""},

		{15, "a cancelled flow succeeds", nil, setReview + `status = 'succeeded', ended_at = 9 WHERE id = 'cancelling'`, "only becomes", setReview + `status = 'lost', ended_at = 9 WHERE id = 'cancelling'`},
		{15, "a cancelled flow fails", nil, setReview + `status = 'failed', ended_at = 9 WHERE id = 'cancelling'`, "only becomes", ""},
		{15, "a cancelled flow waits", nil, setReview + `status = 'waiting' WHERE id = 'cancelling'`, "only becomes", ""},

		{16, "a closed review changes its status", nil, setReview + `status = 'lost' WHERE id = 'closed'`, "is closed", ""},
		{16, "a closed review opens without a reason", nil, setReview + `status = 'running', ended_at = NULL WHERE id = 'closed'`, "is closed", ""},
		{16, "a closed review opens for a reason", []string{`INSERT INTO events (workflow_id, type, round, at) VALUES ('closed', 'session_resumed', 1, 1)`}, setReview + `status = 'running', ended_at = NULL, round = 2 WHERE id = 'closed'`, "is closed", setReview + `status = 'running', ended_at = NULL WHERE id = 'closed'`},
		{16, "a closed flow opens", []string{`INSERT INTO events (workflow_id, type, round, at) VALUES ('done', 'session_resumed', 1, 1)`}, setReview + `status = 'running', ended_at = NULL WHERE id = 'done'`, "is closed", ""},
		{16, "a workflow begins closed", nil, insertFlow("x", "failed", "NULL", "9"), "begins open", ""},
		{16, "a workflow changes its kind", nil, setReview + `kind = 'flow', phase = NULL WHERE id = 'review'`, "stays what it is", ""},

		{17, "closing under a live execution", []string{abortedIn + `1, 1)`}, setReview + `status = 'failed', ended_at = 9000 WHERE id = 'review'`, "asked to stop", setReview + `status = 'failed', ended_at = 9000, closed_by_uid = 'live' WHERE id = 'review'`},
		{17, "closing under a stopping execution and another", []string{stopLive, abortedIn + `1, 1)`, `UPDATE executions SET workflow_id = 'review' WHERE uid = 'free'`}, setReview + `status = 'failed', ended_at = 9000 WHERE id = 'review'`, "asked to stop", setReview + `status = 'failed', ended_at = 9000, closed_by_uid = 'free' WHERE id = 'review'`},
		{17, "closing under the child of the closer", []string{abortedIn + `1, 1)`, `UPDATE executions SET parent_uid = 'free' WHERE uid = 'live'`}, setReview + `status = 'failed', ended_at = 9000, closed_by_uid = 'free' WHERE id = 'review'`, "asked to stop", ""},
		{17, "closing under a stranger of the closer", []string{abortedIn + `1, 1)`, `UPDATE executions SET parent_uid = 'live' WHERE uid = 'free'`}, setReview + `status = 'failed', ended_at = 9000, closed_by_uid = 'ended' WHERE id = 'review'`, "asked to stop", setReview + `status = 'failed', ended_at = 9000, closed_by_uid = 'free' WHERE id = 'review'`},
		{17, "closing a flow under a live child", []string{`UPDATE executions SET flow_id = 'flow' WHERE uid = 'free'`}, setReview + `status = 'failed', ended_at = 9000 WHERE id = 'flow'`, "asked to stop", setReview + `status = 'waiting' WHERE id = 'flow'`},

		{18, "an execution begins under a closed workflow", nil, insertExecution("x", "running", ", workflow_id", ", 'closed'"), "closed or cancelled", insertExecution("x", "running", ", workflow_id", ", 'review'")},
		{18, "an execution begins under a cancelled flow", nil, insertExecution("x", "running", ", flow_id", ", 'cancelling'"), "closed or cancelled", insertExecution("x", "running", ", flow_id", ", 'flow'")},
		{18, "an execution is linked to a closed workflow", nil, `UPDATE executions SET workflow_id = 'closed' WHERE uid = 'free'`, "closed or cancelled", `UPDATE executions SET workflow_id = 'review' WHERE uid = 'free'`},
		{18, "an execution is linked to a cancelled flow", nil, `UPDATE executions SET flow_id = 'cancelling' WHERE uid = 'free'`, "closed or cancelled", ""},

		{19, "a link is changed", nil, setLive + `workflow_id = 'flow'` + ofLive, "written once", setLive + `workflow_id = 'review'` + ofLive},
		{19, "a link is cleared", nil, setLive + `workflow_id = NULL` + ofLive, "written once", ""},
		{19, "a flow link is changed", []string{`UPDATE executions SET flow_id = 'flow' WHERE uid = 'free'`}, `UPDATE executions SET flow_id = 'review' WHERE uid = 'free'`, "written once", ""},

		{20, "an ended execution runs again", nil, `UPDATE executions SET "end" = 'running', exit_code = NULL, ended_at = NULL WHERE uid = 'ended'`, "has ended", ""},
		{20, "an ended execution changes its code", nil, `UPDATE executions SET exit_code = 1 WHERE uid = 'ended'`, "has ended", ""},
		{20, "an ended execution becomes lost", nil, `UPDATE executions SET "end" = 'lost', exit_code = NULL WHERE uid = 'ended'`, "has ended", ""},
		{20, "an ended execution changes its round", nil, `UPDATE executions SET round_at_end = 2 WHERE uid = 'ended'`, "has ended", ""},
		{20, "an ended execution is asked to stop", nil, `UPDATE executions SET stop_requested = 'user', stop_requested_at = 1 WHERE uid = 'ended'`, "has ended", ""},
		{20, "a lost execution runs again", nil, `UPDATE executions SET "end" = 'running', ended_at = NULL WHERE uid = 'lost'`, "has ended", ""},
		{20, "a lost execution learns its end from another generation", nil, `UPDATE executions SET "end" = 'exited', exit_code = 0, generation = 2 WHERE uid = 'lost'`, "has ended", `UPDATE executions SET "end" = 'exited', exit_code = 0 WHERE uid = 'lost'`},
		{20, "a lost execution forgets its round", nil, `UPDATE executions SET "end" = 'exited', exit_code = 0, round_at_end = 4 WHERE uid = 'lost'`, "has ended", ""},
		{20, "an execution begins ended", nil, insertExecution("x", "exited", ", exit_code, ended_at", ", 0, 99"), "begins live", ""},
		{20, "a generation goes back", []string{setLive + `generation = 5` + ofLive}, setLive + `generation = 4` + ofLive, "only grows", setLive + `generation = 6` + ofLive},

		{21, "beats go back", []string{setLive + `beats = 5` + ofLive}, setLive + `beats = 4` + ofLive, "beat", setLive + `beats = 6` + ofLive},
		{21, "a beat that does not count", nil, setLive + `last_beat_wall = 9` + ofLive, "beat", ""},
		{21, "a beat on an ended row", nil, `UPDATE executions SET beats = beats + 1 WHERE uid = 'ended'`, "beat", ""},
		{21, "a beat on a lost row", nil, `UPDATE executions SET beats = beats + 1 WHERE uid = 'lost'`, "beat", ""},

		{22, "an event is changed", nil, `UPDATE events SET at = 1 WHERE seq = 1`, "append-only", ""},
		{22, "an event is removed", nil, `DELETE FROM events WHERE seq = 1`, "append-only", ""},
		{22, "an event is no word", nil, `INSERT INTO events (type, at) VALUES ('odd', 1)`, "no such event", `INSERT INTO events (type, at) VALUES ('slept', 1)`},
		{22, "an event without a type", nil, `INSERT INTO events (type, at) VALUES (NULL, 1)`, "", ""},

		{23, "success without an artifact", []string{stopLive}, setReview + `status = 'succeeded', ended_at = 9000 WHERE id = 'review'`, "completion event", ""},
		{23, "success with the artifact of another round", []string{stopLive, completedIn + `2, 1)`}, setReview + `status = 'succeeded', ended_at = 9000 WHERE id = 'review'`, "completion event", ""},
		{23, "success with the artifact of another kind", []string{stopLive, `INSERT INTO events (workflow_id, type, round, at) VALUES ('review', 'map_completed', 1, 1)`}, setReview + `status = 'succeeded', ended_at = 9000 WHERE id = 'review'`, "completion event", ""},
		{23, "success with an abort", []string{stopLive, abortedIn + `1, 1)`}, setReview + `status = 'succeeded', ended_at = 9000 WHERE id = 'review'`, "completion event", ""},
		{23, "failure without a reason", []string{stopLive, completedIn + `1, 1)`}, setReview + `status = 'failed', ended_at = 9000 WHERE id = 'review'`, "closing reason", setReview + `status = 'succeeded', ended_at = 9000 WHERE id = 'review'`},
		{23, "failure with the reason of another round", []string{stopLive, abortedIn + `2, 1)`}, setReview + `status = 'lost', ended_at = 9000 WHERE id = 'review'`, "closing reason", ""},
		{23, "failure with a reason from before it was taken up again", []string{stopLive, abortedIn + `1, 1)`, `INSERT INTO events (workflow_id, type, round, at) VALUES ('review', 'session_resumed', 1, 1)`}, setReview + `status = 'failed', ended_at = 9000 WHERE id = 'review'`, "closing reason", ""},

		{24, "a phase is skipped", nil, setReview + `phase = 'analysis' WHERE id = 'review'`, "phase transition", setReview + `phase = 'change-context' WHERE id = 'review'`},
		{24, "a phase goes back", []string{setReview + `phase = 'change-context' WHERE id = 'review'`}, setReview + `phase = 'context' WHERE id = 'review'`, "phase transition", setReview + `phase = 'change-context' WHERE id = 'review'`},
		{24, "a round opens in a later phase", nil, setReview + `round = 2, phase = 'change-context' WHERE id = 'review'`, "phase transition", setReview + `round = 2, phase = 'context' WHERE id = 'review'`},
		{24, "a round opens complete", nil, setReview + `round = 2, phase = 'complete' WHERE id = 'review'`, "phase transition", ""},
		{24, "a review is taken up again in a later phase", []string{`INSERT INTO events (workflow_id, type, round, at) VALUES ('closed', 'session_resumed', 1, 1)`}, setReview + `status = 'running', ended_at = NULL, phase = 'change-context' WHERE id = 'closed'`, "phase transition", ""},

		{24, "a review is complete without its completion event", []string{toSynthesis}, setReview + `phase = 'complete' WHERE id = 'review'`, "completion event", ""},
		{24, "a review is complete by the event of another round", []string{toSynthesis, completedIn + `2, 1)`}, setReview + `phase = 'complete' WHERE id = 'review'`, "completion event", setReview + `phase = 'complete', round = 2 WHERE id = 'review'`},
		{24, "a review is complete from elsewhere", []string{completedIn + `1, 1)`}, setReview + `phase = 'complete' WHERE id = 'review'`, "phase transition", ""},
		{24, "a review completes an earlier round", []string{setReview + `round = 2, phase = 'context' WHERE id = 'review'`, toSynthesis, completedIn + `1, 1)`}, setReview + `phase = 'complete', round = 1 WHERE id = 'review'`, "phase transition", ""},

		{27, "an event of a source twice", []string{`INSERT INTO events (uid, ext_id, type, at) VALUES ('live', 'e', 'slept', 1)`}, `INSERT INTO events (uid, ext_id, type, at) VALUES ('live', 'e', 'late', 1)`, "UNIQUE", `INSERT INTO events (uid, ext_id, type, at) VALUES ('free', 'e', 'late', 1)`},
		{27, "an event of a source and of nobody", nil, `INSERT INTO events (ext_id, type, at) VALUES ('e', 'late', 1)`, "uid IS NOT NULL", ""},

		{0, "an execution is removed", nil, `DELETE FROM executions WHERE uid = 'ended'`, "kept", ""},
		{0, "a workflow is removed", nil, `DELETE FROM workflows WHERE id = 'done'`, "kept", ""},
		{0, "a turn is removed", nil, `DELETE FROM turns WHERE id = 't0'`, "kept", ""},
		{0, "an execution is replaced", nil, strings.Replace(insertExecution("ended", "running", "", ""), "INSERT", "INSERT OR REPLACE", 1), "kept", ""},
		{0, "a workflow is replaced", nil, strings.Replace(insertFlow("cancelling", "running", "NULL", "NULL"), "INSERT", "INSERT OR REPLACE", 1), "kept", ""},
		{0, "an event is replaced", nil, `INSERT OR REPLACE INTO events (seq, type, at) VALUES (1, 'slept', 1)`, "append-only", ""},
		{0, "a command that is no JSON", nil, setLive + `command = 'ls'` + ofLive, "json_valid", ""},
	}
}

// invariant is one try at breaking a rule. The number is the rule's; 0 is for
// rules about the tables themselves.
type invariant struct {
	number int
	name   string
	setup  []string
	try    string
	want   string
	fine   string
}

func TestInvariantsHoldAgainstARawConnection(t *testing.T) {
	t.Parallel()
	db := raw(t, populated(t), "&_pragma=recursive_triggers(1)")
	for _, i := range invariants() {
		t.Run(i.name, func(t *testing.T) {
			tx, err := db.BeginTx(t.Context(), nil)
			must(t, err)
			defer func() { must(t, tx.Rollback()) }()
			for _, query := range i.setup {
				_, err := tx.ExecContext(t.Context(), query)
				must(t, err)
			}
			_, err = tx.ExecContext(t.Context(), i.try)
			if err == nil {
				t.Fatalf("rule %d is broken by %s", i.number, i.try)
			}
			if !strings.Contains(err.Error(), i.want) {
				t.Errorf("rule %d refuses for another reason: %v", i.number, err)
			}
			if i.fine != "" {
				_, err = tx.ExecContext(t.Context(), i.fine)
				must(t, err)
			}
		})
	}
}

// Rule 10: what a turn becomes when its session or its process moves on without
// settling it.
func TestTurnsSettleByThemselves(t *testing.T) {
	t.Parallel()
	db := raw(t, populated(t), "")
	for change, want := range map[string]string{
		`session_status = 'ready', session_at = 3000`:                                         "completed pending",
		`session_status = 'idle', session_at = 1`:                                             "completed pending",
		`session_status = 'error', session_at = 3000`:                                         "error pending",
		`session_status = 'interrupted', session_at = 3000`:                                   "interrupted pending",
		`session_status = 'stopped'`:                                                          "interrupted pending",
		`session_status = NULL`:                                                               "interrupted pending",
		`session_status = 'starting'`:                                                         "running pending",
		`"end" = 'exited', exit_code = 0, ended_at = 9000, session_status = NULL`:             "interrupted interrupted",
		`"end" = 'lost', ended_at = 9000, session_status = 'error', session_at = 9000`:        "interrupted interrupted",
		`"end" = 'signalled', signal = 9, ended_at = 9000, session_status = 'stopped'`:        "interrupted interrupted",
		`"end" = 'not-started', exit_code = 125, ended_at = 9000, session_status = 'stopped'`: "interrupted interrupted",
	} {
		tx, err := db.BeginTx(t.Context(), nil)
		must(t, err)
		_, err = tx.ExecContext(t.Context(), `INSERT INTO turns (uid, state, requested_at) VALUES ('live', 'pending', 2600)`)
		must(t, err)
		_, err = tx.ExecContext(t.Context(), setLive+change+ofLive)
		must(t, err)
		var got string
		must(t, tx.QueryRowContext(t.Context(), `SELECT group_concat(state, ' ') FROM
			(SELECT state FROM turns WHERE uid = 'live' AND id IS NOT 't0' ORDER BY n)`).Scan(&got))
		if got != want {
			t.Errorf("%s leaves turns %q, want %q", change, got, want)
		}
		must(t, tx.Rollback())
	}
}
