package render

import (
	"fmt"
	"strings"
)

// ServiceChange is what installing or removing the service changes.
type ServiceChange struct {
	SchemaVersion int `json:"schema_version"`
	// Manager is systemd or launchd, Name the name of the units or the label.
	Manager string `json:"manager"`
	Name    string `json:"name"`
	Ledger  string `json:"ledger"`
	// Changes: a file is to be changed, or removed with Remove. DryRun: it was only
	// shown.
	Changes bool          `json:"changes"`
	Remove  bool          `json:"remove"`
	DryRun  bool          `json:"dry_run"`
	Files   []ServiceFile `json:"files"`
}

// ServiceFile is a file of the service.
type ServiceFile struct {
	Path string `json:"path"`
	// Standing is missing, same, differs or foreign, before anything was done.
	Standing string `json:"standing"`
	// Diff is the change, line by line; empty for none.
	Diff string `json:"diff"`
}

// ServiceChangeText shows the change to a person.
func ServiceChangeText(c ServiceChange) string {
	var b strings.Builder
	for _, f := range c.Files {
		switch {
		case f.Diff != "" && c.Remove:
			fmt.Fprintf(&b, "%s: goes away\n", Plain(f.Path))
		case f.Diff != "":
			fmt.Fprintf(&b, "%s:\n%s", Plain(f.Path), f.Diff)
		case f.Standing == "foreign":
			fmt.Fprintf(&b, "%s: not ours, left alone\n", Plain(f.Path))
		default:
			fmt.Fprintf(&b, "%s: nothing to change\n", Plain(f.Path))
		}
	}
	return b.String()
}

// ServiceTexts is what the service's files would hold.
type ServiceTexts struct {
	SchemaVersion int           `json:"schema_version"`
	Manager       string        `json:"manager"`
	Files         []ServiceText `json:"files"`
}

// ServiceText is one of them.
type ServiceText struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// ServiceStatus is what is known of the service.
type ServiceStatus struct {
	SchemaVersion int    `json:"schema_version"`
	Manager       string `json:"manager"`
	Name          string `json:"name"`
	Ledger        string `json:"ledger"`
	// Installed: all its files are there and ours.
	Installed bool          `json:"installed"`
	Files     []ServiceFile `json:"files"`
	// Enabled, Active and Lingers are null where nobody says.
	Enabled *bool `json:"enabled"`
	Active  *bool `json:"active"`
	Lingers *bool `json:"lingers"`
	// Last is the last sweep, null when there was none.
	Last *ServiceSweep `json:"last"`
	// NextAt is when the next one is due, null where nobody says.
	NextAt *string `json:"next_at"`
	// Problems are what is wrong, each a sentence for a person.
	Problems []string `json:"problems"`
}

// ServiceSweep is a sweep that the service made.
type ServiceSweep struct {
	// Result is success, or the manager's word for what went wrong.
	Result   string  `json:"result"`
	ExitCode int     `json:"exit_code"`
	EndedAt  *string `json:"ended_at"`
}

// ServiceStatusText is the status for a person.
func ServiceStatusText(s Style, v ServiceStatus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", s.paint(bold, v.Name), serviceVerdict(s, v))
	lines := []line{
		{"ledger", Plain(v.Ledger)},
		{"enabled", yesOrNo(v.Enabled)},
		{"active", yesOrNo(v.Active)},
		{"last sweep", sweepText(s, v.Last)},
		{"next sweep", moment(s, v.NextAt)},
		{"linger", yesOrNo(v.Lingers)},
	}
	for _, p := range v.Problems {
		lines = append(lines, line{"problem", Plain(p)})
	}
	writeLines(&b, s, lines)
	return b.String()
}

// serviceVerdict is the whole in a word.
func serviceVerdict(s Style, v ServiceStatus) string {
	switch {
	case !v.Installed && len(v.Problems) == 0:
		return s.paint(dim, "not installed")
	case len(v.Problems) > 0:
		return s.paint(yellow, "needs attention")
	default:
		return s.paint(green, "in order")
	}
}

// yesOrNo is a fact that may not be known.
func yesOrNo(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "yes"
	default:
		return "no"
	}
}

// sweepText is how the last sweep went.
func sweepText(s Style, w *ServiceSweep) string {
	if w == nil {
		return ""
	}
	text := w.Result
	if w.ExitCode != 0 {
		text += fmt.Sprintf(" (exit code %d)", w.ExitCode)
	}
	if w.EndedAt != nil {
		text += ", " + moment(s, w.EndedAt)
	}
	return text
}
