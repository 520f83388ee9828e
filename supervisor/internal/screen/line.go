package screen

// spill is the right half of a character two cells wide. Other cells hold a
// character; below zero, the complement of its index in the model's clusters.
const spill rune = 0

// line is one line of the screen, as far as anything was written on it.
type line struct {
	cells   []rune
	wrapped bool // the terminal's edge broke it: the text goes on below
}

// part breaks up a wide character that lies across cell x.
func (l *line) part(x int) {
	if x > 0 && x < len(l.cells) && l.cells[x] == spill {
		l.cells[x-1], l.cells[x] = ' ', ' '
	}
}

// reach makes the line at least n cells long.
func (l *line) reach(n int) {
	for len(l.cells) < n {
		l.cells = append(l.cells, ' ')
	}
}

// erase blanks the cells from one up to before another; to is within the screen.
func (l *line) erase(from, to int) {
	l.part(from)
	l.part(to)
	if to >= len(l.cells) {
		l.cells = l.cells[:min(from, len(l.cells))]
		l.wrapped = false
		return
	}
	for i := from; i < to; i++ {
		l.cells[i] = ' '
	}
}

// blankLines is an empty screen.
func blankLines(rows int) []*line {
	all := make([]line, rows)
	lines := make([]*line, rows)
	for i := range lines {
		lines[i] = &all[i]
	}
	return lines
}

// rise moves lines up by n; the first ones are lost.
func rise(lines []*line, n int) {
	n = min(n, len(lines))
	rotate(lines, n)
	wipe(lines[len(lines)-n:])
}

// sink moves lines down by n; the last ones are lost.
func sink(lines []*line, n int) {
	n = min(n, len(lines))
	rotate(lines, len(lines)-n)
	wipe(lines[:n])
	lines[len(lines)-1].wrapped = false
}

// rotate moves the first n lines behind the others.
func rotate(lines []*line, n int) {
	if n == len(lines) {
		return
	}
	aside := append(make([]*line, 0, 8), lines[:n]...)
	copy(lines, lines[n:])
	copy(lines[len(lines)-n:], aside)
}

// wipe makes lines blank.
func wipe(lines []*line) {
	for _, l := range lines {
		l.cells, l.wrapped = l.cells[:0], false
	}
}

// inked says whether anything can be seen on some lines.
func inked(lines []*line) bool {
	for _, l := range lines {
		for _, c := range l.cells {
			if c != ' ' {
				return true
			}
		}
	}
	return false
}
