package render

import (
	"strings"
	"unicode"
)

// Width is how many columns a terminal gives a text without control
// characters: two for East Asian wide characters and emoji, none for marks
// that sit on the character before them.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// Truncate shortens a text to at most columns, its last one an ellipsis then.
// A character never straddles the edge. Columns of 0 or less mean no limit.
func Truncate(s string, columns int) string {
	if columns <= 0 || Width(s) <= columns {
		return s
	}
	n := 0
	for i, r := range s {
		if n += runeWidth(r); n > columns-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// pad fills a text with spaces up to columns.
func pad(s string, columns int) string {
	if missing := columns - Width(s); missing > 0 {
		return s + strings.Repeat(" ", missing)
	}
	return s
}

// runeWidth is the number of columns of one character.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case wide(r):
		return 2
	default:
		return 1
	}
}

// wide says whether a character takes two columns. The list is the blocks of
// the Unicode East Asian Width property that are wide as a whole.
func wide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115f, r == 0x2329, r == 0x232a: // Hangul Jamo, angle brackets
		return true
	case r >= 0x2e80 && r <= 0xa4cf: // CJK, kana, Yi
		return r != 0x303f
	case r >= 0xac00 && r <= 0xd7a3: // Hangul syllables
		return true
	case r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f: // compatibility forms
		return true
	case r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6: // full width forms
		return true
	case r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f680 && r <= 0x1f6ff, r >= 0x1f900 && r <= 0x1faff: // emoji
		return true
	default:
		return r >= 0x20000 && r <= 0x3fffd // CJK extensions
	}
}
