package render

import "strings"

// nextText is what a person would do now; empty when nothing is left to do.
func nextText(e Execution) string {
	switch {
	case e.Outcome == "running" || e.Outcome == "success":
		return ""
	case e.Successor != nil && e.Successor.Outcome == "success":
		return ""
	case e.Successor != nil: // the work is where that one left it
		return CommandLine([]string{"ocr-run", "show", ShortUID(e.Successor.UID)})
	case e.Resume != nil:
		return goOnText(e)
	case e.Workflow != nil && e.Workflow.ID != "" && e.Workflow.Completeness != "complete" && !gone(e.Workflow):
		return CommandLine([]string{"ocr-run", "state", "status", "--session-id", e.Workflow.ID})
	case e.Outcome == "incomplete", value(e.Cause) == "orphaned":
		return "run it again: " + Again(e)
	default:
		return ""
	}
}

// gone says whether a workflow stood in a ledger that is lost: nobody can be asked for it.
func gone(w *Workflow) bool { return w.Source == sourceLedger && w.Completeness == "unreadable" }

// goOnText is how the agent's session is continued, after what stands in the way.
func goOnText(e Execution) string {
	text := CommandLine(e.Resume.Command)
	if e.Source == sourceLedger {
		text = Continue(e) + ", which runs " + text
	}
	switch value(e.Cause) {
	case "auth":
		return "log in again, then " + text
	case "limited":
		return "once the limit has ended (--at WHEN waits for that): " + text
	default:
		return text
	}
}

// Continue is how a person has us continue a run.
func Continue(e Execution) string {
	return "ocr-run resume" + givenText(e.Given) + " " + ShortUID(e.UID)
}

// Again is how a person runs the command of a run once more.
func Again(e Execution) string {
	words := e.Again
	if len(words) == 0 {
		words = []string{"ocr-run"}
	}
	return CommandLine(words) + givenText(e.Given) + " -- " + CommandLine(e.Command)
}

// givenText are the variables to give once more, with a gap where the value belongs.
func givenText(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(" --env " + CommandLine([]string{name}) + "=…")
	}
	return b.String()
}
