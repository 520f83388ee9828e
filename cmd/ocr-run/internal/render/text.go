package render

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// CommandLine is a command as a shell would read it back, on one line. Words
// that need no quotes have none; control characters and invalid UTF-8 are
// written as escapes, so that no command can speak to the terminal.
func CommandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

// commandMost is how many characters of a command a line of a table shows: more than
// anybody reads, and less than the megabytes that a command can have.
const commandMost = 500

// ShortCommand is CommandLine for a line of a table, cut where it is as long as no
// other one.
func ShortCommand(words []string) string {
	size, n := 0, 0
	for n < len(words) && size <= commandMost*utf8.UTFMax {
		size += len(words[n]) + 1
		n++
	}
	words = slices.Clone(words[:n])
	if n > 0 {
		words[n-1] = start(words[n-1], commandMost*utf8.UTFMax)
	}
	line := CommandLine(words)
	if utf8.RuneCountInString(line) <= commandMost {
		return line
	}
	return string([]rune(line)[:commandMost-1]) + "…"
}

// start is at most the first n bytes of a text, and ends with a whole character.
func start(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// shellWord quotes one word as lightly as it can.
func shellWord(w string) string {
	switch {
	case w == "":
		return "''"
	case strings.ContainsFunc(w, unprintable) || !utf8.ValidString(w):
		return "$'" + escaped(w, true) + "'"
	case strings.ContainsFunc(w, needsQuotes):
		return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	default:
		return w
	}
}

// needsQuotes says whether a shell would read r as something other than r.
func needsQuotes(r rune) bool {
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return false
	}
	return !strings.ContainsRune("@%+=:,./-_", r)
}

// unprintable says whether r does something other than show itself. Besides
// controls these are the format characters that reorder or hide text.
func unprintable(r rune) bool { return !unicode.IsPrint(r) && r != ' ' || r == utf8.RuneError }

// Plain is a text of unknown origin made safe for a terminal and kept on one
// line; what shows itself stays as it is.
func Plain(s string) string {
	if !strings.ContainsFunc(s, unprintable) && utf8.ValidString(s) {
		return s
	}
	return escaped(s, false)
}

// escaped writes s with its unprintable characters as backslash escapes. For a
// shell, backslashes and quotes are escaped as well.
func escaped(s string, shell bool) string {
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case shell && (r == '\\' || r == '\''):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x80 && unprintable(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unprintable(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// Span is a length of time in at most two units, as in 45s, 3m12s or 2d4h.
// Below ten seconds it keeps one decimal.
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return twoUnits(d, time.Minute, "m", time.Second, "s")
	case d < 24*time.Hour:
		return twoUnits(d, time.Hour, "h", time.Minute, "m")
	default:
		return twoUnits(d, 24*time.Hour, "d", time.Hour, "h")
	}
}

// twoUnits writes d in a large and a small unit; a zero small one is left out.
func twoUnits(d, large time.Duration, l string, small time.Duration, s string) string {
	if rest := d % large / small; rest > 0 {
		return fmt.Sprintf("%d%s%d%s", d/large, l, rest, s)
	}
	return fmt.Sprintf("%d%s", d/large, l)
}

// spanMS is Span of milliseconds.
func spanMS(ms int64) string { return Span(time.Duration(ms) * time.Millisecond) }
