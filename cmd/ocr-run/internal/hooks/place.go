package hooks

import (
	"errors"
	"path/filepath"
)

// errNoHome: there is no place for an agent's settings.
var errNoHome = errors.New("HOME is not set")

// Place is the file that an agent's hooks are put into: that of the user, or with a
// workspace the one of that project. get reads the environment.
func Place(agent, workspace string, get func(string) string) (string, error) {
	file := map[string]string{
		"claude": "settings.json", "codex": "hooks.json", "gemini": "settings.json", "qwen": "settings.json",
		"opencode": "plugins/ocr-run.js", "pi": "extensions/ocr-run.ts",
	}[agent]
	if workspace != "" {
		return filepath.Join(workspace, "."+agent, file), nil
	}
	if own := get(ownVariable(agent)); filepath.IsAbs(own) {
		return filepath.Join(own, file), nil
	}
	home := get("HOME")
	config := get("XDG_CONFIG_HOME")
	switch {
	case agent == "opencode" && filepath.IsAbs(config):
		return filepath.Join(config, agent, file), nil
	case !filepath.IsAbs(home):
		return "", errNoHome
	case agent == "opencode":
		return filepath.Join(home, ".config", agent, file), nil
	case agent == "pi":
		return filepath.Join(home, ".pi", "agent", file), nil
	default:
		return filepath.Join(home, "."+agent, file), nil
	}
}

// ownVariable is the variable that moves an agent's settings elsewhere.
func ownVariable(agent string) string {
	switch agent {
	case "claude":
		return "CLAUDE_CONFIG_DIR"
	case "codex":
		return "CODEX_HOME"
	case "opencode":
		return "OPENCODE_CONFIG_DIR"
	case "pi":
		return "PI_CODING_AGENT_DIR"
	default:
		return ""
	}
}

// Advice is what is left for the user to do, or to know, once an agent's hooks are
// in place; empty for nothing.
func Advice(agent string) string {
	switch agent {
	case "codex":
		return "Codex runs new hooks only once you have trusted them: start codex, enter /hooks and approve them"
	case "gemini":
		return "on its full screen Gemini CLI does not tell a finished turn from a failed one, so turns are only taken in from gemini -p"
	default:
		return ""
	}
}
