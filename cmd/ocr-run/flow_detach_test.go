package main

import (
	"slices"
	"testing"

	"github.com/ocr-run/ocr-run/supervisor"
)

// A wrapper in the background carries the marker of its own run, and gives its
// command the environment of its caller.
func TestDetachedSeesTheEnvironmentOfItsCaller(t *testing.T) {
	t.Parallel()
	const uid, lineage, log = supervisor.EnvUID + "=", supervisor.EnvLineage + "=", envDetached + "="
	for _, tt := range []struct {
		name  string
		given []string
		inner []string
		want  detachment
	}{
		{"not detached", []string{"A=1", uid + "outer"}, []string{"A=1", uid + "outer"}, detachment{}},
		{"outside of a run", []string{"A=1", uid + "own", lineage + "own", log + "/l"}, []string{"A=1"}, detachment{"own", "/l"}},
		{
			"inside of one",
			[]string{uid + "own", lineage + "root/outer/own", log + "/l", "B=2"},
			[]string{"B=2", uid + "outer", lineage + "root/outer"},
			detachment{"own", "/l"},
		},
	} {
		given := tt.given
		env, got := environment{environ: given, lookup: func(key string) (string, bool) { return valueIn(given, key) }}.detached()
		if got != tt.want || !slices.Equal(env.environ, tt.inner) {
			t.Errorf("%s: %+v, %q, want %+v, %q", tt.name, got, env.environ, tt.want, tt.inner)
		}
		want, _ := valueIn(tt.inner, supervisor.EnvUID)
		if env.get(supervisor.EnvUID) != want || got.uid != "" && env.get(envDetached) != "" {
			t.Errorf("%s: the inside sees %q", tt.name, env.get(supervisor.EnvUID))
		}
	}
}

// Words in front of "--" are told from those behind it, also where a flag's value
// looks like it.
func TestBeforeDashes(t *testing.T) {
	t.Parallel()
	takes := takesValue([]flagSpec{{name: "name", value: "NAME"}, {name: "queue"}})
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{"f", "--", "true"}, 1},
		{[]string{"--", "true", "--", "x"}, 0},
		{[]string{"f", "--name", "--", "--queue", "--", "true"}, 1},
		{[]string{"f", "true"}, -1},
		{[]string{"f", "g", "--"}, 2},
		{nil, -1},
	} {
		_, words := reorder(tt.args, takes)
		if got := beforeDashes(tt.args, words, takes); got != tt.want {
			t.Errorf("beforeDashes(%q) = %d, want %d", tt.args, got, tt.want)
		}
	}
}
