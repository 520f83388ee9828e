package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// said is a report of the execution uid in words: "TYPE [@SESSION] [=STATE] [turn]".
func said(uid string, atMS int64, words string) store.SessionReport {
	fields := strings.Fields(words)
	r := store.SessionReport{UID: uid, At: storetest.At(atMS), Event: lifecycle.SessionEvent{Type: lifecycle.SessionEventType(fields[0])}}
	for _, f := range fields[1:] {
		switch f[0] {
		case '@':
			r.Event.Session = f[1:]
		case '=':
			r.Event.State = f[1:]
		default:
			r.Event.Turn = f
		}
	}
	return r
}

// report sends a report in words, which must be applied.
func report(t *testing.T, l *store.Ledger, uid string, atMS int64, words string) store.SessionAnswer {
	t.Helper()
	answer, err := l.Report(t.Context(), said(uid, atMS, words))
	must(t, err)
	if answer.Refused != "" {
		t.Fatalf("%s is refused as %s", words, answer.Refused)
	}
	return answer
}

// wantRefused sends a report that must be refused for a reason, and change nothing.
func wantRefused(t *testing.T, l *store.Ledger, r store.SessionReport, want lifecycle.SessionRefusal) {
	t.Helper()
	before, err := l.LastSeq(t.Context())
	must(t, err)
	answer, err := l.Report(t.Context(), r)
	must(t, err)
	after, err := l.LastSeq(t.Context())
	must(t, err)
	if answer.Refused != want || before != after {
		t.Errorf("%+v is refused as %q, want %q; history went from %d to %d", r.Event, answer.Refused, want, before, after)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	l := announced(t)
	for i, step := range []struct{ words, session, turn string }{
		{"session.started @s", "ready", " none"},
		{"turn.requested @s", "starting", " pending"},
		{"session.state.changed =ready", "starting", " pending"},
		{"turn.started @s t1", "running", "t1 running"},
		{"session.started @s", "running", "t1 running"},
		{"session.state.changed =waiting", "running", "t1 running"},
		{"turn.requested", "running", " pending"},
		{"turn.completed t1", "starting", " pending"},
		{"turn.completed t2", "starting", " pending"},
		{"turn.started", "running", "#3 running"},
		{"turn.completed", "ready", "#3 completed"},
		{"turn.started t4", "running", "t4 running"},
		{"runtime.error t4", "error", "t4 error"},
		{"turn.started t5", "running", "t5 running"},
		{"turn.aborted t5", "interrupted", "t5 interrupted"},
		{"turn.completed =odd t6", "error", "t6 error"},
		{"session.exited @s", "stopped", "t6 error"},
	} {
		a := report(t, l, "u1", 3000+int64(i), step.words)
		if got := a.Turn.ID + " " + string(a.Turn.To); string(a.Status) != step.session || got != step.turn {
			t.Errorf("after %s the session is %s with %q, want %s with %q", step.words, a.Status, got, step.session, step.turn)
		}
	}
	if e := execution(t, l, "u1"); e.AgentSessionID != "s" || e.Turn != lifecycle.TurnError {
		t.Errorf("the execution has session %q and turn %s", e.AgentSessionID, e.Turn)
	}
}

func TestReportIsWrittenDown(t *testing.T) {
	t.Parallel()
	l := announced(t)
	report(t, l, "u1", 2500, "turn.started t1")
	r := said("u1", 2600, "turn.completed =failed t1")
	r.ExternalID, r.Detail = "e1", "it broke"
	_, err := l.Report(t.Context(), r)
	must(t, err)
	events, err := l.Events(t.Context(), store.EventFilter{UID: "u1", AfterSeq: 2})
	must(t, err)
	got := []string{}
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s %s %s", e.Type, e.TurnID, e.ExternalID, e.Payload))
	}
	wantSame(t, got, []string{
		`turn_started t1  {"event":"turn.started"}`,
		`session_state   {"status":"running"}`,
		`turn_settled t1 e1 {"event":"turn.completed","state":"error","detail":"it broke"}`,
		`session_state   {"status":"error"}`,
	})
}

