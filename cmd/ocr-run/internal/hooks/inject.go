package hooks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Site is what hooks for one invocation of an agent are made for.
type Site struct {
	// Program is the file of ocr-run.
	Program string
	// File is where the one file may be put that some agents need; see FileName.
	File string
	// Given is the text of the settings that the invocation names itself, in whose
	// place ours go; empty for none. See Names.
	Given string
}

// Injection is how an agent gets our hooks in one invocation, beside all settings
// it has. Its zero value gives it none.
type Injection struct {
	// Args go in front of the agent's own arguments; Instead is the option of the
	// command line that they replace, empty for none.
	Args    []string
	Instead string
	// Env holds KEY=VALUE pairs.
	Env []string
	// Text is what Site.File is to hold; empty when there need be no file.
	Text string
}

// Names says where an invocation of an agent names settings of its own that ours
// have to be joined with: an option whose value is a file or the text itself, or a
// variable that holds the text, or one that names a file. All are empty for an
// agent that takes ours besides.
type Names struct{ Option, Text, File string }

// NamesOf is where an invocation of that agent names settings.
func NamesOf(agent string) Names {
	switch agent {
	case "claude":
		return Names{Option: "--settings"}
	case "gemini":
		return Names{File: "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"}
	case "qwen":
		return Names{File: "QWEN_CODE_SYSTEM_DEFAULTS_PATH"}
	case "opencode":
		return Names{Text: "OPENCODE_CONFIG_CONTENT"}
	default:
		return Names{}
	}
}

// FileName is the name of the file an agent needs for the hooks of one run; empty
// when it needs none.
func FileName(agent, uid string) string {
	switch agent {
	case "gemini", "qwen":
		return uid + ".json"
	case "opencode":
		return uid + ".js"
	case "pi":
		return uid + ".ts"
	default:
		return ""
	}
}

// Inject makes the hooks of an agent for one invocation. The error is ErrSettings
// with the reason, where the settings given cannot be joined with ours.
func Inject(agent string, s Site) (Injection, error) {
	switch agent {
	case "claude":
		text, err := Install(agent, s.Given, s.Program)
		return Injection{Args: []string{"--settings", onOneLine(text)}, Instead: "--settings"}, err
	case "codex":
		return Injection{Args: codexArgs(s.Program)}, nil
	case "gemini", "qwen":
		text, err := Install(agent, s.Given, s.Program)
		return Injection{Env: []string{NamesOf(agent).File + "=" + s.File}, Text: text}, err
	case "opencode":
		config, err := withPlugin(s.Given, s.File)
		return Injection{Env: []string{NamesOf(agent).Text + "=" + config}, Text: module(agent, s.Program)}, err
	case "pi":
		return Injection{Args: []string{"--extension", s.File}, Text: module(agent, s.Program)}, nil
	default:
		return Injection{}, fmt.Errorf("%w: %q takes none for one run", ErrSettings, agent)
	}
}

// Installed says whether the text of an agent's settings has our hooks.
func Installed(agent, settings string) bool {
	without, err := Uninstall(agent, settings)
	return err == nil && without != settings
}

// onOneLine is a JSON text on one line; one with comments stays as it is.
func onOneLine(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}

// withPlugin adds a plugin to a configuration of OpenCode.
func withPlugin(config, file string) (string, error) {
	if strings.TrimSpace(config) == "" {
		config = "{}"
	}
	root, err := object(config)
	if err != nil {
		return "", err
	}
	quoted, err := json.Marshal("file://" + file)
	if err != nil {
		return "", err
	}
	list := root.child("plugin")
	switch {
	case list == nil:
		return appendTo(config, root, `"plugin": [`+plain(quoted)+"]"), nil
	case list.open != '[':
		return "", fmt.Errorf("%w: plugin is no array", ErrSettings)
	default:
		return appendTo(config, list, plain(quoted)), nil
	}
}

// codexArgs are settings of Codex's own command line: they are a layer of their
// own, beside the user's and the project's. Hooks run only if they are trusted, and
// trust is a digest of exactly one hook, so that ours are trusted and no other is.
func codexArgs(program string) []string {
	command := Command("codex", program)
	var args, trust []string
	for _, event := range slices.Concat(settingsEvents("codex"), []string{"PermissionRequest"}) {
		hook := codexHook{event: event, command: command}
		args = append(args, "-c", "hooks."+event+"="+hook.toml())
		trust = append(trust, hook.trust())
	}
	return append(args, "-c", "hooks.state={"+strings.Join(trust, ",")+"}")
}
