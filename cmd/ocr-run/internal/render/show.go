package render

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Show is everything about one run, for a person: both facts, what follows
// from them, the evidence, and the next step.
func Show(s Style, e Execution) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", s.paint(bold, e.UID), verdict(s, e))
	writeLines(&b, s, showLines(s, e))
	return b.String()
}

// labelColumns is the width of the labels; the longest is "resumed from".
const labelColumns = 14

// line is a label with its value; an empty value is not shown.
type line struct{ name, value string }

// writeLines writes the lines under a heading.
func writeLines(b *strings.Builder, s Style, lines []line) {
	for _, l := range lines {
		if l.value != "" {
			fmt.Fprintf(b, "  %s%s\n", s.paint(dim, pad(l.name, labelColumns)), l.value)
		}
	}
}

// showLines are the lines under the heading.
func showLines(s Style, e Execution) []line {
	lines := []line{
		{"command", CommandLine(e.Command)},
		{"name", Plain(value(e.Name))},
		{"workspace", Plain(value(e.Workspace))},
		{"agent", agentText(e)},
		{"parent", value(e.ParentUID)},
		{"flow", value(e.FlowID)},
		{"resumed from", value(e.ResumedFrom)},
		{"attempts", attemptsText(s, e)},
		{"continued by", successorText(s, e)},
		{"waits", waitText(e)},
		{"waits for you", moment(s, e.AwaitsUserSince)},
		{"process", processText(e)},
		{"work", workText(e.Workflow)},
	}
	lines = append(lines, lightLines(s, e)...)
	lines = append(lines, []line{
		{"started", moment(s, e.StartedAt)},
		{"ended", moment(s, e.EndedAt)},
		{"time", timeText(e)},
		{"heartbeat", heartbeatText(s, e)},
	}...)
	lines = append(lines, evidenceLines(s, e.Evidence)...)
	lines = append(lines, leftoverLines(e.Leftovers)...)
	if e.Recording == "degraded" {
		lines = append(lines, line{"recording", "degraded: the ledger could not be written for a while"})
	}
	return append(lines, line{"next", nextText(e)})
}

// attemptsText is how the runs before ended, and which one this is.
func attemptsText(s Style, e Execution) string {
	if len(e.Attempts) == 0 {
		return ""
	}
	parts := make([]string, 0, len(e.Attempts))
	for _, a := range e.Attempts {
		parts = append(parts, ShortUID(a.UID)+" "+judged(s, a.Outcome, a.Cause))
	}
	return "this is number " + number(len(e.Attempts)+1) + ", after " + strings.Join(parts, ", ")
}

// successorText is which run went on with the work and what came of it.
func successorText(s Style, e Execution) string {
	if e.Successor == nil {
		return ""
	}
	return ShortUID(e.Successor.UID) + " " + judged(s, e.Successor.Outcome, e.Successor.Cause)
}

// waitText is what a run waits for before its launch; empty when it does not wait.
func waitText(e Execution) string {
	if e.WaitsUntil == nil {
		return ""
	}
	if value(e.WaitsFor) == "limit" {
		return "limited until " + clockTime(e.WaitsUntil) + " UTC"
	}
	return "waits until " + clockTime(e.WaitsUntil) + " UTC"
}

// verdict is outcome and cause.
func verdict(s Style, e Execution) string { return judged(s, e.Outcome, e.Cause) }

// judged is an outcome with its cause.
func judged(s Style, outcome string, cause *string) string {
	text := s.paint(outcomeColor(outcome), outcome)
	if c := known(cause); c != nil {
		text += " (" + *c + ")"
	}
	return text
}

// known is a cause worth reading: that it is unknown tells a person nothing, and
// how the process ended stands beside it.
func known(cause *string) *string {
	if cause != nil && *cause == "unknown" {
		return nil
	}
	return cause
}

// agentText is the agent with the id of its session.
func agentText(e Execution) string {
	text := Plain(value(e.Agent))
	if e.AgentSessionID != nil {
		text = strings.TrimSpace(text + " session " + Plain(*e.AgentSessionID))
	}
	return text
}

// processText is the first fact: how the process ended.
func processText(e Execution) string {
	p := e.Process
	var text string
	switch p.End {
	case "exited":
		text = "exited " + optional(p.ExitCode)
	case "signalled":
		text = "died of " + signalName(p.Signal)
	case "lost":
		text = "lost: its wrapper vanished before it ended"
	case "not-started":
		text = "not started (" + optional(p.ExitCode) + ")"
	default:
		text = p.End
		if e.PID != nil {
			text += ", pid " + number(*e.PID)
		}
	}
	if p.CoreDumped {
		text += ", core dumped"
	}
	if p.StoppedBy != nil {
		text += ", stopped by " + *p.StoppedBy
	}
	return text
}

