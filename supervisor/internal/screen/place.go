package screen

import (
	"bytes"
	"slices"
)

// saveAndSwitch is the private mode that remembers the cursor and goes to the alternate
// screen, and back.
const saveAndSwitch = 1049

// place follows as much of the cursor as tells whether it stands at the beginning of a
// line. Its zero value does.
type place struct {
	within bool // a line
	kept   bool // what within was when the cursor was saved
	quoted bool // in a control string, such as a title
}

// Within says whether the cursor stands somewhere within a line, where other output had
// better begin a new one.
func (m *Modes) Within() bool { return m.place.within }

// text is what stands between two escapes.
func (p *place) text(b []byte) {
	if p.quoted {
		_, after, ended := bytes.Cut(b, []byte{'\a'})
		if !ended {
			return
		}
		p.quoted, b = false, after
	}
	for _, c := range slices.Backward(b) {
		if c >= ' ' || c == '\n' || c == '\r' {
			p.within = c >= ' '
			return
		}
	}
}

// escape is an escape with the character after it.
func (p *place) escape(c byte) {
	p.quoted = false
	switch c {
	case ']', 'P', 'X', '^', '_':
		p.quoted = true
	case '7', '8':
		p.keep(c == '7')
	case 'E':
		p.within = false
	}
}

// move is a control sequence without a prefix.
func (p *place) move(args []byte, final byte) {
	column := 0
	switch n := numbers(args); final {
	case 'H', 'f':
		if len(n) > 1 {
			column = n[1]
		}
	case 'G', '`':
		if len(n) > 0 {
			column = n[0]
		}
	case 'C':
		column = 2
	case 's', 'u':
		p.keep(final == 's')
		return
	case 'E', 'F':
	default:
		return
	}
	p.within = column > 1
}

// keep saves where the cursor is, or has it back there.
func (p *place) keep(save bool) {
	if save {
		p.kept = p.within
	} else {
		p.within = p.kept
	}
}
