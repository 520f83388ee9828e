package screen

// keep notes the screen as last seen, unless it is blank, and leaves a blank one
// in its place. Many programs wipe the alternate screen on their way out, and
// what a person saw is what was there before. While the alternate screen was not
// entered, the normal one may be it, with the start forgotten.
func (m *model) keep() {
	if m.entered && m.current == &m.normal || !inked(m.current.lines) {
		return
	}
	if m.seen == nil {
		m.seen = blankLines(m.rows)
	}
	m.seen, m.current.lines = m.current.lines, m.seen
	wipe(m.current.lines)
}

// enter switches to the alternate screen.
func (m *model) enter(blank bool) {
	if !m.entered {
		m.entered, m.seen = true, nil
	}
	m.current = &m.alternate
	m.top, m.bottom = 0, m.rows-1
	if blank {
		m.keep()
		wipe(m.alternate.lines)
	}
}

// leave switches back to the normal screen, and says whether that was one.
func (m *model) leave() bool {
	switch {
	case m.current == &m.alternate:
		m.keep()
	case m.addressed && !m.entered:
		// The tail begins within the alternate screen: what was drawn so far
		// was that, and where the normal cursor was is forgotten.
		m.keep()
		m.entered = true
		m.normal = grid{lines: blankLines(m.rows)}
		m.cursor = cursor{}
	default:
		return false
	}
	m.current = &m.normal
	m.top, m.bottom = 0, m.rows-1
	return true
}

// mark notes that what is written from here on follows the alternate screen.
func (m *model) mark() {
	if m.entered && m.current == &m.normal {
		m.left = m.dropped + len(m.history) + m.y
	}
}
