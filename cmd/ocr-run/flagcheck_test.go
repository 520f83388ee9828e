package main

import (
	"strings"
	"testing"
)

// TestFlagsCheckedInOurWords: what is said of a flag names it as it was typed, and
// what was meant where that can be guessed.
func TestFlagsCheckedInOurWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ args, want string }{
		{"--timout 3m", "--timout: no such flag; did you mean --timeout?"},
		{"-timout=3m", "-timout: no such flag; did you mean --timeout?"},
		{"--tiemout=3m", "--tiemout: no such flag; did you mean --timeout?"},
		{"--time=3m", "--time: no such flag; did you mean --timeout?"},
		{"--stop", "--stop: no such flag; did you mean --stop-idle or --stop-stalled or --stop-runaway?"},
		{"--quite", "--quite: no such flag; did you mean --quiet?"},
		{"--nonsense", "--nonsense: no such flag"},
		{"-x", "-x: no such flag"},
		{"---name=x", "---name: no such flag; did you mean --name?"},
		{"--=x", "--: no such flag"},
		{"--name", "--name: needs a value, NAME"},
		{"-q=perhaps", `-q: it is a switch, and "perhaps" is neither true nor false`},
		{"--quiet=", `--quiet: it is a switch, and "" is neither true nor false`},
		// The value of a flag may look like one.
		{"--name --timout -q", ""},
		{"--quiet=true -q --env A=1 --env=B=2", ""},
	}
	for _, tt := range tests {
		_, err := parseFlags(t.Context(), program, wrapFlags(), strings.Fields(tt.args))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestSlips(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"json", "json", 0},
		{"jsn", "json", 1},
		{"jsno", "json", 1},
		{"jxon", "json", 1},
		{"jjson", "json", 1},
		{"name", "json", 4},
	}
	for _, tt := range tests {
		if got, back := slips(tt.a, tt.b), slips(tt.b, tt.a); got != tt.want || back != tt.want {
			t.Errorf("slips(%q, %q) = %d, back %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}
