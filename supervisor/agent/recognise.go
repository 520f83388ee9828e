package agent

import (
	"path/filepath"
	"slices"
	"strings"
)

// Names lists the agents that are known, by the name of their command.
func Names() []string { return []string{"claude", "codex", "gemini", "opencode", "pi", "qwen"} }

// Recognise names the agent a command starts, or is empty for any other
// command. It looks through env(1) with its assignments, and through a path.
func Recognise(argv []string) string {
	if len(argv) > 1 && filepath.Base(argv[0]) == "env" {
		argv = argv[1:]
		for len(argv) > 1 && strings.Contains(argv[0], "=") {
			argv = argv[1:]
		}
	}
	if len(argv) == 0 {
		return ""
	}
	if name := filepath.Base(argv[0]); slices.Contains(Names(), name) {
		return name
	}
	return ""
}
