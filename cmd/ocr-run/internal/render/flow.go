package render

import (
	"fmt"
	"strings"
)

// Flow is a managed parent of runs as the JSON contract shows it.
type Flow struct {
	SchemaVersion int     `json:"schema_version"`
	ID            string  `json:"id"`
	Goal          *string `json:"goal"`
	Owner         string  `json:"owner"`
	Workspace     *string `json:"workspace"`
	// Status is queued, running, waiting, blocked, succeeded, failed, cancelled or
	// lost.
	Status string `json:"status"`
	// Why is the reason of its last change, and Detail what was said with it.
	Why    *string `json:"why"`
	Detail *string `json:"detail"`
	// Outcome joins the status with what its runs amount to, Cause says why it is
	// what it is; null while it has not ended.
	Outcome           string     `json:"outcome"`
	Cause             *string    `json:"cause"`
	Revision          int64      `json:"revision"`
	MaxParallel       *int       `json:"max_parallel"`
	Runs              FlowCounts `json:"runs"`
	BegunByUID        *string    `json:"begun_by_uid"`
	ClosedByUID       *string    `json:"closed_by_uid"`
	CreatedAt         string     `json:"created_at"`
	ChangedAt         *string    `json:"changed_at"`
	CancelRequestedAt *string    `json:"cancel_requested_at"`
	EndedAt           *string    `json:"ended_at"`
}

// FlowCounts counts the runs of a flow. Each is counted once.
type FlowCounts struct {
	Queued     int `json:"queued"`
	Running    int `json:"running"`
	Success    int `json:"success"`
	Incomplete int `json:"incomplete"`
	Failed     int `json:"failed"`
	Cancelled  int `json:"cancelled"`
}

// total is all of them, over those that have ended.
func (c FlowCounts) total() int { return c.Queued + c.Running + c.over() }

// over is those that have ended.
func (c FlowCounts) over() int { return c.Success + c.Incomplete + c.Failed + c.Cancelled }

// FlowChanged is the answer to a change that was asked of a flow.
type FlowChanged struct {
	SchemaVersion int `json:"schema_version"`
	// Found: there is a workflow of that name. Applied: the change was made.
	Found   bool `json:"found"`
	Applied bool `json:"applied"`
	// Created: the flow was made by this.
	Created bool `json:"created"`
	// Reason is why it was not applied.
	Reason *string `json:"reason"`
	Flow   *Flow   `json:"flow"`
}

// FlowRun is the answer to a run that was asked for under a flow.
type FlowRun struct {
	SchemaVersion int `json:"schema_version"`
	// Found: there is a workflow of that name. Created: the run stands.
	Found   bool `json:"found"`
	Created bool `json:"created"`
	// Reason is why it does not.
	Reason    *string    `json:"reason"`
	Flow      *Flow      `json:"flow"`
	Execution *Execution `json:"execution"`
	// Log is where the output of one goes that was left to the background.
	Log *string `json:"log"`
}

// FlowCancelled is the answer to a request to cancel a flow.
type FlowCancelled struct {
	SchemaVersion int `json:"schema_version"`
	// Result is settled, accepted, already_terminal, not_found or refused.
	Result string `json:"result"`
	// Reason is why it was refused.
	Reason *string `json:"reason"`
	// Asked: it had been asked to end before.
	Asked     bool           `json:"asked_before"`
	Flow      *Flow          `json:"flow"`
	Runs      []FlowStopping `json:"runs"`
	Processes []OwnedProcess `json:"processes"`
}

// FlowStopping is a run that had not ended when its flow was cancelled.
type FlowStopping struct {
	UID string `json:"uid"`
	// State is woken, asked, ended, settled or unreachable.
	State string `json:"state"`
}

// FlowShown is a flow with the tree of its runs.
type FlowShown struct {
	SchemaVersion int    `json:"schema_version"`
	Flow          Flow   `json:"flow"`
	Tree          []Node `json:"tree"`
}

// flowList is the object that lists flows.
type flowList struct {
	SchemaVersion int    `json:"schema_version"`
	Flows         []Flow `json:"flows"`
}

// FlowsJSON is a list of flows.
func FlowsJSON(all []Flow) ([]byte, error) {
	return indented(flowList{SchemaVersion, orEmpty(all)})
}

// FlowCancelledJSON is the object with no list left null.
func FlowCancelledJSON(c FlowCancelled) ([]byte, error) {
	c.SchemaVersion, c.Runs, c.Processes = SchemaVersion, orEmpty(c.Runs), FilledProcesses(c.Processes)
	return indented(c)
}

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
			{counts(f.Runs), plain},
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
	for _, l := range []line{
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
		{"runs", counts(f.Runs)},
	} {
		if l.value != "" {
			fmt.Fprintf(&b, "  %s%s\n", s.paint(dim, pad(l.name, labelColumns)), l.value)
		}
	}
	return b.String()
}

// FlowLine is a flow in one line: what the verbs that change it answer.
func FlowLine(s Style, f Flow) string {
	return s.paint(bold, Plain(f.ID)) + "  " + flowState(s, f) + ": " + counts(f.Runs) + "\n"
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

// counts are the runs in words; zero ones are left out.
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
	if parts == nil {
		return "none"
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
