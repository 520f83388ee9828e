package render

import (
	"cmp"
	"fmt"
	"strings"
)

// FlowTable is the table of flows; empty without any.
func FlowTable(s Style, all []Flow) string {
	if len(all) == 0 {
		return ""
	}
	rows := make([][]cell, 0, len(all))
	for _, f := range all {
		rows = append(rows, []cell{
			{ShortFlow(f.ID), plain},
			{clockTime(&f.CreatedAt), plain},
			{f.Status, statusColor(f.Status)},
			{f.Outcome, outcomeColor(f.Outcome)},
			{cmp.Or(counts(f.Runs), "none"), plain},
			{orDash(f.Workspace), dim},
			{orDash(f.Goal), plain},
		})
	}
	return table(s, []string{"FLOW", "CREATED (UTC)", "STATUS", "OUTCOME", "RUNS", "WORKSPACE", "GOAL"}, rows)
}

// FlowText is everything about one flow, for a person, without its runs.
func FlowText(s Style, f Flow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", s.paint(bold, Plain(f.ID)), flowState(s, f))
	writeLines(&b, s, []line{
		{"goal", Plain(value(f.Goal))},
		{"owner", Plain(f.Owner)},
		{"workspace", Plain(value(f.Workspace))},
		{"why", whyText(f)},
		{"since", moment(s, f.ChangedAt)},
		{"created", moment(s, &f.CreatedAt)},
		{"cancelled", moment(s, f.CancelRequestedAt)},
		{"ended", moment(s, f.EndedAt)},
		{"limit", limitText(f)},
		{"revision", number(int(f.Revision))},
		{"runs", cmp.Or(counts(f.Runs), "none")},
	})
	return b.String()
}

// FlowLine is a flow in one line: what the verbs that change it answer.
func FlowLine(s Style, f Flow) string {
	return s.paint(bold, Plain(f.ID)) + "  " + flowState(s, f) + ": " + runsText(f) + "\n"
}

// FlowCancelledText is the answer for a person.
func FlowCancelledText(s Style, c FlowCancelled) string {
	var b strings.Builder
	if c.Flow != nil {
		fmt.Fprintf(&b, "%s  %s: %s\n", s.paint(bold, Plain(ShortFlow(c.Flow.ID))), c.Result, stopping(c))
	}
	for _, r := range c.Runs {
		if r.State == "unreachable" {
			fmt.Fprintf(&b, "  %s runs where it cannot be reached from here; it learns of it when its wrapper next looks\n", r.UID)
		}
	}
	if len(c.Processes) > 0 {
		b.WriteString(Reap(s, Reaping{Processes: c.Processes}))
	}
	return b.String()
}

// stopping says what was done about the runs.
func stopping(c FlowCancelled) string {
	if len(c.Runs) == 0 {
		return "nothing of it ran; it is " + c.Flow.Status
	}
	have := map[string]int{}
	for _, r := range c.Runs {
		have[r.State]++
	}
	var parts []string
	for _, p := range []struct{ state, text string }{
		{"woken", "told"}, {"asked", "asked at their next heartbeat"}, {"ended", "ended meanwhile"}, {"settled", "found dead and settled"}, {"unreachable", "out of reach"},
	} {
		if n := have[p.state]; n > 0 {
			parts = append(parts, number(n)+" "+p.text)
		}
	}
	return number(len(c.Runs)) + " of its runs had not ended (" + strings.Join(parts, ", ") + "); it is " + c.Flow.Status
}

// flowState is status and outcome, as in "succeeded, incomplete (child-failed)".
func flowState(s Style, f Flow) string {
	text := s.paint(statusColor(f.Status), f.Status)
	if f.CancelRequestedAt != nil && f.EndedAt == nil {
		text += s.paint(yellow, ", cancel requested")
	}
	if f.EndedAt != nil {
		text += ", " + judged(s, f.Outcome, f.Cause)
	}
	return text
}

// whyText is why it is in its state.
func whyText(f Flow) string {
	text := strings.ReplaceAll(value(f.Why), "_", " ")
	if f.Detail != nil {
		text += ": " + Plain(*f.Detail)
	}
	return text
}

// limitText is how many runs may go on at once.
func limitText(f Flow) string {
	if f.MaxParallel == nil {
		return ""
	}
	return number(*f.MaxParallel) + " at once"
}

// runsText is the runs of a flow in words.
func runsText(f Flow) string {
	if f.EndedAt == nil {
		return cmp.Or(counts(f.Runs), "no runs yet")
	}
	return cmp.Or(counts(f.Runs), "no runs")
}

// counts are the runs in words; zero ones are left out, and without any it is empty.
func counts(c FlowCounts) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.Running, "running"},
		{c.Queued, "queued"},
		{c.Success, "success"},
		{c.Incomplete, "incomplete"},
		{c.Failed, "failed"},
		{c.Cancelled, "cancelled"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

// statusColor is the colour of a flow's status.
func statusColor(status string) color {
	switch status {
	case "running", "queued":
		return cyan
	case "waiting", "blocked":
		return yellow
	case "succeeded":
		return green
	case "failed", "lost":
		return red
	case "cancelled":
		return dim
	default:
		return plain
	}
}

// ShortFlow is the form of a flow's id that tables show: that of a uid, if it was
// made by us; a name somebody gave is kept.
func ShortFlow(id string) string {
	const uuid = 36
	if len(id) == uuid && strings.Count(id, "-") == 4 {
		return ShortUID(id)
	}
	return id
}

// FlowRunText says of a run that was left to the background where it is.
func FlowRunText(s Style, r FlowRun) string {
	text := "runs in the background"
	if r.Execution.queued() {
		text = "waits for its turn in the background"
	}
	text = s.paint(bold, ShortUID(r.Execution.UID)) + "  " + text
	if r.Log != nil {
		text += "; its output goes to " + Plain(*r.Log)
	}
	return text + "\n"
}
