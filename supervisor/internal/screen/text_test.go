package screen

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestControls: one row for each thing a terminal can be told, on a screen of
// 20 columns and 5 rows. In what is wanted, / parts lines.
func TestControls(t *testing.T) {
	t.Parallel()
	const page = "a1\r\nb2\r\nc3\r\nd4\r\ne5"
	for _, c := range []struct{ name, written, want string }{
		{"nothing", "", ""},
		{"plain", "one\r\ntwo\r\n", "one/two"},
		{"line feed alone goes straight down", "one\ntwo", "one/   two"},
		{"vertical tab and form feed", "a\vb\fc", "a/ b/  c"},
		{"trailing spaces", "one  \r\n  \r\ntwo \r\n \r\n", "one//two"},
		{"carriage return", "12%\r100%", "100%"},
		{"spinner", "⠋ work\r⠙ work\r⠹ work\r✓ done", "✓ done"},
		{"spinner erased", "⠋ work\r\x1b[Kdone", "done"},
		{"spinner erased whole", "⠋ long work\x1b[2K\rdone", "done"},
		{"spinner over lines", "|\r\n|\r\n\x1b[2Aok\r\nok\r\n", "ok/ok"},
		{"backspace", "abc\b\bX", "aXc"},
		{"backspace at the start", "\b\bX", "X"},
		{"tabs", "a\tb\tc", "a       b       c"},
		{"tab at the edge", "\t\t\t\tx", "                   x"},
		{"tab forward and back", "\x1b[2Ix\x1b[2Zy", "        y       x"},
		{"bell and other controls", "a\a\x00\x05b\x7f", "ab"},
		{"colours", "\x1b[1m\x1b[38;2;1;2;3mred\x1b[0m\x1b[4:3mx\x1b[m", "redx"},
		{"title", "\x1b]0;title\atext", "text"},
		{"title ended by a string terminator", "\x1b]2;title\x1b\\text", "text"},
		{"title that was cut short", "\x1b]2;title\x1b[1mtext", "text"},
		{"title cancelled", "\x1b]2;ti\x18text", "text"},
		{"title without an end", "a\x1b]2;title\r\ntext", "a/ text"},
		{"link", "\x1b]8;;https://example.org\x1b\\here\x1b]8;;\x1b\\", "here"},
		{"device control", "\x1bP+q544e\x1b\\text", "text"},
		{"application, privacy and other strings", "\x1b_a\x1b\\b\x1b^c\x1b\\d\x1bXe\x1b\\f", "bdf"},
		{"8-bit controls", "a\u0085\u008eb\u009b31mc", "abc"},
		{"line drawing", "\x1b(0lqk\x1b(Bq", "┌─┐q"},
		{"line drawing shifted in", "\x1b)0q\x0eq\x0fq", "q─q"},
		{"other charsets", "\x1b(A\x1b*0\x1b%G\x1b#8\x1b Fx", "x"},
		{"keypad and unknown", "\x1b=\x1b>\x1bHx", "x"},
		{"keyboard modes are no cursor", "abc\x1b[>1u\x1b[<u\x1b[=1;1ux", "abcx"},
		{"cursor style", "ab\x1b[5 qc", "abc"},
		{"control inside a sequence", "ab\x1b[3\r1mc", "cb"},
		{"sequence cut by another", "ab\x1b[3\x1b[1mc", "abc"},
		{"sequence cancelled", "ab\x1b[3\x18mc", "abmc"},
		{"sequence cut by a character", "ab\x1b[3é", "abé"},
		{"sequence cut by the end", "ab\x1b[38;5", "ab"},
		{"escape at the end", "ab\x1b", "ab"},
		{"character cut by the end", "ab\xe2\x82", "ab"},
		{"character cut by the start", "\x82\xacab", "ab"},
		{"broken character", "a\xffb\xc3(", "a�b�("},
		{"cursor address", page + "\x1b[2;3HX", "a1/b2X/c3/d4/e5"},
		{"cursor address out of bounds", "\x1b[99;99HX", "////                   X"},
		{"cursor address of zero", "ab\x1b[0;0HX", "Xb"},
		{"cursor moves", "\x1b[3B\x1b[5CX\x1b[2A\x1b[3DY", "/   Y//     X"},
		{"next and previous line", "abc\x1b[2EX\x1b[FY", "abc/Y/X"},
		{"column and row", "abcdef\x1b[3GX\x1b[4dY\x1b[2`Z", "abXdef///" + " Z Y"},
		{"moves by name", "\x1b[2a\x1b[1eX\x1b[3;2fY", "/  X/ Y"},
		{"index and reverse", "a\x1bDb\x1bMc\x1bEd", "a c/db"},
		{"reverse index at the top", page + "\x1b[H\x1bMnew", "new/a1/b2/c3/d4"},
		{"saved cursor", "ab\x1b7\r\n\r\ncd\x1b8X", "abX//cd"},
		{"saved cursor of ANSI", "ab\x1b[s\r\ncd\x1b[uX", "abX/cd"},
		{"saved cursor by mode", "ab\x1b[?1048h\r\ncd\x1b[?1048lX", "abX/cd"},
		{"erase to the end", page + "\x1b[3;2H\x1b[J", "a1/b2/c"},
		{"erase to the start", page + "\x1b[3;1H\x1b[1J", "// 3/d4/e5"},
		{"erase all", page + "\x1b[2Jx", "////  x"},
		{"erase all and history", page + "\r\n\r\n\x1b[2J\x1b[3J\x1b[Hx", "x"},
		{"history stays", page + "\r\nf6\r\n\x1b[2J\x1b[Hx", "a1/b2/x"},
		{"erase line", "abcdef\x1b[3D\x1b[K", "abc"},
		{"erase line to the start", "abcdef\x1b[3D\x1b[1K", "    ef"},
		{"erase selectively", "abcdef\x1b[3D\x1b[?K\x1b[?1Jx", "   x"},
		{"erase after the last column", strings.Repeat("x", 20) + "\x1b[K", strings.Repeat("x", 20)},
		{"erase characters", "abcdef\x1b[4D\x1b[2X", "ab  ef"},
		{"insert characters", "abcdef\x1b[4D\x1b[2@", "ab  cdef"},
		{"insert characters at the edge", "12345678901234567890\x1b[3G\x1b[2@", "12  3456789012345678"},
		{"insert characters in nothing", "a\x1b[9C\x1b[2@b", "a         b"},
		{"delete characters", "abcdef\x1b[4D\x1b[2P", "abef"},
		{"delete more than there is", "abcdef\x1b[4D\x1b[99P", "ab"},
		{"insert mode", "abc\r\x1b[4hXY\x1b[4l\bZ", "XZabc"},
		{"insert lines", page + "\x1b[2;2H\x1b[2Lx", "a1/x//b2/c3"},
		{"delete lines", page + "\x1b[2;2H\x1b[2Mx", "a1/x4/e5"},
		{"delete the first line for good", page + "\x1b[H\x1b[M", "b2/c3/d4/e5"},
		{"insert lines beside the region", page + "\x1b[3;4r\x1b[H\x1b[Lx", "x1/b2/c3/d4/e5"},
		{"scroll up", page + "\x1b[2S\x1b[Hx", "a1/b2/x3/d4/e5"},
		{"scroll down", page + "\x1b[2T", "//a1/b2/c3"},
		{"scroll region", page + "\x1b[2;4r\x1b[4;1H\r\nx", "a1/c3/d4/x/e5"},
		{"scroll region backwards", page + "\x1b[2;4r\x1b[2;1H\x1bMx", "a1/x/b2/c3/e5"},
		{"scroll region at the top keeps what leaves", page + "\x1b[1;2r\x1b[2;1H\r\nx", "a1/b2/x/c3/d4/e5"},
		{"scroll region of one line is none", page + "\x1b[2;2r\r\nx", "a1/b2/c3/d4/e5/x"},
		{"moves stay in the region", page + "\x1b[2;4r\x1b[3;1H\x1b[9Ax\x1b[9By", "a1/x2/c3/dy/e5"},
		{"origin", page + "\x1b[2;4r\x1b[?6h\x1b[1;1Hx\x1b[9;1Hy\x1b[?6l", "a1/x2/c3/y4/e5"},
		{"soft reset", page + "\x1b[2;4r\x1b[!p\x1b[5;3H\r\nx", "a1/b2/c3/d4/e5/x"},
		{"full reset", page + "\x1b(0\x1bcq", "q"},
		{"wrap is one line", "1234567890123456789012345\r\nx", "1234567890123456789012345/x"},
		{"wrap waits", "12345678901234567890\r\nx", "12345678901234567890/x"},
		{"wrap that another line takes over", "1234567890123456789012345\r\x1b[Kx", "12345678901234567890/x"},
		{"wrap above a scroll", "1234567890123456789012345\x1b[2;1H\x1b[Lx", "12345678901234567890/x/12345"},
		{"no wrap", "\x1b[?7l1234567890123456789012345", "12345678901234567895"},
		{"scrolled off", page + "\r\nf6\r\ng7", "a1/b2/c3/d4/e5/f6/g7"},
		{"wrapped and scrolled off", strings.Repeat("1234567890", 13), strings.Repeat("1234567890", 13)},
		{"repeat", "ab\x1b[3bc", "abbbbc"},
		{"repeat nothing", "\x1b[3bc", "c"},
		{"wide", "日本語\x1b[3G|", "日| 語"},
		{"wide at the edge", "1234567890123456789日x", "1234567890123456789日x"},
		{"half of a wide one overwritten", "日本\x1b[2Gx", " x本"},
		{"other half overwritten", "日本\rx", "x 本"},
		{"half of a wide one deleted", "日本x\x1b[2G\x1b[P", " 本x"},
		{"half of a wide one erased", "日本x\x1b[2G\x1b[2X", "    x"},
		{"wide without wrap", "\x1b[?7l12345678901234567890日", "123456789012345678日"},
		{"combining", "e\u0301a\u0308\x1b[2D|", "|a\u0308"},
		{"combining at the edge", "1234567890123456789e\u0301x", "1234567890123456789e\u0301x"},
		{"combining with nothing", "\u0301x", "x"},
		{"combining with a wide one", "日\u3099x", "日\u3099x"},
		{"pictures", "👍🏽✅ ok\x1b[1G\x1b[6C|", "👍🏽✅|ok"},
		{"joined pictures are one", "👩\u200d💻x\x1b[3G|", "👩\u200d💻|"},
		{"hair spaces and soft hyphens", "a\u00adb\u200bc", "a\u00adb\u200bc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := Text([]byte(c.written), 20, 5)
			if s := strings.Join(got.Lines, "/"); s != c.want {
				t.Errorf("%q shows\n%s\nwant\n%s", c.written, s, c.want)
			}
			if got.Before != nil || got.Alternate != nil || got.Open {
				t.Errorf("%q uses the alternate screen: %+v", c.written, got)
			}
		})
	}
}

