package render

import (
	"fmt"
	"strings"
)

// Receipt is the end of a run for the person who waited for it: one line when
// all is well, and what they need to know when it is not.
func Receipt(s Style, e Execution) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ocr-run: %s%s\n", verdict(s, e), headline(s, e))
	if e.Outcome == "success" && len(e.Leftovers.Remaining)+len(e.Leftovers.Kept) == 0 {
		return b.String()
	}
	lines := []line{{"work", workText(e.Workflow)}}
	if e.Outcome == "incomplete" {
		lines = append(lines, line{"process", processText(e) + ", which says nothing about the work"})
	}
	lines = append(lines, line{"turn", turnText(e.Turn)}, line{"attempts", attemptsText(Style{}, e)})
	lines = append(lines, evidenceLines(Style{}, e.Evidence)...)
	lines = append(lines, leftoverLines(e.Leftovers)...)
	lines = append(lines, line{"next", nextText(e)})
	writeLines(&b, s, lines)
	return b.String()
}

// headline is what follows the verdict on the first line: the end, the time, the
// work that is complete, the leftovers that are gone, the name to ask by.
func headline(s Style, e Execution) string {
	var parts []string
	if e.Outcome != "success" && e.Outcome != "incomplete" {
		parts = append(parts, processText(e))
	}
	if e.Workflow != nil && e.Workflow.Completeness == "complete" {
		parts = append(parts, "work complete")
	}
	parts = append(parts, timeText(e))
	if n := len(e.Attempts); n > 0 {
		parts = append(parts, "attempt "+number(n+1))
	}
	if n := len(e.Leftovers.Stopped); n > 0 {
		word := "processes"
		if n == 1 {
			word = "process"
		}
		parts = append(parts, fmt.Sprintf("%d leftover %s stopped", n, word))
	}
	if e.Recording == "degraded" {
		parts = append(parts, "recording degraded")
	}
	parts = append(parts, "show "+ShortUID(e.UID))
	return s.paint(dim, " · "+strings.Join(parts, " · "))
}
