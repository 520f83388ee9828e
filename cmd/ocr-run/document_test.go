package main

import (
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// reviewed is a review's document with the findings given, each a category.
func reviewed(verdict, counts string, categories ...string) string {
	findings := make([]string, len(categories))
	for i, c := range categories {
		findings[i] = `{"title":"t","category":"` + c + `","severity":"low","summary":""}`
	}
	return `{"schema_version":1,"verdict":"` + verdict + `","reviewers":[{"type":"principal","instance":1,"findings":[` +
		strings.Join(findings, ",") + `]}]` + counts + `}`
}

func TestRoundSummary(t *testing.T) {
	t.Parallel()
	finding := func(rest string) string {
		return `{"verdict":"APPROVE","reviewers":[{"type":"a","instance":1,"findings":[{"title":"t"` + rest + `}]}]}`
	}
	const complete = `,"category":"style","severity":"info","summary":""`
	tests := []struct{ name, document, want, wrong string }{
		{
			"tally", reviewed("REQUEST CHANGES", "", "blocker", "style", "blocker", "should_fix", "suggestion"),
			`{"verdict":"REQUEST CHANGES","blocker_count":2,"should_fix_count":1,"suggestion_count":1,"reviewer_count":1,"total_finding_count":5,"source":"orchestrator"}`, "",
		},
		{
			"counts without duplicates win", reviewed("APPROVE", `,"synthesis_counts":{"blockers":0,"should_fix":1,"suggestions":0}`, "blocker", "should_fix"),
			`{"verdict":"APPROVE","blocker_count":0,"should_fix_count":1,"suggestion_count":0,"reviewer_count":1,"total_finding_count":2,"source":"orchestrator"}`, "",
		},
		{
			"no findings, and a blank about the verdict", `{"verdict":" NEEDS DISCUSSION\n","reviewers":[]}`,
			`{"verdict":"NEEDS DISCUSSION","blocker_count":0,"should_fix_count":0,"suggestion_count":0,"reviewer_count":0,"total_finding_count":0,"source":"orchestrator"}`, "",
		},
		{"other verdict", reviewed("approve", ""), "", "verdict: "},
		{"no verdict", `{"reviewers":[]}`, "", "verdict: must be a string"},
		{"verdict of another case", `{"Verdict":"APPROVE","reviewers":[]}`, "", "verdict: must be a string"},
		{"verdict against the findings", reviewed("APPROVE", "", "blocker"), "", "APPROVE with 1 blocker"},
		{"verdict without a finding", reviewed("REQUEST CHANGES", "", "style"), "", "REQUEST CHANGES without a blocker"},
		{"other version", `{"schema_version":2,"verdict":"APPROVE","reviewers":[]}`, "", "schema_version: 2 is not supported"},
		{"version of another type", `{"schema_version":"1","verdict":"APPROVE","reviewers":[]}`, "", "schema_version: "},
		{"version null", `{"schema_version":null,"verdict":"APPROVE","reviewers":[]}`, "", "schema_version: "},
		{"no reviewers", `{"verdict":"APPROVE"}`, "", "reviewers: must be an array"},
		{"reviewers of another shape", `{"verdict":"APPROVE","reviewers":3}`, "", "reviewers: must be an array"},
		{"a reviewer of another shape", `{"verdict":"APPROVE","reviewers":["principal"]}`, "", "reviewers[0]: must be an object"},
		{"a reviewer without a type", `{"verdict":"APPROVE","reviewers":[{"instance":1,"findings":[]}]}`, "", "reviewers[0].type: "},
		{"a reviewer without a number", `{"verdict":"APPROVE","reviewers":[{"type":"a","instance":"1","findings":[]}]}`, "", "reviewers[0].instance: "},
		{"a reviewer without findings", `{"verdict":"APPROVE","reviewers":[{"type":"a","instance":1}]}`, "", "reviewers[0].findings: "},
		{"a finding of another shape", `{"verdict":"APPROVE","reviewers":[{"type":"a","instance":1,"findings":[null]}]}`, "", "reviewers[0].findings[0]: must be an object"},
		{"a finding without a title", `{"verdict":"APPROVE","reviewers":[{"type":"a","instance":1,"findings":[{"title":" "` + complete + `}]}]}`, "", "findings[0].title: must not be empty"},
		{"a category of another kind", finding(`,"category":"nit","severity":"low","summary":""`), "", `findings[0].category: "nit" is none of`},
		{"a severity of another kind", finding(`,"category":"style","severity":"bad","summary":""`), "", `findings[0].severity: "bad" is none of`},
		{"a finding without a summary", finding(`,"category":"style","severity":"low"`), "", "findings[0].summary: "},
		{"a line that is no number", finding(complete + `,"line_start":"3"`), "", "line_start: must be a number"},
		{"a file that is no text", finding(complete + `,"file_path":3`), "", "file_path: must be a string"},
		{"flagged by nobody", finding(complete + `,"flagged_by":"x"`), "", "flagged_by: must be an array"},
		{"counts of another shape", reviewed("APPROVE", `,"synthesis_counts":[]`), "", "synthesis_counts: must be an object"},
		{"a count is missing", reviewed("APPROVE", `,"synthesis_counts":{"blockers":0}`), "", "synthesis_counts.should_fix: must be a number"},
		{"a negative count", reviewed("APPROVE", `,"synthesis_counts":{"blockers":-1,"should_fix":0,"suggestions":0}`), "", "-1 is no count"},
		{"half a blocker", reviewed("APPROVE", `,"synthesis_counts":{"blockers":0.5,"should_fix":0,"suggestions":0}`, "blocker"), "", "0.5 is no count"},
		{"more than there are", reviewed("APPROVE", `,"synthesis_counts":{"blockers":0,"should_fix":0,"suggestions":2}`, "suggestion"), "", "2 exceeds the 1 there are"},
		{"no object", `[]`, "", "not a JSON object"},
		{"null", `null`, "", "not a JSON object: null"},
		{"broken", `{"verdict":`, "", "not a JSON object"},
		{"two objects", `{"verdict":"APPROVE","reviewers":[]}{}`, "", "not a JSON object"},
		{"nothing", ``, "", "not a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkSummary(t, roundSummary, tt.document, tt.want, tt.wrong)
		})
	}
}

