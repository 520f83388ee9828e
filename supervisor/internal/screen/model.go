package screen

// Bounds on the modelled terminal, so that no size a caller names costs much.
const (
	columnsMost = 1000
	rowsMost    = 200
	rowsUnknown = 24
	historyMost = 4096 // lines kept that scrolled off the normal screen
	clusterMost = 32   // bytes of one character with its combining marks
	repeatMost  = 2 * TailSize
)

// joiner is the character that makes one picture of those around it.
const joiner rune = 0x200d

// cursor is what saving the cursor saves.
type cursor struct {
	x, y    int
	pending bool // the last column was written: the next character wraps first
	charset [2]bool
	shift   int // which of the charsets is in use
	origin  bool
}

// grid is one screen.
type grid struct {
	lines []*line
	saved cursor
}

// model is a terminal, as far as text goes.
type model struct {
	columns, rows     int
	lineFeedReturns   bool
	normal, alternate grid
	current           *grid
	cursor
	top, bottom int // scroll region, both inclusive
	noWrap      bool
	insert      bool
	last        rune // the last character written, for repetition; 0 if none
	repeated    int  // characters written by repetition
	joining     bool // the next character joins the last one

	history []record // scrolled off the normal screen, oldest first
	dropped int      // lines of history that were given up

	entered   bool    // the alternate screen was in use
	addressed bool    // the cursor was sent somewhere
	seen      []*line // the last screen that was wiped or left; see keep
	left      int     // first line, counted from the start of time, written since leaving

	clusters []string
	wide     []rune
	buffer   []byte
	endless  bool // no control string can end any more
}

// newModel is a blank terminal.
func newModel(columns, rows int) *model {
	m := &model{columns: columns, rows: rows, wide: wideRunes(), left: -1}
	if columns <= 0 {
		m.columns, m.lineFeedReturns = columnsMost, true
	}
	if rows <= 0 {
		m.rows = rowsUnknown
	}
	m.columns = min(max(m.columns, 2), columnsMost)
	m.rows = min(m.rows, rowsMost)
	m.normal = grid{lines: blankLines(m.rows)}
	m.alternate = grid{lines: blankLines(m.rows)}
	m.reset()
	return m
}

// reset is a full reset. What was seen stays seen.
func (m *model) reset() {
	wipe(m.alternate.lines)
	wipe(m.normal.lines)
	m.current = &m.normal
	m.softReset()
	m.cursor = cursor{}
	m.forget()
}

// softReset puts the modes back, not the text.
func (m *model) softReset() {
	m.top, m.bottom = 0, m.rows-1
	m.noWrap, m.insert = false, false
	m.charset, m.shift, m.origin = [2]bool{}, 0, false
	m.current.saved = cursor{}
}

// here is the line the cursor is on.
func (m *model) here() *line { return m.current.lines[m.y] }

// put writes one character.
func (m *model) put(r rune) {
	w := m.width(r)
	if w == 0 || m.joining {
		m.combine(r)
		return
	}
	if m.x+w > m.columns || m.pending {
		m.wrap(w)
	} else if m.x == 0 {
		m.partAbove(m.y)
	}
	if abs := m.dropped + len(m.history) + m.y; abs < m.left && m.current == &m.normal {
		m.left = abs
	}
	l := m.here()
	if m.insert {
		m.insertCells(w)
	}
	l.part(m.x)
	l.part(m.x + w)
	l.reach(m.x + w)
	l.cells[m.x] = r
	if w == 2 {
		l.cells[m.x+1] = spill
	}
	m.last = r
	if m.x += w; m.x >= m.columns {
		m.x, m.pending, l.wrapped = m.columns-1, !m.noWrap, false
	}
}

// wrap makes room for a character w cells wide.
func (m *model) wrap(w int) {
	m.pending = false
	if m.noWrap {
		m.x = m.columns - w
		return
	}
	m.here().wrapped = true
	m.x = 0
	m.feed()
}

// combine adds a character without a width of its own to the one before.
func (m *model) combine(r rune) {
	at := m.x - 1
	if m.pending {
		at = m.x
	}
	cells := m.here().cells
	if at > 0 && at < len(cells) && cells[at] == spill {
		at--
	}
	m.joining = false
	if at < 0 || at >= len(cells) {
		return
	}
	m.joining = r == joiner
	if cells[at] >= 0 {
		m.clusters = append(m.clusters, string(cells[at]))
		cells[at] = ^rune(len(m.clusters) - 1)
	}
	if c := &m.clusters[^cells[at]]; len(*c) < clusterMost {
		*c += string(r)
	}
}

// feed moves the cursor down a line, and the screen up at its end.
func (m *model) feed() {
	if m.y == m.bottom {
		m.scrollUp(1)
	} else if m.y < m.rows-1 {
		m.y++
	}
}

// scrollUp moves the lines of the region up by n. What leaves the top of the
// normal screen is kept.
func (m *model) scrollUp(n int) {
	n = min(n, m.bottom-m.top+1)
	if m.top == 0 && m.current == &m.normal {
		for _, l := range m.normal.lines[:n] {
			m.history = append(m.history, m.record(l))
		}
		m.trim()
	} else {
		m.partAbove(m.top)
	}
	rise(m.current.lines[m.top:m.bottom+1], n)
}

// partAbove notes that what is to stand in line y does not go on from above it.
func (m *model) partAbove(y int) {
	if y > 0 {
		m.current.lines[y-1].wrapped = false
	} else if n := len(m.history); n > 0 && m.current == &m.normal {
		m.history[n-1].wrapped = false
	}
}

// trim bounds the history.
func (m *model) trim() {
	if len(m.history) >= 2*historyMost {
		n := copy(m.history, m.history[historyMost:])
		m.history = m.history[:n]
		m.dropped += historyMost
	}
}

// forget drops the history.
func (m *model) forget() {
	m.dropped += len(m.history)
	m.history = m.history[:0]
}

// insertCells shifts the rest of the cursor's line right by n cells.
func (m *model) insertCells(n int) {
	l := m.here()
	l.part(m.x)
	if n = min(n, m.columns-m.x); m.x >= len(l.cells) {
		return
	}
	size := min(len(l.cells)+n, m.columns)
	l.reach(size)
	copy(l.cells[m.x+n:], l.cells[m.x:])
	for i := m.x; i < m.x+n; i++ {
		l.cells[i] = ' '
	}
}

// deleteCells shifts the rest of the cursor's line left by n cells.
func (m *model) deleteCells(n int) {
	l := m.here()
	l.part(m.x)
	l.part(m.x + n)
	if m.x < len(l.cells) {
		l.cells = append(l.cells[:m.x], l.cells[min(m.x+n, len(l.cells)):]...)
		l.wrapped = false
	}
}
