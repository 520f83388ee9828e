package render

import (
	"fmt"
	"strings"
	"time"
)

// Lights are the four signs of life of a run that has not ended.
type Lights struct {
	// Activity sums them up in a word.
	Activity string `json:"activity"`
	// Beating is the wrapper, Processes what the run's processes do, Output whether
	// output or the agent's record grows, Turn whether a turn or a workflow moves on.
	Beating   Light `json:"beating"`
	Processes Light `json:"processes"`
	Output    Light `json:"output"`
	Turn      Light `json:"turn"`
	// LimitedUntil is when the usage limit ends that holds the agent up.
	LimitedUntil *string `json:"limited_until"`
	// DeadConnection names a connection whose other end no longer answers.
	DeadConnection *string `json:"dead_connection"`
	// Usage is what the run's processes take at the moment of looking.
	Usage *Usage `json:"usage"`
}

// Light is one sign of life.
type Light struct {
	// Lit is nil when nobody looks for it.
	Lit *bool `json:"lit"`
	// QuietMS is the awake time since it was last lit.
	QuietMS *int64 `json:"quiet_ms"`
}

// Usage is what a run's processes take.
type Usage struct {
	Processes int `json:"processes"`
	// CPUMS is the processor time of those that live, MemoryBytes their memory, in
	// which shared pages count for each.
	CPUMS       int64 `json:"cpu_ms"`
	MemoryBytes int64 `json:"memory_bytes"`
}

// lamps are the lights in a table: a letter for each that is lit, a dash for one
// that is out, a question mark for one that nobody looks at.
func lamps(l *Lights) string {
	if l == nil {
		return "-"
	}
	var b strings.Builder
	for i, light := range []Light{l.Beating, l.Processes, l.Output, l.Turn} {
		switch {
		case light.Lit == nil:
			b.WriteByte('?')
		case *light.Lit:
			b.WriteByte("BPOT"[i])
		default:
			b.WriteByte('-')
		}
	}
	return b.String()
}

// stateText is how a run that has not ended is doing, in a table: its wrapper when
// there is anything the matter with that, else what it waits for before its launch,
// else the run itself.
func stateText(e Execution) (string, color) {
	if e.Liveness != "live" {
		return e.Liveness, livenessColor(e.Liveness)
	}
	if text := waitText(e); text != "" {
		return text, yellow
	}
	if e.queued() {
		return "queued", plain
	}
	if e.Lights == nil {
		return e.Liveness, livenessColor(e.Liveness)
	}
	text := activityText(e.Lights)
	if text == "" {
		text = e.Liveness
	}
	return text, activityColor(e.Lights.Activity)
}

// activityText is an activity for people, empty when nothing is known.
func activityText(l *Lights) string {
	switch {
	case l == nil, l.Activity == "unknown":
		return ""
	case l.Activity == "waiting":
		return "waiting for you"
	case l.Activity == "limited" && l.LimitedUntil != nil:
		return "limited until " + minute(*l.LimitedUntil)
	default:
		return l.Activity
	}
}

// minute is an instant to the minute, in UTC.
func minute(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return Plain(at)
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// activityColor is the colour of an activity.
func activityColor(activity string) color {
	switch activity {
	case "working", "unknown":
		return green
	case "waiting", "limited", "asleep":
		return yellow
	case "stalled", "runaway", "disconnected":
		return red
	default:
		return plain
	}
}

// lightLines are the lights of a run that has not ended, one a line; the heartbeat
// has its own.
func lightLines(s Style, e Execution) []line {
	l := e.Lights
	if l == nil {
		return []line{{"turn", turnText(e.Turn)}}
	}
	turn := turnText(e.Turn)
	if l.Turn.Lit != nil {
		turn = joined(turn, lightText(l.Turn, "moves on"))
	}
	lines := []line{
		{"activity", s.paint(activityColor(l.Activity), activityText(l))},
		{"processes", joined(lightText(l.Processes, "busy"), usageText(l.Usage))},
		{"output", lightText(l.Output, "grows")},
		{"turn", turn},
	}
	if l.DeadConnection != nil {
		lines = append(lines, line{"connection", s.paint(red, Plain(*l.DeadConnection)+" no longer answers")})
	}
	return lines
}

// lightText is one light for people, empty when nobody looks.
func lightText(l Light, lit string) string {
	switch {
	case l.Lit == nil:
		return ""
	case *l.Lit:
		return lit
	case l.QuietMS == nil:
		return "quiet so far"
	default:
		return "quiet for " + spanMS(*l.QuietMS)
	}
}

// usageText is what the processes take.
func usageText(u *Usage) string {
	if u == nil {
		return ""
	}
	word := "processes"
	if u.Processes == 1 {
		word = "process"
	}
	const mib = 1 << 20
	return fmt.Sprintf("%d %s, %d MiB, %s of processor time", u.Processes, word, (u.MemoryBytes+mib/2)/mib, spanMS(u.CPUMS))
}

// joined puts texts side by side; empty ones are left out.
func joined(texts ...string) string {
	var there []string
	for _, t := range texts {
		if t != "" {
			there = append(there, t)
		}
	}
	return strings.Join(there, " · ")
}
