package proc

import (
	"slices"
	"testing"
)

func TestParseArgs(t *testing.T) {
	t.Parallel()
	const head = "\x02\x00\x00\x00/bin/agent\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		block     string
		args, env []string
		bad       bool
	}{
		"usual":            {block: head + "agent\x00-p\x00A=1\x00B=\x00\x00ptr=0\x00main_stack=\x00", args: []string{"agent", "-p"}, env: []string{"A=1", "B="}},
		"hidden":           {block: head + "agent\x00-p\x00\x00ptr=0\x00", args: []string{"agent", "-p"}},
		"empty argument":   {block: head + "agent\x00\x00A=1\x00", args: []string{"agent", ""}, env: []string{"A=1"}},
		"cut in arguments": {block: head + "agent\x00-p", bad: true},
		"cut in variables": {block: head + "agent\x00-p\x00A=1\x00B=", args: []string{"agent", "-p"}, env: []string{"A=1"}},
		"no arguments":     {block: "\x00\x00\x00\x00/x\x00A=1\x00", env: []string{"A=1"}},
		"negative count":   {block: "\xff\xff\xff\xff/x\x00A=1\x00", bad: true},
		"absurd count":     {block: "\xff\xff\xff\x7f/x\x00A=1\x00", bad: true},
		"too short":        {block: "\x01\x00", bad: true},
		"only a path":      {block: "\x00\x00\x00\x00/x", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args, env, err := parseArgs([]byte(c.block))
			if (err != nil) != c.bad || !slices.Equal(args, c.args) || !slices.Equal(env, c.env) {
				t.Errorf("parseArgs() = %q, %q, %v", args, env, err)
			}
		})
	}
}

func FuzzParseArgs(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00/x\x00\x00a\x00A=1\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if args, env, err := parseArgs(b); err == nil && len(args)+len(env) > len(b) {
			t.Errorf("more strings than bytes: %q, %q", args, env)
		}
	})
}

func TestLookupTakesTheFirst(t *testing.T) {
	t.Parallel()
	env := []string{"A", "B=1", "B=2", "=x", "C="}
	if v, ok := lookup(env, "B"); !ok || v != "1" {
		t.Errorf("lookup(B) = %q, %v", v, ok)
	}
	if _, ok := lookup(env, "A"); ok {
		t.Error("a string without a sign is no variable")
	}
	if v, ok := lookup(env, "C"); !ok || v != "" {
		t.Errorf("lookup(C) = %q, %v", v, ok)
	}
}
