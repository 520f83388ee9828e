package render

import (
	"fmt"
	"strings"
)

// Cancelled is the answer to a request to cancel a run.
type Cancelled struct {
	SchemaVersion int     `json:"schema_version"`
	UID           *string `json:"uid"`
	// Result is settled, accepted, already_terminal, not_found or refused.
	Result string `json:"result"`
	// Asked: it had been asked to end before.
	Asked bool `json:"asked_before"`
	// Woken: its wrapper was told at once.
	Woken bool `json:"woken"`
	// Outcome and Cause are how it ended, null while it runs.
	Outcome   *string        `json:"outcome"`
	Cause     *string        `json:"cause"`
	Reason    string         `json:"reason"`
	Processes []OwnedProcess `json:"processes"`
}

// CancelledJSON is the object with no list left null.
func CancelledJSON(c Cancelled) ([]byte, error) {
	c.SchemaVersion, c.Processes = SchemaVersion, FilledProcesses(c.Processes)
	return indented(c)
}

// CancelledText is the answer for a person, with the processes nobody looked after.
func CancelledText(s Style, c Cancelled) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s: %s\n", s.paint(bold, ShortUID(*c.UID)), c.Result, Plain(c.Reason))
	if len(c.Processes) > 0 {
		b.WriteString(Reap(s, Reaping{Processes: c.Processes}))
	}
	return b.String()
}
