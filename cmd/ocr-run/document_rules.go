package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// What words a review's document may use.
func verdicts() []string   { return []string{"APPROVE", "REQUEST CHANGES", "NEEDS DISCUSSION"} }
func categories() []string { return []string{"blocker", "should_fix", "suggestion", "style"} }
func severities() []string { return []string{"critical", "high", "medium", "low", "info"} }

// roundTally is what the ledger keeps of a review's document.
type roundTally struct {
	Verdict           string `json:"verdict"`
	BlockerCount      int    `json:"blocker_count"`
	ShouldFixCount    int    `json:"should_fix_count"`
	SuggestionCount   int    `json:"suggestion_count"`
	ReviewerCount     int    `json:"reviewer_count"`
	TotalFindingCount int    `json:"total_finding_count"`
	Source            string `json:"source"`
}

// mapTally is what the ledger keeps of a map's document.
type mapTally struct {
	SectionCount int    `json:"section_count"`
	FileCount    int    `json:"file_count"`
	Source       string `json:"source"`
}

// fromDocument marks a tally that was made of a document.
const fromDocument = "orchestrator"

// roundSummary checks the document of a review round and tallies it. What is not
// checked is kept as it is.
func roundSummary(document []byte) ([]byte, error) {
	d, err := readDocument(document)
	if err != nil {
		return nil, err
	}
	t := roundTally{Verdict: strings.TrimSpace(d.text("verdict")), Source: fromDocument}
	if !slices.Contains(verdicts(), t.Verdict) {
		d.refuse("verdict", "%q is none of %q", t.Verdict, verdicts())
	}
	counts := map[string]int{}
	for _, r := range d.objects("reviewers") {
		t.ReviewerCount++
		r.text("type")
		r.number("instance")
		for _, f := range r.objects("findings") {
			t.TotalFindingCount++
			counts[f.finding()]++
		}
	}
	t.BlockerCount, t.ShouldFixCount, t.SuggestionCount = counts["blocker"], counts["should_fix"], counts["suggestion"]
	if d.has("synthesis_counts") {
		c := d.object("synthesis_counts")
		t.BlockerCount = c.atMost("blockers", t.BlockerCount)
		t.ShouldFixCount = c.atMost("should_fix", t.ShouldFixCount)
		t.SuggestionCount = c.atMost("suggestions", t.SuggestionCount)
	}
	switch {
	case t.Verdict == "APPROVE" && t.BlockerCount > 0:
		d.refuse("verdict", "APPROVE with %d blocker(s): it needs none", t.BlockerCount)
	case t.Verdict == "REQUEST CHANGES" && t.BlockerCount == 0:
		d.refuse("verdict", "REQUEST CHANGES without a blocker: it needs one")
	}
	return d.summary(t)
}

// mapSummary checks the document of a map run and tallies it.
func mapSummary(document []byte) ([]byte, error) {
	d, err := readDocument(document)
	if err != nil {
		return nil, err
	}
	t := mapTally{Source: fromDocument}
	for _, s := range d.objects("sections") {
		t.SectionCount++
		s.number("section_number")
		s.filled("title")
		for _, f := range s.objects("files") {
			t.FileCount++
			f.filled("file_path")
			f.text("role")
			f.number("lines_added")
			f.number("lines_deleted")
		}
	}
	if d.has("dependencies") {
		d.list("dependencies")
	}
	return d.summary(t)
}

// part is an object of a document, with the way to it. Its methods remember the
// first thing that is wrong anywhere in the document.
type part struct {
	fields map[string]any
	// path is where it is, with a dot at its end; empty for the document itself.
	path string
	// wrong is the document's.
	wrong *error
}

// readDocument reads a JSON object of version 1. A document that names no
// version is one.
func readDocument(document []byte) (part, error) {
	d := part{wrong: new(error)}
	if err := json.Unmarshal(document, &d.fields); err != nil {
		return d, fmt.Errorf("not a JSON object: %w", err)
	}
	if d.fields == nil {
		return d, errors.New("not a JSON object: null")
	}
	if v := d.fields["schema_version"]; d.has("schema_version") && v != 1.0 {
		d.refuse("schema_version", "%v is not supported: want 1", v)
	}
	return d, nil
}

// summary is a tally as JSON, or what is wrong with the document.
func (p part) summary(tally any) ([]byte, error) {
	if *p.wrong != nil {
		return nil, *p.wrong
	}
	return json.Marshal(tally)
}

// refuse remembers what is wrong with a field.
func (p part) refuse(key, format string, args ...any) {
	if *p.wrong == nil {
		*p.wrong = fmt.Errorf("%s%s: %w", p.path, key, fmt.Errorf(format, args...))
	}
}

// has says whether a field is there.
func (p part) has(key string) bool {
	_, ok := p.fields[key]
	return ok
}

// text is a field that must be a string.
func (p part) text(key string) string {
	s, ok := p.fields[key].(string)
	if !ok {
		p.refuse(key, "must be a string")
	}
	return s
}

// filled is a string that is not blank.
func (p part) filled(key string) {
	if strings.TrimSpace(p.text(key)) == "" {
		p.refuse(key, "must not be empty")
	}
}

// word is a string out of a list.
func (p part) word(key string, allowed []string) string {
	s := p.text(key)
	if !slices.Contains(allowed, s) {
		p.refuse(key, "%q is none of %q", s, allowed)
	}
	return s
}

// number is a field that must be a number.
func (p part) number(key string) float64 {
	n, ok := p.fields[key].(float64)
	if !ok {
		p.refuse(key, "must be a number")
	}
	return n
}

// atMost is a count without duplicates, which cannot exceed the one with them.
func (p part) atMost(key string, most int) int {
	n := p.number(key)
	switch {
	case n < 0 || n != math.Trunc(n):
		p.refuse(key, "%v is no count", n)
	case n > float64(most):
		p.refuse(key, "%v exceeds the %d there are", n, most)
	}
	return int(n)
}

// list is a field that must be an array.
func (p part) list(key string) []any {
	l, ok := p.fields[key].([]any)
	if !ok {
		p.refuse(key, "must be an array")
	}
	return l
}

// object is a field that must be an object.
func (p part) object(key string) part {
	fields, ok := p.fields[key].(map[string]any)
	if !ok {
		p.refuse(key, "must be an object")
	}
	return part{fields: fields, path: p.path + key + ".", wrong: p.wrong}
}

// objects is a field that must be an array of objects.
func (p part) objects(key string) []part {
	var all []part
	for i, v := range p.list(key) {
		at := fmt.Sprintf("%s[%d]", key, i)
		fields, ok := v.(map[string]any)
		if !ok {
			p.refuse(at, "must be an object")
		}
		all = append(all, part{fields: fields, path: p.path + at + ".", wrong: p.wrong})
	}
	return all
}

// finding checks a reviewer's finding and gives its category.
func (p part) finding() string {
	p.filled("title")
	category := p.word("category", categories())
	p.word("severity", severities())
	p.text("summary")
	if p.has("file_path") {
		p.text("file_path")
	}
	for _, key := range []string{"line_start", "line_end"} {
		if p.has(key) {
			p.number(key)
		}
	}
	if p.has("flagged_by") {
		p.list("flagged_by")
	}
	return category
}
