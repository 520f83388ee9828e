package render

// Audit is what was found to be wrong.
type Audit struct {
	SchemaVersion int       `json:"schema_version"`
	Errors        int       `json:"errors"`
	Warnings      int       `json:"warnings"`
	Findings      []Finding `json:"findings"`
}

// Finding is one thing that is wrong.
type Finding struct {
	Code string `json:"code"`
	// Severity is warn or error.
	Severity   string  `json:"severity"`
	UID        *string `json:"uid"`
	WorkflowID *string `json:"workflow_id"`
	PID        *int    `json:"pid"`
	Detail     string  `json:"detail"`
}

// AuditJSON is the object with no list left null.
func AuditJSON(a Audit) ([]byte, error) {
	a.SchemaVersion, a.Findings = SchemaVersion, orEmpty(a.Findings)
	return indented(a)
}

// AuditTable is the findings for a person; one line when there are none.
func AuditTable(s Style, a Audit) string {
	if len(a.Findings) == 0 {
		return "nothing is wrong\n"
	}
	rows := make([][]cell, 0, len(a.Findings))
	for _, f := range a.Findings {
		subject := "-"
		switch {
		case f.PID != nil:
			subject = "process " + number(*f.PID)
		case f.UID != nil:
			subject = "run " + ShortUID(*f.UID)
		case f.WorkflowID != nil:
			subject = "session " + Plain(*f.WorkflowID)
		}
		c := yellow
		if f.Severity == "error" {
			c = red
		}
		rows = append(rows, []cell{{f.Severity, c}, {f.Code, plain}, {subject, plain}, {Plain(f.Detail), plain}})
	}
	return table(s, []string{"SEVERITY", "CODE", "ABOUT", "WHAT"}, rows)
}
