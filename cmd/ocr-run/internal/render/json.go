package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// timeLayout is RFC 3339 with exactly three decimals.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

// Time is wall-clock milliseconds as the JSON contract writes an instant:
// RFC 3339, UTC, milliseconds.
func Time(wallMS int64) string {
	return time.UnixMilli(wallMS).UTC().Format(timeLayout)
}

// TimeOrNull is Time, or nil for 0, which means that it has not happened.
func TimeOrNull(wallMS int64) *string {
	if wallMS == 0 {
		return nil
	}
	return new(Time(wallMS))
}

// OrNull is a pointer to v, or nil when v is the zero value of its type: what
// is empty in the ledger is null in JSON.
func OrNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// executionList is the object ps and history print.
type executionList struct {
	SchemaVersion int         `json:"schema_version"`
	Executions    []Execution `json:"executions"`
}

// ExecutionJSON is one run as an indented object with a final newline.
func ExecutionJSON(e Execution) ([]byte, error) { return indented(e.filled()) }

// ExecutionsJSON is a list of runs as an indented object with a final newline.
func ExecutionsJSON(all []Execution) ([]byte, error) {
	list := executionList{SchemaVersion: SchemaVersion, Executions: make([]Execution, 0, len(all))}
	for _, e := range all {
		list.Executions = append(list.Executions, e.filled())
	}
	return indented(list)
}

// filled is the execution with its version set and no slice left nil.
func (e Execution) filled() Execution {
	e.SchemaVersion = SchemaVersion
	e.Command = orEmpty(e.Command)
	e.Attempts = orEmpty(e.Attempts)
	e.Evidence = orEmpty(e.Evidence)
	e.Leftovers.Stopped = orEmpty(e.Leftovers.Stopped)
	e.Leftovers.Kept = orEmpty(e.Leftovers.Kept)
	e.Leftovers.Remaining = orEmpty(e.Leftovers.Remaining)
	return e
}

// orEmpty makes a nil slice an empty one, which JSON writes as [].
func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// JSON is any object of a documented shape, indented, with a final newline.
func JSON(v any) ([]byte, error) { return indented(v) }

// JSONLine is one object on one line, with a final newline.
func JSONLine(v any) ([]byte, error) { return encoded(v, "") }

// indented writes v over several lines.
func indented(v any) ([]byte, error) { return encoded(v, "  ") }

// encoded leaves <, > and & as they are: they are common in command lines, and
// nobody puts this output into a page unescaped.
func encoded(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode JSON: %w", err)
	}
	return b.Bytes(), nil
}
