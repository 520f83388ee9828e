package main

import (
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

func TestRoundSummary(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, document, want string }{
		{
			"tally", `{"verdict":"REQUEST CHANGES","reviewers":[{"findings":[{"category":"blocker"},{"category":"style"}]},{"findings":[{"category":"blocker"},{"category":"should_fix"},{"category":"suggestion"}]}]}`,
			`{"verdict":"REQUEST CHANGES","blocker_count":2,"should_fix_count":1,"suggestion_count":1,"reviewer_count":2,"total_finding_count":5,"source":"orchestrator"}`,
		},
		{
			"counts without duplicates win, each by itself", `{"verdict":"APPROVE","reviewers":[{"findings":[{"category":"blocker"},{"category":"should_fix"}]}],"synthesis_counts":{"blockers":0}}`,
			`{"verdict":"APPROVE","blocker_count":0,"should_fix_count":1,"suggestion_count":0,"reviewer_count":1,"total_finding_count":2,"source":"orchestrator"}`,
		},
		{
			"verdict alone", `{"verdict":"NEEDS DISCUSSION"}`,
			`{"verdict":"NEEDS DISCUSSION","blocker_count":0,"should_fix_count":0,"suggestion_count":0,"reviewer_count":0,"total_finding_count":0,"source":"orchestrator"}`,
		},
		{"other verdict", `{"verdict":"approve"}`, ""},
		{"no verdict", `{}`, ""},
		{"no object", `[]`, ""},
		{"null", `null`, ""},
		{"broken", `{"verdict":`, ""},
		{"two objects", `{"verdict":"APPROVE"}{}`, ""},
		{"nothing", ``, ""},
		{"reviewers of another shape", `{"verdict":"APPROVE","reviewers":3}`, ""},
		{"negative", `{"verdict":"APPROVE","synthesis_counts":{"blockers":-1}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := roundSummary([]byte(tt.document))
			if string(got) != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("roundSummary() = %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestNextFor(t *testing.T) {
	t.Parallel()
	const running, succeeded, failed = lifecycle.WorkflowRunning, lifecycle.WorkflowSucceeded, lifecycle.WorkflowFailed
	tests := []struct {
		name string
		w    store.Workflow
		sole bool
		want nextAction
	}{
		{"complete", store.Workflow{Status: succeeded, HasArtifact: true}, false, nextNone},
		{"given up", store.Workflow{Status: failed}, false, nextReopen},
		{"others at work", store.Workflow{Status: running, InFlight: 2, Phase: "analysis"}, false, nextWait},
		{"asker alone at work", store.Workflow{Status: running, InFlight: 1, Phase: "analysis"}, true, nextAdvance},
		{"asker alone at the end", store.Workflow{Status: running, InFlight: 1, Phase: "synthesis"}, true, nextCompleteRound},
		{"asker alone, complete", store.Workflow{Status: running, InFlight: 1, HasArtifact: true, Phase: "complete"}, true, nextFinish},
		{"round complete", store.Workflow{Status: running, HasArtifact: true, Phase: "complete"}, false, nextFinish},
		{"open", store.Workflow{Status: running, Phase: "reviews"}, false, nextAdvance},
	}
	for _, tt := range tests {
		tt.w.Kind = lifecycle.KindReview
		if got := nextFor(tt.w, tt.sole); got != tt.want {
			t.Errorf("%s: nextFor() = %s, want %s", tt.name, got, tt.want)
		}
		if nextFor(tt.w, tt.sole).advice(tt.w) == "" {
			t.Errorf("%s: no advice", tt.name)
		}
	}
}
