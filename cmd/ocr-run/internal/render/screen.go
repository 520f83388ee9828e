package render

import (
	"fmt"
	"slices"
	"strings"
)

// Watched is a run of a flow with what it is doing at the moment.
type Watched struct {
	Execution
	// Doing is what it does, for a person; empty when nobody knows.
	Doing string
	// Line is the last line of its log, as it is; empty without one.
	Line string
}

// WatchedJSON is one change of a flow, or of a run of it: one of the two is not nil.
type WatchedJSON struct {
	SchemaVersion int        `json:"schema_version"`
	Flow          *Flow      `json:"flow"`
	Run           *Execution `json:"execution"`
	// Line is the last line of the run's log, as it is.
	Line *string `json:"line"`
}

// Screen is a flow at one moment, as many lines as fit: what it amounts to, how far
// it is, and each run that has not ended. frame moves the spinners. No line is wider
// than the terminal, so that it can be drawn over.
func Screen(s Style, rows, frame int, f Flow, runs []Watched) []string {
	lines := []string{s.paint(bold, Truncate(strings.TrimSuffix(nodeLine(Style{}, Node{Flow: &f}, 0), "\n"), s.Columns)), barLine(s, f.Runs)}
	room := max(rows-len(lines)-1, 1)
	listed := slices.DeleteFunc(slices.Clone(runs), func(w Watched) bool { return weight(w) == 0 })
	slices.SortStableFunc(listed, func(a, b Watched) int { return weight(b) - weight(a) })
	more := 0
	if len(listed) > room {
		more = len(listed) - room + 1
		listed = listed[:room-1]
	}
	for _, w := range listed {
		lines = append(lines, watchedLine(s, frame, w))
	}
	if more > 0 {
		lines = append(lines, s.paint(dim, fmt.Sprintf("  and %d more", more)))
	}
	return lines
}

// weight orders the runs of a screen; those of weight 0 are left out: a success is
// no news, and what waits in a queue does nothing.
func weight(w Watched) int {
	switch {
	case w.queued():
		return 0
	case w.Outcome == "running":
		return 2
	case w.Outcome == "success":
		return 0
	default:
		return 1
	}
}

// watchedLine is one run: a spinner or a mark, its name, its time, and what it does
// or what it came to.
func watchedLine(s Style, frame int, w Watched) string {
	state, col := runState(w.Execution)
	mark, text := "✗", state
	if w.Outcome == "running" {
		mark, text = spinner(frame), w.Doing
		if w.Liveness != "live" {
			mark, text = "!", state+"  "+text
		}
	}
	name := what(w.Execution)
	if w.Name != nil {
		name = Plain(*w.Name)
	}
	name = Truncate(name, nameColumns)
	line := ShortUID(w.UID) + "  " + pad(name, nameColumns) + "  " + pad(timeOf(w.Execution), timeColumns) + "  " + Plain(text)
	return s.paint(col, mark) + " " + Truncate(line, s.Columns-markColumns)
}

// Widths of the columns of a screen.
const (
	markColumns = 2
	nameColumns = 24
	timeColumns = 6
	barColumns  = 30
)

// spinner is one of the shapes that seem to turn.
func spinner(frame int) string {
	const shapes = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
	all := []rune(shapes)
	return string(all[frame%len(all)])
}

// barLine is how far a flow is: a bar with a part for each thing runs come to, and
// the counts.
func barLine(s Style, c FlowCounts) string {
	var b strings.Builder
	drawn, sum := 0, 0
	for _, part := range []struct {
		n     int
		shape string
		color color
	}{
		{c.Success, "█", green},
		{c.Incomplete, "█", yellow},
		{c.Failed, "█", red},
		{c.Cancelled, "█", dim},
		{c.Running, "▒", cyan},
	} {
		sum += part.n
		until := 0
		if c.total() > 0 {
			until = sum * barColumns / c.total()
		}
		b.WriteString(s.paint(part.color, strings.Repeat(part.shape, until-drawn)))
		drawn = until
	}
	b.WriteString(s.paint(dim, strings.Repeat("░", barColumns-drawn)))
	text := fmt.Sprintf(" %d/%d  %s", c.over(), c.total(), counts(c))
	return b.String() + Truncate(text, s.Columns-barColumns)
}

// ScreenOver goes back over the lines of the last screen, so that the next one takes
// their place.
func ScreenOver(lines int) string {
	if lines == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\x1b[0J", lines)
}

// WatchedChange is a line about a run that has changed, for an output that nobody
// draws on.
func WatchedChange(e Execution) string {
	state, _ := runState(e)
	text := ShortUID(e.UID) + "  " + state
	if e.EndedAt != nil && e.AwakeMS != nil {
		text += " after " + timeOf(e)
	}
	return text + "  " + what(e) + "\n"
}
