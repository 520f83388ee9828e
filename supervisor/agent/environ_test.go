package agent

import (
	"strings"
	"testing"
)

// TestEnviron: the words before the agent's own count as its environment does, and where
// they cannot be understood nothing does.
func TestEnviron(t *testing.T) {
	t.Parallel()
	const all = "A=1 B=2"
	for command, want := range map[string]string{
		"claude -p A=3":                            all,
		"env claude":                               all,
		"env A=3 claude":                           "B=2 A=3",
		"env A=3 A=4=5 nice -n 5 claude A=6":       "B=2 A=4=5",
		"nice env -u A C=/x/y codex":               "B=2 C=/x/y",
		"env --unset=A -uB claude":                 "",
		"env -i claude":                            "",
		"env - B=3 claude":                         "B=3",
		"env --ignore-environment -C /x A= claude": "A=",
		"env -C/x --chdir=/y -v --block-signal=INT --default-signal -0 claude": all,
		"env A=3 env -u A claude":       "B=2",
		"env -S C=3 claude":             "unknown",
		"env --split-string=A=3 claude": "unknown",
		"env -iv claude":                "unknown",
		"sudo claude":                   all,
		"sudo -D /x claude":             all,
		"sudo A=3 claude":               "unknown",
		"sudo -u me claude":             "unknown",
		"env A=3 doas -u me pi":         "unknown",
	} {
		argv := strings.Fields(command)
		a, found := ByCommand(argv)
		if !found {
			t.Errorf("%s: not recognised", command)
		}
		left, known := a.Read(argv, false).Environ(strings.Fields(all))
		got := strings.Join(left, " ")
		if !known {
			got = "unknown"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
	named := claude().Read([]string{"env", "A=3", "./own"}, false)
	if left, known := named.Environ(nil); !known || strings.Join(left, " ") != "A=3" {
		t.Errorf("an agent named by its user: %q", left)
	}
}
