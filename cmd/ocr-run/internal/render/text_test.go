package render

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Only a command of which a line would be as long as no other one is cut.
func TestShortCommand(t *testing.T) {
	t.Parallel()
	many := make([]string, 1_000_000)
	for i := range many {
		many[i] = "x"
	}
	for name, words := range map[string][]string{
		"none": nil, "an ordinary one": {"sh", "-c", "a b"}, "at the limit": {strings.Repeat("ä", 250), strings.Repeat("x", 249)},
		"one over it": {strings.Repeat("ä", 250), strings.Repeat("x", 250)}, "one monster": {"sh", "-c", strings.Repeat("a 𝄞", 1<<20)},
		"one cut in a character": {"aa" + strings.Repeat("ä b ", 1<<20)}, "another": {"a" + strings.Repeat("ä b ", 1<<20)},
		"of many words": many, "not UTF-8": {strings.Repeat("\xff", 1<<20)},
	} {
		whole, got := CommandLine(words), ShortCommand(words)
		if utf8.RuneCountInString(whole) <= 500 {
			if got != whole {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if cut, ok := strings.CutSuffix(got, "…"); !ok || utf8.RuneCountInString(cut) != 499 || !strings.HasPrefix(whole, cut) {
			t.Errorf("%s: %q of %d", name, got, utf8.RuneCountInString(whole))
		}
	}
}
