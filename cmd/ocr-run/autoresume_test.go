package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// broken is a headless run that ended with an exit code and one observation.
func broken(exit int, points lifecycle.Cause, detail string) afterwards {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	row := store.Execution{
		Process:  lifecycle.Process{End: lifecycle.EndExited, ExitCode: &exit},
		Evidence: []lifecycle.Evidence{{Source: lifecycle.SourceJSON, Points: points, Detail: detail, TurnFailed: true, AtMS: now.UnixMilli()}},
		Resume:   []string{"agent", "resume"}, Turn: lifecycle.TurnNone,
	}
	return afterwards{row: row, left: 2, headless: true, now: now, chance: 0.5}
}

func TestOnlyWhereItHelps(t *testing.T) {
	t.Parallel()
	const soon = "limit reached, try again in 3 hours"
	change := func(a afterwards, how func(*afterwards)) afterwards {
		how(&a)
		return a
	}
	lost := func() afterwards { return broken(1, lifecycle.CauseDisconnect, "gone") }
	for name, c := range map[string]struct {
		after  afterwards
		why    store.WaitReason // empty: nothing is done
		reason string           // part of what is said
	}{
		"lost connection":           {lost(), store.WaitPause, ""},
		"lost connection, exit 0":   {broken(0, lifecycle.CauseDisconnect, "gone"), store.WaitPause, ""},
		"slept":                     {broken(1, lifecycle.CauseSleep, "slept"), store.WaitPause, ""},
		"limited":                   {broken(1, lifecycle.CauseLimited, soon), store.WaitLimit, ""},
		"limited, nobody knows how": {broken(1, lifecycle.CauseLimited, "429"), "", "nobody said"},
		"limited for a month":       {broken(1, lifecycle.CauseLimited, "try again in 30 days"), "", "nobody said"},
		"not logged in":             {broken(1, lifecycle.CauseAuth, "401"), "", "auth"},
		"the work failed":           {broken(1, lifecycle.CauseAgentError, "500"), "", "agent-error"},
		"cut short":                 {broken(1, lifecycle.CauseTruncated, "length"), "", "truncated"},
		"nothing is known":          {change(broken(1, "", ""), func(a *afterwards) { a.row.Evidence = nil }), "", "unknown"},
		"success":                   {change(broken(0, "", ""), func(a *afterwards) { a.row.Evidence = nil }), "", ""},
		"none left":                 {change(lost(), func(a *afterwards) { a.left = 0 }), "", "as often as allowed"},
		"with a screen":             {change(lost(), func(a *afterwards) { a.headless = false }), "", "screen"},
		"no way on":                 {change(lost(), func(a *afterwards) { a.row.Resume = nil }), "", "no command known"},
		"the host does it":          {change(lost(), func(a *afterwards) { a.handed = true }), "", "Open Code Review"},
		"the work is done": {change(lost(), func(a *afterwards) {
			a.row.Workflow = &store.WorkflowView{Completeness: lifecycle.CompletenessComplete}
		}), "", "complete"},
		"its user ended it":         {change(lost(), func(a *afterwards) { a.row.Process.StoppedBy = lifecycle.StoppedByUser }), "", ""},
		"a stop it outlived":        {change(lost(), func(a *afterwards) { a.row.Process.StoppedBy, a.row.Process.StopFailed = lifecycle.StoppedByUser, true }), "", ""},
		"the time was up":           {change(lost(), func(a *afterwards) { a.row.Process.StoppedBy = lifecycle.StoppedByDeadline }), "", ""},
		"somebody wants it to end":  {change(lost(), func(a *afterwards) { a.row.StopRequested = lifecycle.StoppedByUser }), "", ""},
		"somebody pressed the keys": {change(lost(), func(a *afterwards) { a.hurried = true }), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next, yes, reason := c.after.decide()
			if yes != (c.why != "") || next.why != c.why {
				t.Errorf("%v %+v (%s), want %q", yes, next, reason, c.why)
			}
			if !strings.Contains(reason, c.reason) || (c.reason == "") != (reason == "") {
				t.Errorf("says %q, want %q", reason, c.reason)
			}
			if yes && !next.at.After(c.after.now) {
				t.Errorf("at %s, which is not after %s", next.at, c.after.now)
			}
		})
	}
}

func TestALimitIsWaitedOut(t *testing.T) {
	t.Parallel()
	for _, chance := range []float64{0, 0.999} {
		a := broken(1, lifecycle.CauseLimited, "usage limit reached|1769871600")
		a.now, a.chance = time.Unix(1769871600-3600, 0), chance
		a.row.Evidence[0].AtMS = a.now.UnixMilli()
		next, yes, _ := a.decide()
		if late := next.at.Sub(time.Unix(1769871600, 0)); !yes || late < 0 || late > limitSlack {
			t.Errorf("%v, %s after the end of the limit", yes, late)
		}
	}
}

func TestPausesDoubleAndAreBounded(t *testing.T) {
	t.Parallel()
	for before := range 100 {
		least, most := pause(before, 0), pause(before, 0.9999)
		if least != leastPause || most > longestPause || before < 5 && most < firstPause<<before*9/10 {
			t.Errorf("after %d: %s to %s", before, least, most)
		}
	}
}

func TestTheNextCommandLineKeepsTheFlags(t *testing.T) {
	t.Parallel()
	at := resumption{at: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	for _, c := range []struct{ args, want string }{
		{"--auto-resume 3 -q --receipt r.json claude -p --at x", "resume -q --receipt r.json"},
		{"--auto-resume=3 --cwd d --hooks --env A=1 --env=B=2 -- ps", "resume --hooks --env A=1 --env=B=2"},
		{"resume --at=5s 0199 --auto-resume 3 --timeout 1h", "resume --timeout 1h"},
	} {
		w := &wrapping{env: environment{args: strings.Fields(c.args)}, opts: runOptions{autoResume: 3}}
		want := append(strings.Fields(c.want), "--auto-resume=2", "--at=2026-01-31T12:00:00Z", "uid")
		if got := w.nextArgs("uid", at); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.args, got, want)
		}
	}
}