func TestReportGuards(t *testing.T) {
	t.Parallel()
	l := announced(t)
	report(t, l, "u1", 2500, "session.started @s")
	report(t, l, "u1", 2500, "turn.started @s t1")
	with := func(words string, change func(*store.SessionReport)) store.SessionReport {
		r := said("u1", 2600, words)
		change(&r)
		return r
	}
	wantRefused(t, l, with("session.exited", func(r *store.SessionReport) { r.Generation = 2 }), lifecycle.RefusedFenced)
	wantRefused(t, l, with("session.exited", func(r *store.SessionReport) { r.SaidMS = 2499 }), lifecycle.RefusedOutOfOrder)
	wantRefused(t, l, said("u1", 2600, "turn.completed @nested t1"), lifecycle.RefusedForeign)
	wantRefused(t, l, said("u1", 2600, "turn.completed t2"), lifecycle.RefusedForeign)
	wantRefused(t, l, said("u1", 2600, "turn.started t1"), lifecycle.RefusedDuplicate)

	once := with("turn.completed t1", func(r *store.SessionReport) { r.ExternalID, r.Generation = "e1", 1 })
	_, err := l.Report(t.Context(), once)
	must(t, err)
	wantRefused(t, l, once, lifecycle.RefusedDuplicate)
	wantRefused(t, l, with("turn.started t2", func(r *store.SessionReport) { r.ExternalID = "e1" }), lifecycle.RefusedDuplicate)
	wantRefused(t, l, said("u1", 2600, "turn.aborted t1"), lifecycle.RefusedLate)
	wantRefused(t, l, said("u1", 2600, "turn.aborted t9"), lifecycle.RefusedNoTurn)
	wantRefused(t, l, said("u1", 2600, "odd"), lifecycle.RefusedUnknown)

	must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 3000)))
	wantRefused(t, l, said("u1", 4000, "turn.started t3"), lifecycle.RefusedEnded)
	_, err = l.Report(t.Context(), said("nobody", 4000, "turn.started t3"))
	wantError(t, err, store.ErrNotFound)
}

// A turn that was still open when the process ended is unfinished work, and so is
// one that was only asked for.
func TestTheEndInterruptsOpenTurns(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"turn.started t2", "turn.requested"} {
		l := announced(t)
		report(t, l, "u1", 2500, "turn.completed t1")
		report(t, l, "u1", 2600, open)
		must(t, finish(t.Context(), l, storetest.Exit("u1", 0, 3000)))
		e := execution(t, l, "u1")
		if v := lifecycle.Judge(lifecycle.Facts{Process: e.Process, Turn: e.Turn}); e.Turn != lifecycle.TurnInterrupted || v.Outcome != lifecycle.OutcomeIncomplete || v.Cause != lifecycle.CauseTurnOpen {
			t.Errorf("after %s the last turn is %s, and the verdict %+v", open, e.Turn, v)
		}
	}
}

// TestReportsWaitTheirTurnInTheSpool: what the ledger could not take is applied in
// order, before what comes later and before the end.
func TestReportsWaitTheirTurnInTheSpool(t *testing.T) {
	t.Parallel()
	l := announced(t)
	dir := filepath.Join(t.TempDir(), "spool")
	recorder := func(open func(context.Context) (*store.Ledger, error)) *store.Recorder {
		return store.NewRecorder(store.RecorderConfig{SpoolDir: dir, Open: open})
	}
	locked := recorder(func(context.Context) (*store.Ledger, error) { return nil, store.ErrBusy })
	for i, words := range []string{"turn.started t1", "turn.completed t1", "turn.started t2"} {
		if _, deferred, err := locked.Report(t.Context(), said("u1", 2500+int64(i), words)); err != nil || !deferred {
			t.Fatalf("%s: deferred %v, %v", words, deferred, err)
		}
	}
	again := recorder(func(ctx context.Context) (*store.Ledger, error) {
		return store.Open(ctx, store.Config{Path: l.Path()})
	})
	answer, deferred, err := again.Report(t.Context(), said("u1", 2600, "session.started"))
	must(t, err)
	if deferred || answer.Turn != (lifecycle.TurnChange{ID: "t2", To: lifecycle.TurnRunning}) {
		t.Errorf("deferred %v, %+v", deferred, answer)
	}
	_, _, err = locked.Report(t.Context(), said("u1", 2700, "turn.completed t2"))
	must(t, err)
	must(t, finish(t.Context(), again, storetest.Exit("u1", 0, 3000)))
	if e := execution(t, l, "u1"); e.Turn != lifecycle.TurnCompleted || !e.Degraded {
		t.Errorf("the last turn is %s, degraded %v", e.Turn, e.Degraded)
	}
	must(t, again.Close())
}

// meddle are writes of somebody who does not know the rules. They may be refused.
func meddle() []string {
	return []string{
		`UPDATE executions SET session_status = 'ready', session_at = 1 WHERE uid = 'u1'`,
		`UPDATE executions SET session_status = 'running' WHERE uid = 'u1'`,
		`UPDATE executions SET session_status = NULL WHERE uid = 'u1'`,
		`UPDATE turns SET state = 'completed', ended_at = 99999 WHERE state IN ('error', 'interrupted', 'pending')`,
		`UPDATE turns SET state = 'running', ended_at = NULL`,
		`INSERT INTO turns (uid, id, state, requested_at, started_at) VALUES ('u1', 'm', 'running', 1, 1)`,
		`INSERT INTO turns (uid, state, requested_at) VALUES ('u1', 'pending', 1)`,
		`DELETE FROM turns`,
	}
}

