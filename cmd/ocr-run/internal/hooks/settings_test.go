package hooks

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// hooked are the agents whose hooks are settings.
func hooked() (agents []string) {
	for _, a := range Agents() {
		if settingsEvents(a) != nil {
			agents = append(agents, a)
		}
	}
	return agents
}

// strict is JSON without the comments and trailing commas of a test.
func strict(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		before, _, _ := strings.Cut(line, "//")
		out.WriteString(before)
	}
	return strings.NewReplacer(",]", "]", ",}", "}").Replace(compactSpace(out.String()))
}

func compactSpace(s string) string { return strings.Join(strings.Fields(s), "") }

func TestInstallAndBack(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{
		"{}", "{}\n", "{\"a\": 1}", "{\n\t\"a\": [1, 2],\n\t\"b\": {}\n}\n",
		"{\n    // why\n    \"model\": \"x\", // so\n}\n",
		`{"hooks":{}}`, `{"hooks":{"Stop":[]},"z":1}`,
		`{"hooks": {"Stop": [{"matcher": "", "hooks": [{"type": "command", "command": "say done"}]}]}, "z": null}`,
		"{\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]}\n    ],\n    \"SessionStart\": [],\n  }\n}\n",
		"{\r\n  \"a\": \"b\"\r\n}\r\n",
	} {
		for _, agent := range hooked() {
			with, err := Install(agent, settings, "/opt/my tools/ocr-run")
			if err != nil {
				t.Fatalf("%s: %q: %v", agent, settings, err)
			}
			if !json.Valid([]byte(strict(with))) {
				t.Errorf("%s: %q becomes %q", agent, settings, with)
			}
			if n := strings.Count(with, " hook "+agent); n != len(settingsEvents(agent)) {
				t.Errorf("%s: %d hooks in %s", agent, n, with)
			}
			if again, err := Install(agent, with, "elsewhere/ocr-run"); err != nil || again != with {
				t.Errorf("%s: installed again, %v:\n%s", agent, err, Diff(with, again))
			}
			if back, err := Uninstall(agent, with); err != nil || emptied(back) != emptied(settings) {
				t.Errorf("%s: %q comes back as %q, %v", agent, settings, back, err)
			}
		}
	}
}

// emptied leaves out what an installation may make of empty settings and empty
// lists, and a comma too many.
func emptied(text string) string {
	s := compactSpace(text)
	for _, none := range []string{`"Stop":[],`, `"Stop":[]`, `"SessionStart":[],`, `"SessionStart":[]`} {
		s = strings.ReplaceAll(s, none, "")
	}
	s = strings.NewReplacer(`],}`, `]}`, `,//`, `//`).Replace(s)
	for _, none := range []string{`"hooks":{},`, `,"hooks":{}`, `"hooks":{}`} {
		s = strings.ReplaceAll(s, none, "")
	}
	return strings.TrimPrefix(s, "{}")
}

// What is there stays there to the byte, wherever somebody else writes meanwhile.
func TestUninstallLeavesTheRest(t *testing.T) {
	t.Parallel()
	settings := "{\n  \"model\": \"x\",\n  \"hooks\": {\n    \"Stop\": [\n      {\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]}\n    ]\n  }\n}\n"
	with, err := Install("claude", settings, "ocr-run")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(with, `"model": "x"`, `"model": "y"`, 1)
	changed = strings.Replace(changed, `"command": "say done"}`, `"command": "say done"}, {"type": "command", "command": "beep"}`, 1)
	back, err := Uninstall("claude", changed)
	want := strings.Replace(settings, `"model": "x"`, `"model": "y"`, 1)
	want = strings.Replace(want, `"command": "say done"}`, `"command": "say done"}, {"type": "command", "command": "beep"}`, 1)
	if err != nil || back != want {
		t.Errorf("%v:\n%s", err, Diff(want, back))
	}
	// One that somebody put into a group of ours.
	group := strings.Replace(with, "hook claude\"\n", "hook claude\"\n          },\n          {\"type\": \"command\", \"command\": \"beep\"", 1)
	if back, err = Uninstall("claude", group); err != nil || strings.Count(back, "beep") != 1 || strings.Contains(back, "hook claude") {
		t.Errorf("%v: %s", err, back)
	}
	if same, err := Uninstall("claude", settings); err != nil || same != settings {
		t.Errorf("nothing to take out, %v:\n%s", err, Diff(settings, same))
	}
}

func TestSettingsThatCannotBeEdited(t *testing.T) {
	t.Parallel()
	for _, settings := range []string{
		"[]", "3", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1 \"b\":2}", "{} {}", "{\"a\":tru}", "/* x", "{\"a\":\"b", `{"hooks":[]}`,
		`{"hooks":{"Stop":{}}}`, strings.Repeat("[", 1000), "{\"a\":\"\x01\"}",
	} {
		if _, err := Install("claude", settings, "ocr-run"); !errors.Is(err, ErrSettings) {
			t.Errorf("%q: %v", settings, err)
		}
	}
	if _, err := Uninstall("claude", "{"); !errors.Is(err, ErrSettings) {
		t.Error(err)
	}
}