// workText is the second fact: how far the work got.
func workText(w *Workflow) string {
	if w == nil {
		return ""
	}
	if w.ID == "" {
		return w.Completeness // nobody knows of which
	}
	text := w.Kind + " " + w.ID
	if w.Round != nil {
		text += ", round " + number(*w.Round)
	}
	if w.Phase != nil {
		text += ", phase " + *w.Phase
	}
	return Plain(text + ": " + strings.ReplaceAll(w.Completeness, "_", " "))
}

// turnText is the last turn's state, empty when no turn is known.
func turnText(t Turn) string {
	if t.State == "none" {
		return ""
	}
	return t.State
}

// timeText is how long it ran, sleep apart.
func timeText(e Execution) string {
	if e.AwakeMS == nil {
		return ""
	}
	text := spanMS(*e.AwakeMS) + " awake"
	if e.SuspendedMS != nil && *e.SuspendedMS > 0 {
		text += ", " + spanMS(*e.SuspendedMS) + " asleep"
	}
	return text
}

// heartbeatText is how the wrapper of a run that has not ended is doing.
func heartbeatText(s Style, e Execution) string {
	if e.Liveness == "ended" {
		return ""
	}
	text := s.paint(livenessColor(e.Liveness), e.Liveness)
	if e.LastHeartbeatAt != nil {
		text += ", last beat " + moment(s, e.LastHeartbeatAt)
	}
	return text
}

// evidenceLines are the observations, one a line.
func evidenceLines(s Style, all []Evidence) []line {
	lines := make([]line, 0, len(all))
	for _, ev := range all {
		text := ev.Source + ": " + Plain(ev.Detail)
		if ev.At != nil {
			text += s.paint(dim, " at "+*ev.At)
		}
		lines = append(lines, line{"evidence", text})
	}
	return lines
}

// leftoverLines are the leftovers, one a line.
func leftoverLines(l Leftovers) []line {
	var lines []line
	add := func(verb string, all []Leftover) {
		for _, p := range all {
			text := verb + " " + number(p.PID)
			if p.Command != nil {
				text += " " + Plain(*p.Command)
			}
			if p.Signal != nil {
				text += " (" + *p.Signal + ")"
			}
			if p.Reason != nil {
				text += ": " + Plain(*p.Reason)
			}
			lines = append(lines, line{"leftover", text})
		}
	}
	add("stopped", l.Stopped)
	add("kept", l.Kept)
	add("remaining", l.Remaining)
	return lines
}

// endText is the end of a process in a table: its code, or its signal.
func endText(p Process) string {
	switch {
	case p.ExitCode != nil:
		return number(*p.ExitCode)
	case p.Signal != nil:
		return signalName(p.Signal)
	default:
		return p.End
	}
}

// moment is an instant with its age.
func moment(s Style, at *string) string {
	if at == nil {
		return ""
	}
	t, err := time.Parse(time.RFC3339, *at)
	if err != nil || s.NowMS == 0 || t.UnixMilli() > s.NowMS {
		return *at
	}
	return *at + s.paint(dim, " ("+spanMS(s.NowMS-t.UnixMilli())+" ago)")
}

// clockTime is an instant in a table, to the second.
func clockTime(at *string) string {
	if at == nil {
		return "-"
	}
	t, err := time.Parse(time.RFC3339, *at)
	if err != nil {
		return Plain(*at)
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// since is a length of time in a table.
func since(ms *int64) string {
	if ms == nil {
		return "-"
	}
	return spanMS(*ms)
}

// orDash is the first of several texts that is there, else a dash.
func orDash(texts ...*string) string {
	for _, t := range texts {
		if t != nil {
			return Plain(*t)
		}
	}
	return "-"
}

// value is a text that may be absent.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// signalName is a signal as people know it, as in SIGTERM, else its number.
func signalName(n *int) string {
	if n == nil {
		return "an unknown signal"
	}
	if name := unix.SignalName(syscall.Signal(*n)); name != "" {
		return name
	}
	return "signal " + number(*n)
}

// optional is a number that may be absent.
func optional(n *int) string {
	if n == nil {
		return "?"
	}
	return number(*n)
}

// number is an integer as text.
func number(n int) string { return strconv.Itoa(n) }
