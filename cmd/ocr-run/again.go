package main

import (
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// again is what runs the command of a run once more, up to the command, for somebody in
// dir: where it ran, as what it ran, and in the flow given, which may be none.
func again(e store.Execution, flow, dir string) []string {
	words := []string{program}
	if flow != "" {
		words = append(words, "flow", "run", flow)
	}
	if e.CWD != "" && e.CWD != dir {
		words = append(words, "--cwd", e.CWD)
	}
	if e.Name != "" {
		words = append(words, "--name", e.Name)
	}
	if e.Agent != "" && e.Agent != agent.Recognise(e.Command) {
		words = append(words, "--agent", e.Agent)
	}
	return words
}

// keysOf are the names of variables given as KEY=VALUE, each once.
func keysOf(pairs []string) []string {
	var keys []string
	for _, kv := range pairs {
		if key, _, _ := strings.Cut(kv, "="); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
