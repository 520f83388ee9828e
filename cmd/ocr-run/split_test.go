package main

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want commandLine
	}{
		{"nothing", nil, commandLine{}},
		{"command", []string{"true"}, commandLine{command: []string{"true"}}},
		{"command with flags of its own", []string{"ls", "-l", "--json"}, commandLine{command: []string{"ls", "-l", "--json"}}},
		{"our flags first", []string{"--quiet", "--name", "n", "ls", "-l"}, commandLine{flags: []string{"--quiet", "--name", "n"}, command: []string{"ls", "-l"}}},
		{"value behind an equals sign", []string{"--name=n", "ls"}, commandLine{flags: []string{"--name=n"}, command: []string{"ls"}}},
		{"one dash", []string{"-name", "n", "ls"}, commandLine{flags: []string{"-name", "n"}, command: []string{"ls"}}},
		{"short switch", []string{"-q", "ls"}, commandLine{flags: []string{"-q"}, command: []string{"ls"}}},
		{"value that is a verb", []string{"--name", "ps", "ls"}, commandLine{flags: []string{"--name", "ps"}, command: []string{"ls"}}},
		{"value that looks like a flag", []string{"--name", "--quiet", "ls"}, commandLine{flags: []string{"--name", "--quiet"}, command: []string{"ls"}}},
		{"value that is two dashes", []string{"--name", "--", "ls"}, commandLine{flags: []string{"--name", "--"}, command: []string{"ls"}}},
		{"unknown flag takes nothing", []string{"--nope", "ls"}, commandLine{flags: []string{"--nope"}, command: []string{"ls"}}},
		{"flags only", []string{"--quiet"}, commandLine{flags: []string{"--quiet"}}},
		{"flag without its value", []string{"--name"}, commandLine{flags: []string{"--name"}}},
		{"verb", []string{"ps", "--json"}, commandLine{verb: "ps", rest: []string{"--json"}}},
		{"flag before a verb", []string{"--json", "ps", "-h"}, commandLine{flags: []string{"--json"}, verb: "ps", rest: []string{"--json", "-h"}}},
		{"two dashes before a verb", []string{"--", "ps", "aux"}, commandLine{flags: []string{}, command: []string{"ps", "aux"}}},
		{"flags, two dashes, flag", []string{"-q", "--", "--odd"}, commandLine{flags: []string{"-q"}, command: []string{"--odd"}}},
		{"second two dashes belong to the command", []string{"--", "a", "--", "b"}, commandLine{flags: []string{}, command: []string{"a", "--", "b"}}},
		{"verb as an argument", []string{"echo", "ps"}, commandLine{command: []string{"echo", "ps"}}},
		{"lone dash", []string{"-"}, commandLine{command: []string{"-"}}},
		{"empty word", []string{""}, commandLine{command: []string{""}}},
		{"two dashes alone", []string{"--"}, commandLine{flags: []string{}, command: []string{}}},
	}
	takes := takesValue(wrapFlags())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := split(tt.args, takes, isVerb)
			if got.verb != tt.want.verb || !slices.Equal(got.flags, tt.want.flags) ||
				!slices.Equal(got.rest, tt.want.rest) || !slices.Equal(got.command, tt.want.command) {
				t.Errorf("split(%q) = %+v, want %+v", tt.args, got, tt.want)
			}
		})
	}
}

func TestSplitLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	args := []string{"--json", "ps", "--workspace", "."}
	before := slices.Clone(args)
	got := split(args, takesValue(wrapFlags()), isVerb)
	got.rest[0] = "changed"
	if !slices.Equal(args, before) {
		t.Errorf("args became %q", args)
	}
}

// FuzzSplit checks that no word is lost, doubled or moved, whatever it is.
func FuzzSplit(f *testing.F) {
	f.Add("--name", "n", "--", "ps")
	f.Add("-q", "ls", "--json", "")
	f.Add("--json", "ps", "-", "--")
	takes := takesValue(wrapFlags())
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		args := []string{a, b, c, d}
		got := split(args, takes, isVerb)
		switch {
		case got.verb != "" && got.command != nil:
			t.Fatalf("split(%q): a verb and more: %+v", args, got)
		case got.verb != "":
			n := len(got.flags)
			if n > len(got.rest) || !slices.Equal(got.rest[:n], got.flags) ||
				!slices.Equal(slices.Concat(got.flags, []string{got.verb}, got.rest[n:]), args) {
				t.Fatalf("split(%q): flags %q, verb %q, rest %q", args, got.flags, got.verb, got.rest)
			}
		default:
			whole := slices.Concat(got.flags, got.command)
			dashed := slices.Concat(got.flags, []string{"--"}, got.command)
			if !slices.Equal(whole, args) && !slices.Equal(dashed, args) {
				t.Fatalf("split(%q) = flags %q, command %q", args, got.flags, got.command)
			}
		}
	})
}

func TestReorder(t *testing.T) {
	t.Parallel()
	takes := takesValue([]flagSpec{{name: "since", value: "WHEN"}, {name: "json"}})
	tests := []struct{ args, flags, words []string }{
		{nil, nil, nil},
		{[]string{"uid", "--json"}, []string{"--json"}, []string{"uid"}},
		{[]string{"--since", "2h", "uid"}, []string{"--since", "2h"}, []string{"uid"}},
		{[]string{"uid", "--since", "2h", "x"}, []string{"--since", "2h"}, []string{"uid", "x"}},
		{[]string{"uid", "--since=2h"}, []string{"--since=2h"}, []string{"uid"}},
		{[]string{"uid", "--since"}, []string{"--since"}, []string{"uid"}},
		{[]string{"--json", "--", "--since"}, []string{"--json"}, []string{"--since"}},
	}
	for _, tt := range tests {
		flags, words := reorder(tt.args, takes)
		if !slices.Equal(flags, tt.flags) || !slices.Equal(words, tt.words) {
			t.Errorf("reorder(%q) = %q, %q, want %q, %q", tt.args, flags, words, tt.flags, tt.words)
		}
	}
}