// checkSummary checks what a document is tallied to, or what is wrong with it.
func checkSummary(t *testing.T, summary func([]byte) ([]byte, error), document, want, wrong string) {
	t.Helper()
	got, err := summary([]byte(document))
	if string(got) != want {
		t.Errorf("%s\ngives %s\nwant  %s", document, got, want)
	}
	if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
		t.Errorf("%s\ngives the error %v, want %q", document, err, wrong)
	}
}

func TestMapSummary(t *testing.T) {
	t.Parallel()
	section := func(files string) string {
		return `{"schema_version":1,"sections":[{"section_number":1,"title":"Core","files":[` + files + `]}]}`
	}
	const file = `{"file_path":"a.go","role":"entry","lines_added":1,"lines_deleted":0}`
	tests := []struct{ name, document, want, wrong string }{
		{"tally", section(file + "," + file), `{"section_count":1,"file_count":2,"source":"orchestrator"}`, ""},
		{"nothing in it", `{"sections":[],"dependencies":[]}`, `{"section_count":0,"file_count":0,"source":"orchestrator"}`, ""},
		{"no sections", `{}`, "", "sections: must be an array"},
		{"other version", `{"schema_version":0,"sections":[]}`, "", "schema_version: "},
		{"a section without a number", `{"sections":[{"title":"t","files":[]}]}`, "", "sections[0].section_number: "},
		{"a section without a title", `{"sections":[{"section_number":1,"title":"","files":[]}]}`, "", "sections[0].title: must not be empty"},
		{"a section without files", `{"sections":[{"section_number":1,"title":"t"}]}`, "", "sections[0].files: "},
		{"a file without a path", section(`{"role":"r","lines_added":1,"lines_deleted":0}`), "", "files[0].file_path: "},
		{"a file without a role", section(`{"file_path":"a","lines_added":1,"lines_deleted":0}`), "", "files[0].role: "},
		{"a file without counts", section(`{"file_path":"a","role":"r","lines_added":"1","lines_deleted":0}`), "", "files[0].lines_added: "},
		{"dependencies of another shape", `{"sections":[],"dependencies":{}}`, "", "dependencies: must be an array"},
		{"null", `null`, "", "not a JSON object: null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkSummary(t, mapSummary, tt.document, tt.want, tt.wrong)
		})
	}
}

func TestNextFor(t *testing.T) {
	t.Parallel()
	const running, succeeded, failed = lifecycle.WorkflowRunning, lifecycle.WorkflowSucceeded, lifecycle.WorkflowFailed
	tests := []struct {
		name   string
		w      store.Workflow
		others int
		want   nextAction
	}{
		{"complete", store.Workflow{Status: succeeded, HasArtifact: true}, 0, nextNone},
		{"given up", store.Workflow{Status: failed}, 0, nextReopen},
		{"given up, somebody still ending", store.Workflow{Status: failed, InFlight: 1}, 1, nextReopen},
		{"others at work", store.Workflow{Status: running, InFlight: 2, Phase: "analysis"}, 2, nextWait},
		{"others at work beside the asker", store.Workflow{Status: running, InFlight: 2, Phase: "analysis"}, 1, nextWait},
		{"others at work, complete", store.Workflow{Status: running, InFlight: 1, HasArtifact: true}, 1, nextWait},
		{"asker alone at work", store.Workflow{Status: running, InFlight: 1, Phase: "analysis"}, 0, nextAdvance},
		{"asker alone at the end", store.Workflow{Status: running, InFlight: 1, Phase: "synthesis"}, 0, nextCompleteRound},
		{"asker alone, complete", store.Workflow{Status: running, InFlight: 1, HasArtifact: true, Phase: "complete"}, 0, nextFinish},
		{"round complete", store.Workflow{Status: running, HasArtifact: true, Phase: "complete"}, 0, nextFinish},
		{"nobody at work", store.Workflow{Status: running, Phase: "reviews"}, 0, nextForward},
		{"nobody at work at the end", store.Workflow{Status: running, Phase: "synthesis"}, 0, nextForward},
	}
	for _, tt := range tests {
		tt.w.Kind = lifecycle.KindReview
		if got := nextFor(tt.w, tt.others); got != tt.want {
			t.Errorf("%s: nextFor() = %s, want %s", tt.name, got, tt.want)
		}
		if nextFor(tt.w, tt.others).advice(tt.w) == "" {
			t.Errorf("%s: no advice", tt.name)
		}
	}
}
