package screen

import (
	"bytes"
	"unicode/utf8"
)

// Control characters the model acts on, and the 8-bit introducer of a control
// sequence.
const (
	cancel     = 0x18
	substitute = 0x1a
	csi8       = 0x9b
)

// read takes in output. It may begin and end within anything.
func (m *model) read(b []byte) {
	for len(b) > 0 && !utf8.RuneStart(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 {
		switch c := b[0]; {
		case c == esc:
			b = b[m.escape(b):]
		case c < 0x20 || c == 0x7f:
			m.control(c)
			b = b[1:]
		case c < utf8.RuneSelf:
			m.character(rune(c))
			b = b[1:]
		case !utf8.FullRune(b):
			return
		default:
			r, n := utf8.DecodeRune(b)
			b = b[n:]
			switch {
			case r == csi8:
				b = b[m.sequence(b):]
			case r >= 0xa0:
				m.put(r)
			}
		}
	}
}

// character writes a character that the charset in use may change.
func (m *model) character(r rune) {
	if m.charset[m.shift] {
		r = lineDrawing(r)
	}
	m.put(r)
}

// lineDrawing is a character of the DEC line drawing set.
func lineDrawing(r rune) rune {
	const first, last, drawn = '`', '~', "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"
	if r < first || r > last {
		return r
	}
	return []rune(drawn)[r-first]
}

// control acts on a control character.
func (m *model) control(c byte) {
	m.joining = false
	switch c {
	case '\b':
		m.to(m.x-1, m.y)
	case '\t':
		m.to((m.x/8+1)*8, m.y)
	case '\n', '\v', '\f':
		m.pending = false
		if m.lineFeedReturns {
			m.x = 0
		}
		m.feed()
	case '\r':
		m.to(0, m.y)
	case 0x0e:
		m.shift = 1
	case 0x0f:
		m.shift = 0
	}
}

// to sends the cursor somewhere, or as near as the screen allows.
func (m *model) to(x, y int) {
	m.x, m.y = min(max(x, 0), m.columns-1), min(max(y, 0), m.rows-1)
	m.pending, m.joining = false, false
}

// escape acts on the escape sequence b begins with and says how long it is.
func (m *model) escape(b []byte) int {
	m.joining = false
	if len(b) < 2 {
		return 1
	}
	switch c := b[1]; {
	case c == '[':
		return 2 + m.sequence(b[2:])
	case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
		return 2 + m.stringLength(b[2:])
	case c == '(' || c == ')':
		if len(b) > 2 && b[2] >= 0x20 {
			m.charset[c-'('] = b[2] == '0'
			return 3
		}
	case c >= 0x20 && c <= 0x2f:
		return 1 + skipTo(b[1:])
	case c < 0x20 || c >= 0x7f:
		return 1
	default:
		m.short(c)
	}
	return 2
}

// skipTo is the length of an escape sequence with intermediate characters.
func skipTo(b []byte) int {
	for i, c := range b {
		if c < 0x20 || c > 0x7e {
			return i
		}
		if c >= 0x30 {
			return i + 1
		}
	}
	return len(b)
}

// short acts on an escape sequence of one character.
func (m *model) short(c byte) {
	switch c {
	case '7':
		m.current.saved = m.cursor
	case '8':
		m.cursor = m.current.saved
	case 'D':
		m.pending = false
		m.feed()
	case 'E':
		m.to(0, m.y)
		m.feed()
	case 'M':
		m.pending = false
		if m.y == m.top {
			m.partAbove(m.top)
			sink(m.current.lines[m.top:m.bottom+1], 1)
		} else {
			m.to(m.x, m.y-1)
		}
	case 'c':
		m.keep()
		m.reset()
		m.mark()
	}
}

// stringLength is the length of a control string (a title, a picture, a link)
// with its end. Any escape ends it, as do the characters that cancel. One that
// never ends ends with its line: text must not vanish for good.
func (m *model) stringLength(b []byte) int {
	if !m.endless {
		i := bytes.IndexAny(b, "\x1b\a\x18\x1a")
		switch {
		case i < 0:
			m.endless = true
		case b[i] == esc && i+1 < len(b) && b[i+1] == '\\':
			return i + 2
		case b[i] == esc:
			return i
		default:
			return i + 1
		}
	}
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i
	}
	return len(b)
}