// TestAlternate: what was seen on the alternate screen and around it, in parts:
// before, alternate, lines.
func TestAlternate(t *testing.T) {
	t.Parallel()
	const in, out = "\x1b[?1049h\x1b[H", "\x1b[?1049l"
	for _, c := range []struct{ name, written, want string }{
		{"open", "$ x\r\n" + in + "menu", "$ x|menu|+"},
		{"open and blank", "$ x\r\n" + in, "$ x||+"},
		{"left", "$ x\r\n" + in + "menu" + out + "bye\r\n", "$ x|menu|bye"},
		{"left with nothing to say", "$ x\r\n" + in + "menu" + out, "$ x|menu|"},
		{"left on a line begun", "ab\x1b[?47hmenu\x1b[?47l\rX", "|  menu|Xb"},
		{"erased by address first", in + "error\x1b[1;1H\x1b[J" + out + "bye", "|error|bye"},
		{"erased whole first", in + "error\x1b[2J" + out + "bye", "|error|bye"},
		{"drawn anew", in + "old\x1b[2J\x1b[Hnew" + out + "bye", "|new|bye"},
		{"twice", in + "one" + out + "a\r\n" + in + "two" + out + "b", "a|two|b"},
		{"second time blank", in + "one" + out + "a\r\n" + in + out + "b", "a|one|b"},
		{"erased before it came", "old\x1b[H\x1b[2J" + in + out + "b", "||b"},
		{"text after scrolls", in + "m" + out + strings.Repeat("x\r\n", 7), "|m|x/x/x/x/x/x/x"},
		{"text before scrolled", strings.Repeat("x\r\n", 7) + in + "m" + out + "y", "x/x/x/x/x/x/x|m|y"},
		{"screen wiped after", "a\r\nb\r\n" + in + "m" + out + "\x1b[H\x1b[2Jnew", "|m|new"},
		{"history wiped after", strings.Repeat("x\r\n", 7) + in + "m" + out + "\x1b[3J\x1b[2Jy", "|m|y"},
		{"reset instead of left", "a" + in + "m\x1bcb", "|m|b"},
		{"entered twice", in + "m" + in + "n" + out + "b", "|n|b"},
		{"without its start", "\x1b[2;3Hmenu" + out + "bye", "|/  menu|bye"},
		{"without its start, erased", "\x1b[2;3Hmenu\x1b[H\x1b[J" + out + "bye", "|/  menu|bye"},
		{"left without having been there", "a\r\n" + out + "b", "||a/b"},
		{"left twice", in + "m" + out + "a\r\n" + out + "b", "|m|a/b"},
		{"region does not outlive it", in + "\x1b[2;3rm" + out + strings.Repeat("x\r\n", 6), "|m|x/x/x/x/x/x"},
		{"alternate screen has no history", in + strings.Repeat("m\r\n", 9) + out + "a", "|m/m/m/m|a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := Text([]byte(c.written), 20, 5)
			got := strings.Join(s.Before, "/") + "|" + strings.Join(s.Alternate, "/") + "|" + strings.Join(s.Lines, "/")
			if s.Open {
				got += "+"
			}
			if got != c.want {
				t.Errorf("%q shows\n%s\nwant\n%s", c.written, got, c.want)
			}
			if want := slices.Concat(s.Before, s.Alternate, s.Lines); !slices.Equal(s.All(), want) {
				t.Errorf("all is %q", s.All())
			}
		})
	}
}