// broken counts, from a raw connection, what must never be.
const broken = `SELECT
	(SELECT count(*) FROM (SELECT uid FROM turns WHERE state = 'running' GROUP BY uid HAVING count(*) > 1))
	+ (SELECT count(*) FROM (SELECT uid FROM turns WHERE state = 'pending' GROUP BY uid HAVING count(*) > 1))
	+ (SELECT count(*) FROM turns t JOIN executions e USING (uid) WHERE t.state = 'running'
		AND (e.ended_at IS NOT NULL OR e.session_status IS NULL OR e.session_status NOT IN ('starting', 'running')))
	+ (SELECT count(*) FROM turns t JOIN executions e USING (uid) WHERE t.state = 'pending' AND e.ended_at IS NOT NULL)
	+ (SELECT count(*) FROM turns WHERE (ended_at IS NOT NULL) = (state IN ('pending', 'running')) OR ended_at < started_at)
	+ (SELECT count(*) FROM (SELECT uid FROM events WHERE ext_id IS NOT NULL GROUP BY uid, ext_id HAVING count(*) > 1))`

// snapshot is the turns as a raw connection sees them, the youngest last.
func snapshot(t *rapid.T, db *sql.DB) (turns []string) {
	rows, err := db.Query(`SELECT COALESCE(id, ''), state FROM turns ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			t.Fatal(err)
		}
		turns = append(turns, id+" "+state)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return turns
}

// TestWhateverIsReportedTheTurnsAreSound plays random reports with repeats, out
// of order, of other turns, sessions and generations, with or without somebody
// who writes past us; and then ends the run with an exit 0.
func TestWhateverIsReportedTheTurnsAreSound(t *testing.T) {
	t.Parallel()
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; raceDetector && n > 15 {
			return
		}
		path := filepath.Join(dir, fmt.Sprint(n))
		l, err := store.Open(t.Context(), store.Config{Path: path})
		must(t, err)
		defer l.Close()
		announce(t, l, "u1", 100)
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
		must(t, err)
		defer db.Close()
		s := &life{l: l, now: 2000}
		meddling, open := rapid.Bool().Draw(rt, "meddling"), false
		for range rapid.IntRange(1, 25).Draw(rt, "reports") {
			if meddling && rapid.IntRange(0, 3).Draw(rt, "past us") == 0 {
				_, _ = db.Exec(rapid.SampledFrom(meddle()).Draw(rt, "meddle"))
			}
			r := s.report(rt)
			r.UID = "u1"
			before := strings.Join(snapshot(rt, db), ",")
			if _, err := l.Report(t.Context(), r); !known(err) {
				rt.Fatal(err)
			}
			open = workLeft(open, before, snapshot(rt, db))
			checkTurns(rt, db)
		}
		must(t, finish(t.Context(), l, storetest.Exit("u1", 0, s.now+1000)))
		checkTurns(rt, db)
		turns := snapshot(rt, db)
		e, err := l.Execution(t.Context(), "u1")
		must(t, err)
		v := lifecycle.Judge(lifecycle.Facts{Process: e.Process, Turn: e.Turn, Agent: true})
		finished := len(turns) == 0 || strings.HasSuffix(turns[len(turns)-1], " completed")
		if success := v.Outcome == lifecycle.OutcomeSuccess; success != finished || success && open && !meddling {
			rt.Fatalf("%s (%s), though the turns were %q, open %v", v.Outcome, v.Cause, turns, open)
		}
	})
}

// workLeft says whether, after a report, something was begun or asked for and
// nothing has said since that it was done.
func workLeft(open bool, before string, turns []string) bool {
	for _, turn := range turns {
		switch changed := !strings.Contains(","+before+",", ","+turn+","); {
		case strings.HasSuffix(turn, " pending"), changed && strings.HasSuffix(turn, " running"):
			open = true
		case changed && strings.HasSuffix(turn, " completed"):
			open = false
		}
	}
	return open
}

// checkTurns looks for what must never be.
func checkTurns(t *rapid.T, db *sql.DB) {
	var n int
	if err := db.QueryRow(broken).Scan(&n); err != nil || n != 0 {
		t.Fatalf("%d rules are broken, %v: %q", n, err, snapshot(t, db))
	}
}