func TestModules(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"opencode", "pi"} {
		text, err := Install(agent, "", `/opt/"x"/ocr-run`)
		if err != nil || !strings.Contains(text, `"/opt/\"x\"/ocr-run", ["hook", "`+agent+`"]`) {
			t.Errorf("%s: %v: %s", agent, err, text)
		}
		if newer, err := Install(agent, text, "ocr-run"); err != nil || newer == text {
			t.Errorf("%s: an older module stays, %v", agent, err)
		}
		if back, err := Uninstall(agent, text); back != "" || err != nil {
			t.Errorf("%s: %q is left, %v", agent, back, err)
		}
		if _, err := Install(agent, "export const Mine = 1", "ocr-run"); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: somebody's module is overwritten: %v", agent, err)
		}
		if back, err := Uninstall(agent, "export const Mine = 1"); back != "export const Mine = 1" || err != nil {
			t.Errorf("%s: somebody's module is removed: %v", agent, err)
		}
	}
}

func TestCommandIsForAnyShell(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"ocr-run":       `[ -z "$OCR_RUN_UID" ] || ! command -v ocr-run >/dev/null 2>&1 || ocr-run hook claude`,
		"/o p/it's/ocr": `[ -z "$OCR_RUN_UID" ] || ! command -v '/o p/it'\''s/ocr' >/dev/null 2>&1 || '/o p/it'\''s/ocr' hook claude`,
	} {
		if got := Command("claude", program); got != want || !ours("claude", got) || ours("codex", got) {
			t.Errorf("%s: %s", program, got)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	vars := func(kv ...string) func(string) string {
		return func(key string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == key {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	for _, tt := range []struct{ agent, workspace, key, value, want string }{
		{"claude", "", "HOME", "/h", "/h/.claude/settings.json"},
		{"claude", "/w", "HOME", "/h", "/w/.claude/settings.json"},
		{"claude", "", "CLAUDE_CONFIG_DIR", "/c", "/c/settings.json"},
		{"codex", "", "CODEX_HOME", "/c", "/c/hooks.json"},
		{"codex", "/w", "CODEX_HOME", "/c", "/w/.codex/hooks.json"},
		{"gemini", "", "HOME", "/h", "/h/.gemini/settings.json"},
		{"qwen", "", "HOME", "/h", "/h/.qwen/settings.json"},
		{"opencode", "", "HOME", "/h", "/h/.config/opencode/plugins/ocr-run.js"},
		{"opencode", "", "XDG_CONFIG_HOME", "/x", "/x/opencode/plugins/ocr-run.js"},
		{"opencode", "/w", "HOME", "/h", "/w/.opencode/plugins/ocr-run.js"},
		{"pi", "", "HOME", "/h", "/h/.pi/agent/extensions/ocr-run.ts"},
		{"pi", "/w", "HOME", "/h", "/w/.pi/extensions/ocr-run.ts"},
	} {
		if got, err := Place(tt.agent, tt.workspace, vars(tt.key, tt.value)); got != tt.want || err != nil {
			t.Errorf("%+v is in %s, %v", tt, got, err)
		}
	}
	if _, err := Place("claude", "", vars("HOME", "relative")); err == nil {
		t.Error("settings without a home")
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ before, after, want string }{
		{"", "", ""},
		{"a\n", "a\n", ""},
		{"", "a\n", "+a\n"},
		{"a\nb\n", "b\n", "-a\n b\n"},
		{"1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\nx\n6\n", "@@\n 3\n 4\n 5\n+x\n 6\n"},
	} {
		if got := Diff(tt.before, tt.after); got != tt.want {
			t.Errorf("%q to %q is %q, want %q", tt.before, tt.after, got, tt.want)
		}
	}
}

// TestAnySettingsComeBack: whatever members settings have, an installation goes in
// and out again and leaves them to the byte, as long as there is one.
func TestAnySettingsComeBack(t *testing.T) {
	t.Parallel()
	value := rapid.SampledFrom([]string{`1`, `"x, \"]}"`, `{}`, `[ ]`, `{"a":[1,{"b":null}]}`, "[\n 1,\n 2\n]", `true`})
	space := rapid.SampledFrom([]string{"", " ", "\n", "\n    ", " /* c */ ", " // c\n"})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString("{")
		for i, key := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}`), 1, 4, rapid.ID).Draw(t, "keys") {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(space.Draw(t, "space") + `"_` + key + `"` + space.Draw(t, "space") + ":" + value.Draw(t, "value"))
		}
		b.WriteString(space.Draw(t, "space") + "}\n")
		agent := rapid.SampledFrom(hooked()).Draw(t, "agent")
		with, err := Install(agent, b.String(), "ocr-run")
		if err != nil {
			t.Fatalf("%q: %v", b.String(), err)
		}
		back, err := Uninstall(agent, with)
		if err != nil || back != b.String() {
			t.Fatalf("%v: %q\ncomes back as %q\nfrom %s", err, b.String(), back, with)
		}
	})
}

// What our hooks call is found in what was put in, whatever it is called.
func TestProgram(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"ocr-run", "/opt/bin/ocr-run", "/opt/my tools/it's/ocr-run", `/a "b" \c/ocr-run`} {
		for _, agent := range Agents() {
			with, err := Install(agent, "", program)
			if err != nil {
				t.Fatal(err)
			}
			if got := Program(agent, with); got != program {
				t.Errorf("%s: %q, want %q", agent, got, program)
			}
		}
	}
	for _, settings := range []string{"", "{", "{}", `{"hooks": []}`, `{"hooks": {"Stop": [{"hooks": [{"command": "say done"}]}]}}`, "export default 1"} {
		for _, agent := range Agents() {
			if got := Program(agent, settings); got != "" {
				t.Errorf("%s: %q in %q", agent, got, settings)
			}
		}
	}
}
