package agent

import (
	"slices"
	"testing"
)

func TestArgumentsGoBehindTheAgent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		agent      string
		argv, want []string
		drop       []string
	}{
		{"claude", []string{"claude", "-p", "hi"}, []string{"claude", "NEW", "-p", "hi"}, nil},
		{
			"claude",
			[]string{"env", "A=b", "npx", "-y", "@anthropic-ai/claude-code", "-p", "--", "--settings"},
			[]string{"env", "A=b", "npx", "-y", "@anthropic-ai/claude-code", "NEW", "-p", "--", "--settings"},
			[]string{"--settings"},
		},
		{"claude", []string{"claude", "--settings", "a.json", "-p", "--settings=b.json", "hi"}, []string{"claude", "NEW", "-p", "hi"}, []string{"--settings"}},
		{"codex", []string{"/opt/bin/codex", "exec", "-c", "model=x", "hi"}, []string{"/opt/bin/codex", "NEW", "exec", "-c", "model=x", "hi"}, nil},
		{"pi", []string{"nice", "-n", "5", "pi"}, []string{"nice", "-n", "5", "pi", "NEW"}, nil},
	} {
		a, _ := ByName(c.agent)
		before := slices.Clone(c.argv)
		if got := a.Read(c.argv, false).With([]string{"NEW"}, c.drop...); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.argv, got, c.want)
		}
		if !slices.Equal(before, c.argv) {
			t.Errorf("%q was changed to %q", before, c.argv)
		}
	}
}

func TestWhatIsGivenLastCounts(t *testing.T) {
	t.Parallel()
	a, _ := ByName("claude")
	in := a.Read([]string{"claude", "--settings", "a", "--settings=b", "-p"}, true)
	if v, ok := in.Given("--settings"); v != "b" || !ok {
		t.Errorf("got %q, %v", v, ok)
	}
	if v, ok := in.Given("--model"); v != "" || ok {
		t.Errorf("got %q, %v for an option that is not there", v, ok)
	}
}
