package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
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
	for _, c := range []struct {
		args, want string
		background string
	}{
		{args: "--auto-resume 3 -q --receipt r.json claude -p --at x", want: "resume -q --receipt r.json"},
		{args: "--auto-resume=3 --cwd d --hooks --env A=1 --env=B=2 -- ps", want: "resume --hooks --env A=1 --env=B=2"},
		{args: "resume --at=5s 0199 --auto-resume 3 --timeout 1h", want: "resume --timeout 1h"},
		{args: "flow run f --queue --auto-resume 3 -q -- claude -p --queue", want: "resume -q"},
		{args: "flow run --max-parallel 4 --timeout 1h f --max-parallel=5 --auto-resume 3 -- x", want: "resume --timeout 1h"},
		{args: "-q flow run --owner me --expect-revision 7 --owner=x f --log l --auto-resume 3 -- x", want: "resume -q --log l"},
		{args: "flow run f --detach --log l --log-size=1MiB --json --auto-resume 3 -- x", want: "resume --json", background: "/l"},
		{args: "resume --auto-resume=3 --log l --at=x 0199", want: "resume", background: "/l"},
	} {
		w := &wrapping{env: environment{args: strings.Fields(c.args)}, opts: runOptions{autoResume: 3, background: detachment{log: c.background}}}
		want := append(strings.Fields(c.want), "--auto-resume=2", "--at=2026-01-31T12:00:00Z", "uid")
		got := w.nextArgs("uid", at)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.args, got, want)
		}
		flags, _ := reorder(got[1:], takesValue(resumeVerb().flags))
		if _, err := parseFlags(t.Context(), program, resumeVerb().flags, flags); err != nil {
			t.Errorf("%s: resume does not know %q: %v", c.args, got, err)
		}
	}
}

// What the next run is told it takes in again: why it waits, the limit of its queue,
// and in the background the marker it carries; its command sees none of it.
func TestTheNextRunIsToldItsTurnAndItsMarker(t *testing.T) {
	t.Parallel()
	outer := []string{"A=1", supervisor.EnvUID + "=outer", supervisor.EnvLineage + "=root/outer"}
	for _, c := range []struct {
		opts runOptions
		mark string
	}{
		{runOptions{}, "outer"},
		{runOptions{turns: 4}, "outer"},
		{runOptions{turns: 1, background: detachment{uid: "before", log: "/l"}}, "own"},
	} {
		w := &wrapping{opts: c.opts, env: environment{environ: outer, lookup: func(key string) (string, bool) { return valueIn(outer, key) }}}
		given := w.nextEnviron(resumption{why: store.WaitLimit}, "own")
		if mark, _ := valueIn(given, supervisor.EnvUID); mark != c.mark {
			t.Errorf("%+v: it carries the marker of %q, want %q", c.opts, mark, c.mark)
		}
		env, background := environment{environ: given, lookup: func(key string) (string, bool) { return valueIn(given, key) }}.detached()
		next, opts := call{environment: env}, runOptions{}
		next.takeNext(&opts)
		if opts.turns != c.opts.turns || opts.waitsFor != store.WaitLimit || !opts.autoResumed || background.log != c.opts.background.log {
			t.Errorf("%+v: it takes in %+v, %+v", c.opts, opts, background)
		}
		if background.uid != "" && background.uid != "own" || !slices.Equal(slices.Sorted(slices.Values(next.environ)), slices.Sorted(slices.Values(outer))) {
			t.Errorf("%+v: run %q, its command sees %q", c.opts, background.uid, next.environ)
		}
	}
}

// If the process that goes on cannot be started, or somebody asks for the end in the
// last moment, this run is the last: it prints the receipt that was left to that one.
func TestTheLastRunPrintsTheReceipt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hurried bool
		environ []string
		said    string
	}{
		"cannot be executed": {environ: []string{"A=\x00"}, said: "\nTry: ocr-run resume --env A=… some-uid\n"},
		"is not wanted":      {hurried: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
			if err != nil {
				t.Fatal(err)
			}
			defer stderr.Close()
			env := environment{
				stderr: stderr, environ: c.environ, clock: clock.System(), args: []string{"--auto-resume=1", "x"},
				lookup: func(string) (string, bool) { return "", false },
			}
			w := &wrapping{env: env, opts: runOptions{json: true, autoResume: 1}}
			view, to := render.Execution{UID: "some-uid", Given: []string{"A"}}, receiptTo{goesOn: true}
			w.receipt(view, to)
			w.stays(view, to, w.goOn("some-uid", resumption{}, func() bool { return c.hurried }))
			said, err := os.ReadFile(stderr.Name())
			if err != nil || strings.Count(string(said), `"uid": "some-uid"`) != 1 || !strings.HasSuffix(string(said), c.said) {
				t.Errorf("said %q, %v", said, err)
			}
			if c.hurried == strings.Contains(string(said), "Try:") {
				t.Errorf("said %q", said)
			}
		})
	}
}
