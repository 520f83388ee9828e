package render

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Event is one line of history as the JSON contract shows it.
type Event struct {
	SchemaVersion int `json:"schema_version"`
	// Seq orders the events of one ledger and never repeats.
	Seq        int64   `json:"seq"`
	At         string  `json:"at"`
	Type       string  `json:"type"`
	UID        *string `json:"uid"`
	WorkflowID *string `json:"workflow_id"`
	TurnID     *string `json:"turn_id"`
	Phase      *string `json:"phase"`
	Round      *int    `json:"round"`
	// Outcome and Cause are set on the event that ends a run.
	Outcome *string `json:"outcome"`
	Cause   *string `json:"cause"`
	// Payload is what else the event has to say, an object.
	Payload json.RawMessage `json:"payload"`
}

// EventJSON is one event on one line.
func EventJSON(e Event) ([]byte, error) {
	e.SchemaVersion = SchemaVersion
	if !json.Valid(e.Payload) {
		e.Payload = nil
	}
	return JSONLine(e)
}

// EventText is one event as a line for a person. The event's own words come
// first, so that a column of them can be scanned.
func EventText(s Style, e Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s", s.paint(dim, e.At), pad(eventSubject(e), 8), s.paint(bold, pad(e.Type, 20)))
	if e.Outcome != nil {
		b.WriteString(" " + judged(s, *e.Outcome, e.Cause))
	}
	if e.UID != nil && e.WorkflowID != nil {
		b.WriteString(" " + Plain(*e.WorkflowID))
	}
	if e.Phase != nil {
		b.WriteString(" phase " + Plain(*e.Phase))
	}
	if e.Round != nil {
		fmt.Fprintf(&b, " round %d", *e.Round)
	}
	if p := payloadText(e.Payload); p != "" {
		b.WriteString(" " + s.paint(dim, p))
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// eventSubject is what the event happened to: a run, else a workflow.
func eventSubject(e Event) string {
	switch {
	case e.UID != nil:
		return ShortUID(*e.UID)
	case e.WorkflowID != nil:
		return Plain(*e.WorkflowID)
	default:
		return "-"
	}
}

// payloadText is a payload on one line; empty for an empty object.
func payloadText(payload json.RawMessage) string {
	text := Plain(strings.TrimSpace(string(payload)))
	if text == "{}" || text == "null" {
		return ""
	}
	return text
}
