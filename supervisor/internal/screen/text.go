package screen

import (
	"slices"
	"strings"
)

// Shown is what a person saw at the end of a stretch of output, as plain text in
// the order of time: Before, Alternate, Lines. A line the terminal broke at its
// edge is one line here. Spaces at the end of a line and blank lines at the end of
// a part are left out. The zero value is what nothing shows.
type Shown struct {
	// Before is what the normal screen had when the alternate screen was last
	// in use, with what had scrolled off it; nil if it never was.
	Before []string
	// Alternate is the alternate screen as it stands, or as it stood when it was
	// left; or, if a program wiped it first, as it stood before that. Nil if
	// nothing was ever seen on it.
	Alternate []string
	// Lines is the text since the alternate screen was last left, such as a
	// program's last words, or all text if it was never in use. Nil while it is.
	Lines []string
	// Open says that the alternate screen is still in use.
	Open bool
}

// All is everything that was seen, in the order of time. The caller owns it.
func (s Shown) All() []string {
	return slices.Concat(s.Before, s.Alternate, s.Lines)
}

// Text works out what tail leaves on a terminal of that many columns and rows.
// Columns 0 means that it went to no terminal: a line feed also returns to the
// start of the line. Rows 0 means 24. Text keeps no reference to tail, and its
// time and memory are bounded by the sizes.
//
// A tail that begins within a program's use of the alternate screen is understood
// as soon as the program leaves it; until then that screen is taken for the normal
// one.
func Text(tail []byte, columns, rows int) Shown {
	m := newModel(columns, rows)
	m.read(tail)
	return m.shown()
}

// shown reads off what the model holds at the end.
func (m *model) shown() Shown {
	text := m.history
	for _, l := range m.normal.lines {
		text = append(text, m.record(l))
	}
	if !m.entered {
		return Shown{Lines: join(text)}
	}
	if m.current == &m.alternate {
		m.keep()
		return Shown{Before: join(text), Alternate: m.plain(m.seen), Open: true}
	}
	left := min(max(0, m.left-m.dropped), len(text))
	return Shown{Before: join(text[:left]), Alternate: m.plain(m.seen), Lines: join(text[left:])}
}

// plain is the text of a whole screen.
func (m *model) plain(lines []*line) []string {
	text := make([]record, 0, len(lines))
	for _, l := range lines {
		text = append(text, m.record(l))
	}
	return join(text)
}

// record is what remains of one screen line as text.
type record struct {
	text    string
	wrapped bool // the text goes on in the next record
}

// record reads one line of the screen.
func (m *model) record(l *line) record {
	if len(l.cells) == 0 {
		return record{wrapped: l.wrapped}
	}
	m.buffer = m.buffer[:0]
	for _, c := range l.cells {
		switch {
		case c < 0:
			m.buffer = append(m.buffer, m.clusters[^c]...)
		case c != spill:
			m.buffer = append(m.buffer, string(c)...)
		}
	}
	return record{text: string(m.buffer), wrapped: l.wrapped}
}

// join puts lines together that the terminal's edge had parted, and leaves out
// what cannot be seen.
func join(text []record) []string {
	var (
		out  []string
		line strings.Builder
		seen int // lines up to the last that is not blank
	)
	for i, r := range text {
		line.WriteString(r.text)
		if r.wrapped && i+1 < len(text) {
			continue
		}
		out = append(out, strings.TrimRight(line.String(), " "))
		if out[len(out)-1] != "" {
			seen = len(out)
		}
		line.Reset()
	}
	return out[:seen:seen]
}
