package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page has everything that can be asked for, and of roff only what is meant.
func TestManPage(t *testing.T) {
	t.Parallel()
	page := manPage()
	macro := regexp.MustCompile(`^\.(TH|SH|SS|TP|B|PP|nf|fi|RS|RE|br)( |$)`)
	for line := range strings.Lines(page) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || strings.HasPrefix(line, "'") || line[0] == '.' && !macro.MatchString(line) {
			t.Errorf("line %q", line)
		}
	}
	for _, v := range verbs() {
		if !strings.Contains(page, ".SS \"ocr\\-run "+roffText(v.name)+"\"\n") {
			t.Errorf("%s is missing", v.name)
		}
		for _, f := range slices.Concat(v.flags, wrapFlags()) {
			if !strings.Contains(page, ".B "+roffText(f.synopsis())+"\n") {
				t.Errorf("%s of %s is missing", f.name, v.name)
			}
		}
	}
}

func TestRoffText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":              "",
		".ocr/sessions": `\&.ocr/sessions`,
		"'a' --b":       `\(aqa\(aq \-\-b`,
		`a\b "c"`:       `a\eb \(dqc\(dq`,
		"~/x ^C `y`":    `\(ti/x \(haC \(gay\(ga`,
	} {
		if got := roffText(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
