package screen

import "testing"

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, written string
		within        bool
	}{
		{"nothing", "", false},
		{"a line", "line\r\n", false},
		{"an interrupt key, echoed", "line\r\n^C", true},
		{"a prompt", "> ", true},
		{"progress", "10 %\r", false},
		{"a bell changes nothing", "line\r\n\a", false},
		{"colour", "\x1b[31mred\x1b[0m", true},
		{"colour, ended by a line", "\x1b[31mred\x1b[0m\r\n\x1b[m", false},
		{"a title", "line\r\n\x1b]0;title\a", false},
		{"a title, ended by another escape", "line\r\n\x1b]0;title\x1b\\", false},
		{"text after a title", "\x1b]0;title\atext", true},
		{"the alternate screen, left", "\x1b[?1049h\x1b[5;7Htext\x1b[?1049l\x1b[?25h", false},
		{"the alternate screen, entered within a line", "text\x1b[?1049h\x1b[H\x1b[?1049l", true},
		{"the last line, erased", "\x1b[24;1H\x1b[K", false},
		{"somewhere on the screen", "\r\n\x1b[24;10H", true},
		{"the first column", "text\x1b[G", false},
		{"saved and restored", "\x1b7text\x1b8", false},
		{"the start of another line", "text\x1b[2F", false},
		{"full reset", "text\x1bc", false},
		{"soft reset", "text\x1b[!p", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var m Modes
			m.Scan([]byte(c.written))
			if m.Within() != c.within {
				t.Errorf("after %q: within a line: %v", c.written, m.Within())
			}
		})
	}
}
