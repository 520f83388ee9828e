package render

import (
	"slices"
	"strconv"
	"strings"
)

// Reaping is a plan of the reaper, or what became of it.
type Reaping struct {
	SchemaVersion int `json:"schema_version"`
	// DryRun: it is a plan, and nothing was done.
	DryRun    bool           `json:"dry_run"`
	Spool     ReapedSpool    `json:"spool"`
	Runs      []ReapedRun    `json:"runs"`
	Processes []OwnedProcess `json:"processes"`
	Workflows []ReapedFlow   `json:"workflows"`
	History   ReapedHistory  `json:"history"`
	// Errors are what went wrong, each on its own; the rest was done.
	Errors []string `json:"errors"`
}

// ReapedSpool is what waited for the ledger.
type ReapedSpool struct {
	// Waiting runs had facts in the spool, Ingested facts were taken in.
	Waiting  int `json:"waiting"`
	Ingested int `json:"ingested"`
}

// ReapedRun is a row that is given its end, or a run that is asked to end.
type ReapedRun struct {
	UID string `json:"uid"`
	// Action is recover, lose or ask.
	Action string `json:"action"`
	Reason string `json:"reason"`
	Done   bool   `json:"done"`
}

// OwnedProcess is a process with what the reaper makes of it.
type OwnedProcess struct {
	PID     int    `json:"pid"`
	UID     string `json:"uid"`
	Command string `json:"command"`
	// Action is stop, keep or report.
	Action string `json:"action"`
	// Proofs are those that hold, the strongest first.
	Proofs []string `json:"proofs"`
	Reason string   `json:"reason"`
	Done   bool     `json:"done"`
	// Signal is what ended it, as in SIGTERM.
	Signal *string `json:"signal"`
}

// ReapedFlow is a workflow that is closed as stale.
type ReapedFlow struct {
	ID        string `json:"id"`
	Workspace string `json:"workspace"`
	Reason    string `json:"reason"`
	Done      bool   `json:"done"`
}

// ReapedHistory is how much history is forgotten.
type ReapedHistory struct {
	Runs      int `json:"runs"`
	Workflows int `json:"workflows"`
}

// ReapingJSON is the object with no list left null.
func ReapingJSON(r Reaping) ([]byte, error) {
	r.SchemaVersion = SchemaVersion
	r.Runs, r.Workflows, r.Errors = orEmpty(r.Runs), orEmpty(r.Workflows), orEmpty(r.Errors)
	r.Processes = FilledProcesses(r.Processes)
	return indented(r)
}

// FilledProcesses are processes with no list left null.
func FilledProcesses(all []OwnedProcess) []OwnedProcess {
	all = orEmpty(all)
	for i := range all {
		all[i].Proofs = orEmpty(all[i].Proofs)
	}
	return all
}

// Reap is a plan, or what became of it, for a person; one line when there is
// nothing to do.
func Reap(s Style, r Reaping) string {
	rows := reapRows(r)
	if len(rows) == 0 {
		return "nothing to do\n"
	}
	return reapTable(s, rows)
}

// ReapDeeds is Reap without what was left as it was, for a log that is written
// again and again; empty when there was nothing to do.
func ReapDeeds(s Style, r Reaping) string {
	if r.Spool.Ingested == 0 && !r.DryRun {
		r.Spool.Waiting = 0
	}
	r.Processes = slices.DeleteFunc(slices.Clone(r.Processes), func(p OwnedProcess) bool { return p.Action != "stop" })
	rows := reapRows(r)
	if len(rows) == 0 {
		return ""
	}
	return reapTable(s, rows)
}

// reapTable is the table of what was done.
func reapTable(s Style, rows [][]cell) string {
	return table(s, []string{"ACTION", "RUN", "PID", "PROOFS", "WHY"}, rows)
}

// reapRows is one line for each thing that is to be done, was done, or is left.
func reapRows(r Reaping) [][]cell {
	var rows [][]cell
	if r.Spool.Waiting > 0 {
		rows = append(rows, []cell{{"take in", cyan}, {"-", plain}, {"-", plain}, {"-", plain}, {"facts of runs that the ledger did not take before: " + number(r.Spool.Waiting), plain}})
	}
	for _, x := range r.Runs {
		rows = append(rows, []cell{{runDeed(x, r.DryRun), yellow}, {ShortUID(x.UID), plain}, {"-", plain}, {"-", plain}, {Plain(x.Reason), plain}})
	}
	for _, p := range r.Processes {
		rows = append(rows, processRow(p, r.DryRun))
	}
	for _, w := range r.Workflows {
		rows = append(rows, []cell{{deed("close", "closed", w.Done, r.DryRun), yellow}, {Plain(w.ID), plain}, {"-", plain}, {"-", plain}, {Plain(w.Reason), plain}})
	}
	if h := r.History; h.Runs+h.Workflows > 0 {
		rows = append(rows, []cell{{deed("forget", "forgot", true, r.DryRun), dim}, {"-", plain}, {"-", plain}, {"-", plain}, {number(h.Runs) + " runs and " + number(h.Workflows) + " workflows", plain}})
	}
	return rows
}

// runDeed says what is, or was, done about a row.
func runDeed(r ReapedRun, dryRun bool) string {
	if r.Action == "ask" {
		return deed("ask to end", "asked to end", r.Done, dryRun)
	}
	return deed("settle", "settled", r.Done, dryRun)
}

// deed is what is to be done, was done, or was not.
func deed(todo, done string, was, dryRun bool) string {
	switch {
	case dryRun:
		return todo
	case was:
		return done
	default:
		return "not " + done
	}
}

// processRow is a line about a process.
func processRow(p OwnedProcess, dryRun bool) []cell {
	what, c := "unproved", dim
	switch p.Action {
	case "stop":
		what, c = deed("stop", "stopped", p.Done, dryRun), red
	case "keep":
		what, c = "keep", green
	}
	proofs := strings.Join(p.Proofs, ",")
	if proofs == "" {
		proofs = "-"
	}
	why := Plain(p.Command) + ": " + Plain(p.Reason)
	return []cell{{what, c}, {ShortUID(p.UID), plain}, {strconv.Itoa(p.PID), plain}, {proofs, plain}, {why, plain}}
}
