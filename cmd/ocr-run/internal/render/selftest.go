package render

import (
	"fmt"
	"strings"
	"time"
)

// Selftest is what a fault drill has shown.
type Selftest struct {
	SchemaVersion int `json:"schema_version"`
	Passed        int `json:"passed"`
	Failed        int `json:"failed"`
	Skipped       int `json:"skipped"`
	// Complete is false when it was interrupted before its end.
	Complete   bool  `json:"complete"`
	DurationMS int64 `json:"duration_ms"`
	// Kept is the directory that was left for looking at.
	Kept  *string        `json:"kept"`
	Steps []SelftestStep `json:"steps"`
}

// SelftestStep is one fault and how it was borne.
type SelftestStep struct {
	Name string `json:"name"`
	// Verdict is passed, failed or skipped.
	Verdict string `json:"verdict"`
	// Detail is what was seen, or why it failed or was skipped.
	Detail     string `json:"detail"`
	DurationMS int64  `json:"duration_ms"`
}

// SelftestJSON is the object with no list left null.
func SelftestJSON(t Selftest) ([]byte, error) {
	t.SchemaVersion, t.Steps = SchemaVersion, orEmpty(t.Steps)
	return indented(t)
}

// selftestName is how wide the names of steps are.
const selftestName = 22

// SelftestLine is one step for a person.
func SelftestLine(s Style, step SelftestStep) string {
	c := green
	switch step.Verdict {
	case "failed":
		c = red
	case "skipped":
		c = yellow
	}
	took := fmt.Sprintf("%5.1fs", float64(step.DurationMS)/1000)
	return s.paint(c, pad(step.Verdict, 9)) + pad(step.Name, selftestName) + took + "  " + Plain(step.Detail) + "\n"
}

// SelftestSummary is how it ended, on a line of its own.
func SelftestSummary(t Selftest) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d passed, %d failed, %d skipped in %s", t.Passed, t.Failed, t.Skipped, Span(time.Duration(t.DurationMS)*time.Millisecond))
	if !t.Complete {
		b.WriteString("; interrupted")
	}
	if t.Kept == nil {
		b.WriteString("; nothing is left of it\n")
	} else {
		b.WriteString("; kept in " + Plain(*t.Kept) + "\n")
	}
	return b.String()
}
