package hooks

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestInjectedBesideWhatIsGiven(t *testing.T) {
	t.Parallel()
	const mine = `{"model": "x", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]}}`
	for _, agent := range Agents() {
		inj, err := Inject(agent, Site{Program: "/bin/ocr-run", File: "/state/hooks/uid.x", Given: mine})
		if err != nil {
			t.Fatalf("%s: %v", agent, err)
		}
		all := strings.Join(slices.Concat(inj.Args, inj.Env, []string{inj.Text}), "\n")
		if !strings.Contains(all, "hook "+agent) && !strings.Contains(all, `"hook", "`+agent+`"`) {
			t.Errorf("%s: no hook in %s", agent, all)
		}
		names := NamesOf(agent)
		if joins := names != (Names{}); joins != strings.Contains(all, `"x"`) {
			t.Errorf("%s: joined with what was given: %v\n%s", agent, !joins, all)
		}
		if inj.Instead != names.Option {
			t.Errorf("%s: in the place of %q, and %q is read", agent, inj.Instead, names.Option)
		}
		if (inj.Text != "") != (FileName(agent, "uid") != "") {
			t.Errorf("%s: file %q with %q", agent, FileName(agent, "uid"), inj.Text)
		}
		for _, kv := range inj.Env {
			if key, _, _ := strings.Cut(kv, "="); key != names.Text && key != names.File {
				t.Errorf("%s: sets %s, and reads %+v", agent, key, names)
			}
		}
	}
}

func TestInjectedSettingsAreJSON(t *testing.T) {
	t.Parallel()
	inj, err := Inject("claude", Site{Program: "ocr-run"})
	if err != nil || len(inj.Args) != 2 || !json.Valid([]byte(inj.Args[1])) || strings.Contains(inj.Args[1], "\n") {
		t.Errorf("%q, %v", inj.Args, err)
	}
	for given, plugins := range map[string]int{"": 1, "{}": 1, `{"plugin":[]}`: 1, `{"plugin": ["a", "b"], "x": 1}`: 3} {
		inj, err := Inject("opencode", Site{Program: "ocr-run", File: "/f.js", Given: given})
		if err != nil {
			t.Fatal(err)
		}
		var config struct{ Plugin []string }
		_, text, _ := strings.Cut(inj.Env[0], "=")
		if err := json.Unmarshal([]byte(text), &config); err != nil || len(config.Plugin) != plugins || !slices.Contains(config.Plugin, "file:///f.js") {
			t.Errorf("%q becomes %q: %v", given, text, err)
		}
	}
}

func TestWhatCannotBeJoinedIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ agent, given string }{
		{"claude", "{broken"}, {"claude", "[]"}, {"gemini", `{"hooks": []}`}, {"opencode", `{"plugin": {}}`}, {"nobody", ""},
	} {
		if _, err := Inject(c.agent, Site{Given: c.given}); !errors.Is(err, ErrSettings) {
			t.Errorf("%s with %q: %v", c.agent, c.given, err)
		}
	}
}

func TestOursAreFoundInSettings(t *testing.T) {
	t.Parallel()
	for _, agent := range Agents() {
		with, err := Install(agent, "", "ocr-run")
		if err != nil || !Installed(agent, with) || Installed(agent, "") || Installed(agent, "{}") {
			t.Errorf("%s: %v", agent, err)
		}
	}
}

// Digests as Codex 0.169 accepts them.
func TestCodexTrustsExactlyOneHook(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]string{
		"SessionStart": `"/<session-flags>/config.toml:session_start:0:0"={trusted_hash="sha256:018d43cf921f96792302231eb6eb2e4f983bb8b9c4e9d69cbc848889c2a052c6"}`,
		"Stop":         `"/<session-flags>/config.toml:stop:0:0"={trusted_hash="sha256:866057cb6ea4e9ff794d9ae42806fdb0d7901ab84ecd5f58a5ef844bd21e2601"}`,
	} {
		if got := (codexHook{event: event, command: `[ "$A" ] && echo '<x>'`}).trust(); got != want {
			t.Errorf("%s: %s", event, got)
		}
	}
	args := codexArgs("/opt/my tools/ocr-run")
	for i := 0; i < len(args); i += 2 {
		if key, value, ok := strings.Cut(args[i+1], "="); args[i] != "-c" || !ok || !strings.HasPrefix(key, "hooks.") || strings.Contains(value, "\n") {
			t.Errorf("%q %q", args[i], args[i+1])
		}
	}
}
