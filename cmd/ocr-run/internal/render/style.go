package render

// Style is how text is laid out. Its zero value is plain text of any width.
type Style struct {
	// Color allows colours.
	Color bool
	// Columns is the width of the terminal; 0 when there is none, and nothing
	// is cut then.
	Columns int
	// NowMS is the present in wall-clock milliseconds, for ages.
	NowMS int64
}

// StyleFor decides once how to write to an output: colours need a terminal
// that is not dumb, and a user who did not set NO_COLOR to anything.
func StyleFor(terminal bool, columns int, noColor, term string, nowMS int64) Style {
	s := Style{NowMS: nowMS}
	if terminal {
		s.Columns = columns
		s.Color = noColor == "" && term != "dumb"
	}
	return s
}

// color is an SGR parameter; empty leaves the text alone.
type color string

// The colours in use. They are the basic ones, which every theme keeps legible.
const (
	plain  color = ""
	bold   color = "1"
	dim    color = "2"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
	cyan   color = "36"
)

// paint colours a text, when colours are allowed.
func (s Style) paint(c color, text string) string {
	if !s.Color || c == plain || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// outcomeColor is the colour of an outcome.
func outcomeColor(outcome string) color {
	switch outcome {
	case "success":
		return green
	case "incomplete":
		return yellow
	case "failed":
		return red
	case "cancelled":
		return dim
	case "running":
		return cyan
	default:
		return plain
	}
}

// livenessColor is the colour of a liveness.
func livenessColor(liveness string) color {
	switch liveness {
	case "live":
		return green
	case "late", "stopped":
		return yellow
	case "gone":
		return red
	default:
		return plain
	}
}
