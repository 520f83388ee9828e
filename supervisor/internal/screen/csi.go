package screen

// argsMost bounds the parameters of one control sequence; more are ignored.
const argsMost = 16

// args is a control sequence's parameters.
type args struct {
	prefix byte // '?', '<', '=', '>' or 0
	middle byte // the last intermediate character, or 0
	n      int
	values [argsMost]int
}

// at is a parameter, or what stands for one that is left out or 0.
func (a *args) at(i, or int) int {
	if i >= a.n || a.values[i] == 0 {
		return or
	}
	return a.values[i]
}

// add takes in one parameter character.
func (a *args) add(c byte) {
	switch {
	case c >= '<':
		a.prefix = c
	case c >= ':':
		a.n = min(max(a.n, 1)+1, argsMost)
	default:
		a.n = max(a.n, 1)
		v := &a.values[a.n-1]
		*v = min(*v*10+int(c-'0'), 1<<20)
	}
}

// sequence acts on a control sequence, of which b begins after the introducer, and
// says how long it is. One that is cut short does nothing.
func (m *model) sequence(b []byte) int {
	var a args
	for i, c := range b {
		switch {
		case c == esc || c >= 0x7f:
			return i
		case c == cancel || c == substitute:
			return i + 1
		case c < 0x20:
			m.control(c)
		case c < 0x30:
			a.middle = c
		case c < 0x40:
			a.add(c)
		default:
			m.act(&a, c)
			return i + 1
		}
	}
	return len(b)
}

// act does what a finished control sequence asks for.
func (m *model) act(a *args, final byte) {
	m.joining = false
	switch {
	case a.middle == '!' && final == 'p':
		m.softReset()
	case a.middle != 0:
	case a.prefix == '?' && (final == 'h' || final == 'l'):
		for _, mode := range a.values[:a.n] {
			m.mode(mode, final == 'h')
		}
	case a.prefix == '?' && final != 'J' && final != 'K':
	case a.prefix != 0 && a.prefix != '?':
	case !m.move(a, final):
		m.edit(a, final)
	}
}

// mode switches a private mode.
func (m *model) mode(mode int, on bool) {
	switch mode {
	case 6:
		m.origin = on
		m.home(0, 0)
	case 7:
		m.noWrap = !on
	case 47, 1047, 1049:
		m.switchScreen(mode, on)
	case 1048:
		m.saveCursor(on)
	}
}

// switchScreen goes to the alternate screen or back; 1049 also saves the cursor.
func (m *model) switchScreen(mode int, on bool) {
	was := m.current
	switch {
	case on:
		if mode == 1049 && was == &m.normal {
			m.saveCursor(true)
		}
		m.enter(mode != 47)
	case m.leave():
		if mode == 1049 && was == &m.alternate {
			m.saveCursor(false)
		}
		m.mark()
	}
}

// saveCursor saves the cursor or, if not on, takes it back.
func (m *model) saveCursor(on bool) {
	if on {
		m.current.saved = m.cursor
	} else {
		m.cursor = m.current.saved
	}
}

// home sends the cursor to a place counted from the screen's or region's corner.
func (m *model) home(x, y int) {
	if m.origin {
		m.to(x, min(y+m.top, m.bottom))
	} else {
		m.to(x, y)
	}
	m.addressed = true
}

// move does what moves the cursor, and says whether it was that.
func (m *model) move(a *args, final byte) bool {
	n := a.at(0, 1)
	switch final {
	case 'A':
		m.up(n)
	case 'B', 'e':
		m.down(n)
	case 'C', 'a':
		m.to(m.x+n, m.y)
	case 'D':
		m.to(m.x-n, m.y)
	case 'E':
		m.x = 0
		m.down(n)
	case 'F':
		m.x = 0
		m.up(n)
	case 'G', '`':
		m.to(n-1, m.y)
	case 'H', 'f':
		m.home(a.at(1, 1)-1, n-1)
	case 'I':
		m.to((m.x/8+n)*8, m.y)
	case 'Z':
		m.to(((m.x+7)/8-n)*8, m.y)
	case 'd':
		m.home(m.x, n-1)
	case 's':
		m.saveCursor(true)
	case 'u':
		m.saveCursor(false)
	default:
		return false
	}
	return true
}

// up moves the cursor up, not out of the region.
func (m *model) up(n int) {
	if m.y >= m.top {
		n = min(n, m.y-m.top)
	}
	m.to(m.x, m.y-n)
}

// down moves the cursor down, not out of the region.
func (m *model) down(n int) {
	if m.y <= m.bottom {
		n = min(n, m.bottom-m.y)
	}
	m.to(m.x, m.y+n)
}

// edit does what changes text.
func (m *model) edit(a *args, final byte) {
	n := a.at(0, 1)
	switch final {
	case '@':
		m.insertCells(n)
	case 'P':
		m.deleteCells(n)
	case 'X':
		m.here().erase(m.x, min(m.x+n, m.columns))
	case 'J':
		m.eraseScreen(a.at(0, 0))
	case 'K':
		m.eraseLine(a.at(0, 0))
	case 'L', 'M':
		m.editLines(final == 'L', n)
	case 'S':
		m.scrollUp(n)
	case 'T':
		m.partAbove(m.top)
		sink(m.current.lines[m.top:m.bottom+1], n)
	case 'b':
		m.repeat(min(n, m.columns))
	case 'h', 'l':
		if n == 4 {
			m.insert = final == 'h'
		}
	case 'r':
		m.region(n-1, a.at(1, m.rows)-1)
	}
}

// repeat writes the last character again. A few bytes may ask for a thousand
// characters: where that was done too often, the cursor moves and nothing else.
func (m *model) repeat(n int) {
	if m.repeated += n; m.repeated > repeatMost {
		m.to(m.x+n, m.y)
		return
	}
	for range n {
		if m.last != 0 {
			m.put(m.last)
		}
	}
}

// editLines inserts or deletes lines at the cursor.
func (m *model) editLines(insert bool, n int) {
	if m.y < m.top || m.y > m.bottom {
		return
	}
	m.partAbove(m.y)
	if lines := m.current.lines[m.y : m.bottom+1]; insert {
		sink(lines, n)
	} else {
		rise(lines, n)
	}
	m.to(0, m.y)
}

// region sets the lines that scroll.
func (m *model) region(top, bottom int) {
	bottom = min(bottom, m.rows-1)
	if top < bottom {
		m.top, m.bottom = top, bottom
		m.home(0, 0)
	}
}

// eraseLine erases a part of the cursor's line: its end, its start or all. A line
// written to its last column has no end left to erase.
func (m *model) eraseLine(part int) {
	switch part {
	case 0:
		if !m.pending {
			m.here().erase(m.x, m.columns)
		}
	case 1:
		m.here().erase(0, m.x+1)
	case 2:
		m.here().erase(0, m.columns)
	}
}

// eraseScreen erases a part of the screen: its end, its start, all, or what
// scrolled off it.
func (m *model) eraseScreen(part int) {
	switch part {
	case 0:
		if m.x == 0 && m.y == 0 {
			m.keep()
		}
		m.eraseLine(0)
		wipe(m.current.lines[m.y+1:])
	case 1:
		m.eraseLine(1)
		wipe(m.current.lines[:m.y])
	case 2:
		m.keep()
		wipe(m.current.lines)
	case 3:
		m.forget()
	}
}
