package render

import (
	"fmt"
	"strings"
)

// Doctor is what a look at the machine has shown.
type Doctor struct {
	SchemaVersion int `json:"schema_version"`
	Errors        int `json:"errors"`
	Warnings      int `json:"warnings"`
	Notes         int `json:"notes"`
	// Checks are all findings, also where nothing is wrong, in the order of the looks.
	Checks []DoctorCheck `json:"checks"`
}

// DoctorCheck is one thing that was looked at.
type DoctorCheck struct {
	Check string `json:"check"`
	// Severity is ok, note, warn or error.
	Severity string `json:"severity"`
	LookedAt string `json:"looked_at"`
	Found    string `json:"found"`
	// Mend is the command, or the step, that puts it right.
	Mend *string `json:"mend"`
}

// DoctorJSON is the object with no list left null.
func DoctorJSON(d Doctor) ([]byte, error) {
	d.SchemaVersion, d.Checks = SchemaVersion, orEmpty(d.Checks)
	return indented(d)
}

// DoctorText is the findings for a person, with what mends each below it, and a
// summary. Nothing is cut: commands are to be copied.
func DoctorText(s Style, d Doctor) string {
	var b strings.Builder
	severities, checks := 0, 0
	for _, c := range d.Checks {
		severities, checks = max(severities, Width(c.Severity)), max(checks, Width(c.Check))
	}
	for _, c := range d.Checks {
		b.WriteString(s.paint(severityColor(c.Severity), c.Severity) + pad("", severities-Width(c.Severity)+2))
		b.WriteString(pad(c.Check, checks+2) + s.paint(dim, Plain(c.LookedAt)+":") + " " + Plain(c.Found) + "\n")
		if c.Mend != nil {
			b.WriteString(pad("", severities+checks+4) + s.paint(bold, "mend") + "  " + Plain(*c.Mend) + "\n")
		}
	}
	fmt.Fprintf(&b, "\n%s, %s, %s; nothing was changed\n", counted(d.Errors, "error"), counted(d.Warnings, "warning"), counted(d.Notes, "note"))
	return b.String()
}

// counted is a number of things.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// severityColor is the colour of a severity.
func severityColor(severity string) color {
	switch severity {
	case "ok":
		return green
	case "note":
		return cyan
	case "warn":
		return yellow
	case "error":
		return red
	default:
		return plain
	}
}
