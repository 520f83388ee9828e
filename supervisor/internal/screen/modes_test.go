package screen

import (
	"bytes"
	"strings"
	"testing"
)

func TestReset(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, written, undo string }{
		{"nothing", "plain text\r\n", ""},
		{"alternate screen", "\x1b[?1049h", "\x1b[?1049l"},
		{"left again", "\x1b[?1049h..\x1b[?1049l", ""},
		{"newest first", "\x1b[?1049h\x1b[?1000h\x1b[?2004h", "\x1b[?2004l\x1b[?1000l\x1b[?1049l"},
		{"several at once", "\x1b[?1000;1006h", "\x1b[?1006l\x1b[?1000l"},
		{"hidden cursor comes back", "\x1b[?25l", "\x1b[?25h"},
		{"shown cursor is the default", "\x1b[?25h", ""},
		{"no autowrap", "\x1b[?7l", "\x1b[?7h"},
		{"kitty keyboard", "\x1b[>1u\x1b[>5u\x1b[<u", "\x1b[<1u"},
		{"kitty popped", "\x1b[>1u\x1b[<1u", ""},
		{"modify other keys", "\x1b[>4;2m", "\x1b[>4m"},
		{"modify other keys off", "\x1b[>4;2m\x1b[>4;0m", ""},
		{"keypad", "\x1b=", "\x1b>"},
		{"line drawing", "\x1b(0", "\x1b(B"},
		{"scroll region", "\x1b[2;10r", "\x1b7\x1b[r\x1b8"},
		{"insert", "\x1b[4h", "\x1b[4l"},
		{"cursor style", "\x1b[5 q", "\x1b[0 q"},
		{"colour", "\x1b[31mred", "\x1b[0m"},
		{"colour reset", "\x1b[31mred\x1b[0m", ""},
		{"colour reset in short", "\x1b[31mred\x1b[m", ""},
		{"soft reset keeps the screen", "\x1b[?1049h\x1b[?25l\x1b[!p", "\x1b[?1049l"},
		{"full reset", "\x1b[?1049h\x1b[?25l\x1bc", ""},
		{"unknown mode", "\x1b[?31337h", ""},
		{"title is no mode", "\x1b]0;[?1049h\x07", ""},
		{"broken sequence", "\x1b[?10\x1b[?1000h", "\x1b[?1000l"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var m Modes
			m.Scan([]byte(c.written))
			if got := string(m.Reset()); got != c.undo {
				t.Errorf("after %q: reset %q, want %q", c.written, got, c.undo)
			}
		})
	}
}

func TestVersionMovesWithReset(t *testing.T) {
	t.Parallel()
	var m Modes
	before := m.Version()
	m.Scan([]byte(strings.Repeat("\x1b[31mtext\x1b[0m", 10)))
	if m.Version() != before {
		t.Error("colours move the version")
	}
	m.Scan([]byte("\x1b[?2004h"))
	if m.Version() == before {
		t.Error("a mode does not move the version")
	}
}

// FuzzScan: however output is cut into chunks, the answer is the same; and what
// Reset says puts everything back.
func FuzzScan(f *testing.F) {
	f.Add([]byte("\x1b[?1049h\x1b[?1000;1006h\x1b[>1u"), 3)
	f.Add([]byte("\x1b[5 q\x1b(0\x1b=\x1b[2;3r"), 1)
	f.Add([]byte("\x1b[?25l\x1b[31m"), 2)
	f.Fuzz(func(t *testing.T, written []byte, size int) {
		// Sequences longer than what is remembered may be cut short.
		if size <= 0 || longSequence(written) {
			return
		}
		var whole, parts Modes
		whole.Scan(written)
		for b := written; len(b) > 0; b = b[min(size, len(b)):] {
			parts.Scan(b[:min(size, len(b))])
		}
		if whole.Within() != parts.Within() {
			t.Errorf("whole within a line: %v, in parts %v", whole.Within(), parts.Within())
		}
		if !bytes.Equal(whole.Reset(), parts.Reset()) {
			t.Errorf("whole %q, in parts %q", whole.Reset(), parts.Reset())
		}
		undone := whole
		undone.pending = nil
		undone.Scan(whole.Reset())
		if rest := undone.Reset(); len(rest) > 0 {
			t.Errorf("%q leaves %q on", whole.Reset(), rest)
		}
	})
}

// longSequence says whether b has an escape that is not finished within what
// Modes remembers.
func longSequence(b []byte) bool {
	for i := bytes.IndexByte(b, esc); i >= 0; {
		next := bytes.IndexByte(b[i+1:], esc)
		if next < 0 {
			return len(b)-i > pendingMost/2
		}
		if next > pendingMost/2 {
			return true
		}
		i += 1 + next
	}
	return false
}
