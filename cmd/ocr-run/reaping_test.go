package main

import (
	"errors"
	"testing"

	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// What the supervisor puts into an environment is what the reaper looks for there.
func TestMarkerNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{proc.EnvUID: supervisor.EnvUID, proc.EnvLineage: supervisor.EnvLineage} {
		if name != want {
			t.Errorf("%s is %s there", want, name)
		}
	}
}

// What the end of a run leaves alone is marked, and nothing else is.
func TestPolicyIsMarked(t *testing.T) {
	t.Parallel()
	for policy, want := range map[supervisor.LeftoverPolicy]string{
		supervisor.LeftoversStop: "", supervisor.LeftoversKeep: "outer/u", supervisor.LeftoversReport: "outer/u",
	} {
		w := &wrapping{uid: "u", env: environment{lookup: vars(map[string]string{proc.EnvKeep: "outer"})}}
		w.opts.leftovers = policy
		got := ""
		for _, kv := range w.childEnv() {
			if len(kv) > len(proc.EnvKeep) && kv[:len(proc.EnvKeep)+1] == proc.EnvKeep+"=" {
				got = kv[len(proc.EnvKeep)+1:]
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
	}
}

func TestKeptFrom(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"outside of a run": {nil, ""},
		"in a run":         {map[string]string{proc.EnvUID: "u", proc.EnvLineage: "r/u"}, "r/u"},
		"without lineage":  {map[string]string{proc.EnvUID: "u"}, "u"},
		"in a kept one":    {map[string]string{proc.EnvUID: "u", proc.EnvLineage: "r/u", proc.EnvKeep: "r"}, "r/r/u"},
	} {
		c := call{environment: environment{lookup: vars(tt.env)}}
		if got := c.keptFrom(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// A plan is asked about when it takes something away, and errors are told one by
// one.
func TestTakesAway(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		plan reaper.Plan
		want bool
	}{
		"nothing":       {reaper.Plan{}, false},
		"settles":       {reaper.Plan{Spooled: 1, Runs: []reaper.RunStep{{Action: reaper.ActionLose}}}, false},
		"only names":    {reaper.Plan{Processes: []reaper.ProcessStep{{Verdict: reaper.VerdictReport}, {Verdict: reaper.VerdictKeep}}}, false},
		"stops":         {reaper.Plan{Processes: []reaper.ProcessStep{{Verdict: reaper.VerdictStop}}}, true},
		"ends idle one": {reaper.Plan{Runs: []reaper.RunStep{{Action: reaper.ActionAsk}}}, true},
		"closes":        {reaper.Plan{Workflows: []reaper.WorkflowStep{{ID: "w"}}}, true},
		"forgets":       {reaper.Plan{Forget: store.Forgotten{Executions: 1}}, true},
	} {
		if got := takesAway(tt.plan); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	a, b := errors.New("a"), errors.New("b")
	if got := eachOf(errors.Join(a, errors.Join(b, nil))); len(got) != 2 || eachOf(nil) != nil {
		t.Errorf("%v", got)
	}
}
