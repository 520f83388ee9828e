package screen

import (
	"bytes"
	"slices"
	"strconv"
)

const esc = 0x1b

// pendingMost bounds an escape sequence that spans chunks, in bytes. The longest
// that sets a mode is far shorter; anything longer is text we need not know.
const pendingMost = 64

// Modes follows the terminal modes a program switches on. Its zero value is a
// terminal in its default state.
type Modes struct {
	private  []int // private modes that differ from their default, oldest first
	pending  []byte
	kitty    int // pushes of the kitty keyboard stack not yet popped
	keypad   bool
	keys     bool // modifyOtherKeys
	cursor   bool // cursor style
	insert   bool
	charset  bool
	region   bool
	coloured bool
	version  int
	place    place
}

// tracked lists the private modes whose leaving on harms whoever comes next:
// application cursor keys, reverse video, autowrap, mouse, focus, bracketed
// paste, alternate screen, synchronised output, colour-scheme and size reports.
// Source: xterm's control sequences and the kitty and contour extensions.
func tracked() []int {
	return []int{1, 5, 7, 9, 25, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004, 2026, 2031, 2048}
}

// onByDefault says whether a mode is on in a terminal nobody has touched.
func onByDefault(mode int) bool { return mode == 7 || mode == 25 }

// Version changes whenever Reset would answer something else, colours excepted:
// those change far too often.
func (m *Modes) Version() int { return m.version }

// Scan follows one chunk of output. Chunks may split a sequence anywhere.
func (m *Modes) Scan(b []byte) {
	if len(m.pending) > 0 {
		b = append(m.pending, b...)
		m.pending = nil
	}
	for {
		i := bytes.IndexByte(b, esc)
		if i < 0 {
			m.place.text(b)
			return
		}
		m.place.text(b[:i])
		b = b[i:]
		n := m.sequence(b)
		if n == 0 {
			m.keep(b)
			return
		}
		b = b[n:]
	}
}

// keep remembers an unfinished sequence for the next chunk.
func (m *Modes) keep(b []byte) {
	if len(b) <= pendingMost {
		m.pending = bytes.Clone(b)
	}
}

// sequence reads the escape sequence b starts with and says how many bytes are
// dealt with; 0 means it is not finished yet.
func (m *Modes) sequence(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	m.place.escape(b[1])
	switch b[1] {
	case '[':
		return m.csi(b)
	case '(':
		if len(b) < 3 {
			return 0
		}
		m.change(&m.charset, b[2] != 'B')
		return 3
	case '=':
		m.change(&m.keypad, true)
	case '>':
		m.change(&m.keypad, false)
	case 'c':
		*m = Modes{version: m.version + 1}
	case esc:
		return 1
	}
	return 2
}

// csi reads a control sequence: ESC [ prefix? parameters intermediates? final.
func (m *Modes) csi(b []byte) int {
	for i := 2; i < len(b); i++ {
		switch c := b[i]; {
		case c >= 0x40 && c <= 0x7e:
			m.control(b[2:i], c)
			return i + 1
		case c == esc:
			return i
		case i >= pendingMost:
			return i + 1
		}
	}
	return 0
}

// control acts on one finished control sequence.
func (m *Modes) control(args []byte, final byte) {
	prefix := byte(0)
	if len(args) > 0 && args[0] >= 0x3c && args[0] <= 0x3f {
		prefix, args = args[0], args[1:]
	}
	switch {
	case prefix == '?' && (final == 'h' || final == 'l'):
		for _, p := range numbers(args) {
			m.setPrivate(p, final == 'h')
		}
	case prefix == '>' && final == 'u':
		m.kitty++
		m.version++
	case prefix == '<' && final == 'u':
		m.popKitty(args)
	case prefix == '>' && final == 'm' && len(args) > 0 && args[0] == '4':
		m.change(&m.keys, len(args) > 2 && args[2] != '0')
	case prefix == 0:
		m.plain(args, final)
	}
}

// plain acts on a control sequence without a prefix.
func (m *Modes) plain(args []byte, final byte) {
	m.place.move(args, final)
	switch final {
	case 'm':
		m.coloured = len(args) > 0 && !bytes.Equal(args, []byte("0"))
	case 'r':
		m.change(&m.region, len(args) > 0)
	case 'q':
		if n := len(args); n > 0 && args[n-1] == ' ' {
			m.change(&m.cursor, n > 1 && args[0] != '0')
		}
	case 'h', 'l':
		if bytes.Equal(args, []byte("4")) {
			m.change(&m.insert, final == 'h')
		}
	case 'p':
		if bytes.Equal(args, []byte("!")) {
			m.softReset()
		}
	}
}

// softReset is what DECSTR undoes: everything but the screen itself.
func (m *Modes) softReset() {
	alt := slices.DeleteFunc(slices.Clone(m.private), func(p int) bool { return p != 47 && p != 1047 && p != 1049 })
	*m = Modes{private: alt, kitty: m.kitty, version: m.version + 1, place: m.place}
}

// popKitty takes as many keyboard modes off the stack as were asked for.
func (m *Modes) popKitty(args []byte) {
	n := 1
	if ps := numbers(args); len(ps) > 0 && ps[0] > 0 {
		n = ps[0]
	}
	m.kitty = max(0, m.kitty-n)
	m.version++
}

// setPrivate notes that a private mode was switched.
func (m *Modes) setPrivate(mode int, on bool) {
	if mode == saveAndSwitch {
		m.place.keep(on)
	}
	if !slices.Contains(tracked(), mode) {
		return
	}
	at := slices.Index(m.private, mode)
	switch off := on == onByDefault(mode); {
	case off && at >= 0:
		m.private = slices.Delete(m.private, at, at+1)
		m.version++
	case !off && at < 0:
		m.private = append(m.private, mode)
		m.version++
	}
}

// change sets a flag and notes whether that was news.
func (m *Modes) change(flag *bool, to bool) {
	if *flag != to {
		*flag = to
		m.version++
	}
}

// Reset is what undoes everything that is switched on, newest first, and
// nothing else; it is empty for a terminal in its default state.
func (m *Modes) Reset() []byte {
	var out []byte
	if m.kitty > 0 {
		out = append(out, "\x1b[<"+strconv.Itoa(m.kitty)+"u"...)
	}
	if m.keys {
		out = append(out, "\x1b[>4m"...)
	}
	for _, mode := range slices.Backward(m.private) {
		final := byte('l')
		if onByDefault(mode) {
			final = 'h'
		}
		out = append(out, "\x1b[?"+strconv.Itoa(mode)+string(final)...)
	}
	for _, f := range []struct {
		on  bool
		off string
	}{
		{m.region, "\x1b7\x1b[r\x1b8"}, // setting the region moves the cursor
		{m.insert, "\x1b[4l"},
		{m.keypad, "\x1b>"},
		{m.charset, "\x1b(B"},
		{m.cursor, "\x1b[0 q"},
		{m.coloured, "\x1b[0m"},
	} {
		if f.on {
			out = append(out, f.off...)
		}
	}
	return out
}

// numbers reads semicolon-separated parameters; what is no number is left out.
func numbers(args []byte) []int {
	var out []int
	for part := range bytes.SplitSeq(args, []byte(";")) {
		if n, err := strconv.Atoi(string(part)); err == nil {
			out = append(out, n)
		}
	}
	return out
}
