package main

import (
	"strings"
	"testing"
)

func TestPlainWord(t *testing.T) {
	t.Parallel()
	for _, fine := range []string{"", "2026-01-31-feat-x", "größe", "日本", "👩‍💻", "a b", "feat/x@2"} {
		if err := plainWord(fine); err != nil {
			t.Errorf("%q is refused: %v", fine, err)
		}
	}
	for _, bad := range []string{"a\nb", "\x1b[31mred", "a\tb", "\x00", "a\x7f", "a\u0085b", "a\u2028b", "a\u2029", "\u202egpj.exe", "\xff"} {
		if plainWord(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestSessionName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id        string
		directory bool
		want      bool
	}{
		{"2026-01-31-feat-x", false, true},
		{"feat/x", false, false},
		{"feat/x", true, true},
		{"../../etc", false, false},
		{"..", false, false},
		{".", false, false},
		{strings.Repeat("n", maxName), false, true},
		{strings.Repeat("n", maxName+1), true, false},
	} {
		if got := sessionName(tt.id, tt.directory) == nil; got != tt.want {
			t.Errorf("sessionName(%q, %v) = %v", tt.id, tt.directory, got)
		}
	}
}