// TestNoTerminal: output that went to no terminal has lines of any length.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 1000)
	got := Text([]byte("one\n"+long+"\ntwo\n\x1b[31mthree\x1b[0m\n"), 0, 0)
	if want := []string{"one", long, "two", "three"}; !slices.Equal(got.Lines, want) {
		t.Errorf("shows %q", got.Lines)
	}
}

// TestHistoryIsBounded: the oldest lines go first, and what follows the alternate
// screen is still found.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 20000 {
		b.WriteString(strconv.Itoa(i) + "\r\n")
		if i == 18999 {
			b.WriteString("\x1b[?1049hmenu\x1b[?1049l")
		}
	}
	got := Text([]byte(b.String()), 80, 24)
	if n := len(got.Before) + len(got.Lines); n < historyMost || n > 2*historyMost+24 {
		t.Errorf("%d lines kept", n)
	}
	if len(got.Lines) != 1000 || got.Lines[0] != "19000" || got.Lines[999] != "19999" {
		t.Errorf("%d lines since, from %.5s", len(got.Lines), got.Lines)
	}
}

// TestLineDrawing: the table has one character for each of the set's.
func TestLineDrawing(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for r := '_'; r <= 0x7f; r++ {
		got.WriteRune(lineDrawing(r))
	}
	if want := "_◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·\x7f"; got.String() != want {
		t.Errorf("drawn %s, want %s", got.String(), want)
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	m := newModel(80, 24)
	if !slices.IsSorted(m.wide) || len(m.wide)%2 != 0 {
		t.Error("the list of wide characters is no list of ranges in order")
	}
	for width, runes := range []string{"\u0300\u200b\u200d\ufe0f\u1160", "aé─█☀⠋•✕■›\u10ff", "ᄀ日〾가！⌚✅👍𠀀\U0003fffd"} {
		for _, r := range runes {
			if got := m.width(r); got != width {
				t.Errorf("%U takes %d cells, want %d", r, got, width)
			}
		}
	}
}

// FuzzText: whatever is written, at any size, what shows is clean text within
// bounds, and a Tail fed with it in chunks shows the same.
func FuzzText(f *testing.F) {
	f.Add([]byte("\x1b[?1049h\x1b[3;4Hm\xc3\xa9nu\x1b[2J\x1b[?1049lbye\r\n"), 80, 24, 3)
	f.Add([]byte("a\x1b[4hb\x1b[99@\x1b[5P\x1b[3X日\u0301\x1b[2;3r\x1b[L\x1b[M\x1b[S\x1b[T\x1bM\x1bD"), 2, 1, 1)
	f.Add([]byte("\x1b]0;x\x1bP\x1b\\\x1b(0q\x0e\x0f\x1b[?6h\x1b[d\x1b[!p\x1bc\x1b[9999b\x1b[9Z"), 0, 0, 2)
	f.Add([]byte("日\x1b[1;2Hx\x1b[?7l本本本\b\u200dx\x1b[1K\x1b[3J\x1b7\x1b8\x1b[s\x1b[u"), 5, 3, 7)
	f.Fuzz(func(t *testing.T, written []byte, columns, rows, size int) {
		got := Text(written, columns, rows)
		for _, l := range got.All() {
			if !utf8.ValidString(l) || strings.ContainsFunc(l, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
				t.Errorf("%q shows %q", written, l)
			}
		}
		if got.Open && got.Lines != nil || len(got.Alternate) > rowsMost {
			t.Errorf("%q shows %+v", written, got)
		}
		if size <= 0 || len(written) > TailSize {
			return
		}
		var tail Tail
		for chunk := range slices.Chunk(written, size) {
			tail.Add(chunk)
		}
		if !bytes.Equal(tail.Bytes(), written) {
			t.Errorf("in chunks of %d: %q, want %q", size, tail.Bytes(), written)
		}
	})
}

// BenchmarkText plays back a full tail: of plain lines, of a program that draws
// the whole screen, and of what costs most for its length.
func BenchmarkText(b *testing.B) {
	for _, c := range []struct{ name, piece string }{
		{"lines", "\x1b[1m\x1b[31mERROR:\x1b[0m\x1b[0m Reconnecting... 1/5 because the stream was closed\r\n"},
		{"drawn", "\x1b[?2026h\x1b[12;1H\x1b[38;5;223;49m⠋ Working\x1b[39;49m (12s • esc to interrupt)\x1b[K\x1b[?2026l"},
		{"wide", "日本語テキスト e\u0301 👍\r\n"},
		{"marks", "x\u0301\u0302\u0303"},
		{"scroll", "\x1b[99S"},
		{"wipe", "\x1b[2Jx"},
		{"repeat", "x\x1b[999b"},
		{"insert", "\x1b[H\x1b[4hx"},
		{"erase", "\x1b[1K"},
		{"titles", "\x1b]"},
		{"reset", "\x1bc"},
		{"reset inked", "x\x1bc"},
		{"history", "\n"},
		{"screens", "\x1b[?1049hx\x1b[?1049l"},
	} {
		b.Run(c.name, func(b *testing.B) {
			tail := []byte("\x1b[60;180H" + strings.Repeat(c.piece, TailSize/len(c.piece)))
			b.ReportAllocs()
			for b.Loop() {
				Text(tail, 200, 60)
			}
		})
	}
}
