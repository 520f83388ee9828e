package hooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrSettings says that the settings are not such that a hook could be put into
// them, or taken out.
var ErrSettings = errors.New("settings cannot be edited")

// Hook commands begin so: outside of a run, and where ocr-run is not to be found,
// they do nothing, and cost the agent no more than a shell.
const commandGuard = `[ -z "$OCR_RUN_UID" ] || ! command -v `

// Command is the shell command of a hook. program is the file, or the name, of
// ocr-run.
func Command(agent, program string) string {
	quoted := program
	if strings.Trim(program, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") != "" {
		quoted = "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	}
	return commandGuard + quoted + " >/dev/null 2>&1 || " + quoted + " hook " + agent
}

// ours says whether a command is a hook of ours, whatever program it names.
func ours(agent, command string) bool {
	return strings.HasPrefix(command, commandGuard) && strings.HasSuffix(command, " hook "+agent)
}

// settingsEvents are the hooks of an agent that tell of turns; nil for an agent
// whose hooks are no settings.
func settingsEvents(agent string) []string {
	switch agent {
	case "claude":
		return []string{"SessionStart", "UserPromptSubmit", "Notification", "Stop", "StopFailure", "SessionEnd"}
	case "codex":
		return []string{"SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"}
	case "gemini":
		return []string{"SessionStart", "BeforeAgent", "AfterAgent", "SessionEnd"}
	case "qwen":
		return []string{"SessionStart", "UserPromptSubmit", "Stop", "StopFailure", "SessionEnd"}
	default:
		return nil
	}
}

// Install puts the hooks of an agent into the text of its settings, beside what is
// there. Text that has them is given back as it is. settings is empty when the
// file does not exist. The error is ErrSettings with the reason.
func Install(agent, settings, program string) (string, error) {
	if source := module(agent, program); source != "" {
		if strings.TrimSpace(settings) != "" && !ourModule(settings) {
			return "", fmt.Errorf("%w: it is not ours", ErrSettings)
		}
		return source, nil
	}
	text := settings
	if strings.TrimSpace(text) == "" {
		text = "{}\n"
	}
	for _, event := range settingsEvents(agent) {
		var err error
		if text, err = installEvent(agent, text, event, Command(agent, program)); err != nil {
			return "", err
		}
	}
	return text, nil
}

// installEvent puts one hook into the settings.
func installEvent(agent, text, event, command string) (string, error) {
	root, err := object(text)
	if err != nil {
		return "", err
	}
	quoted, err := json.Marshal(command)
	if err != nil {
		return "", err
	}
	entry := "{\n\t\"hooks\": [\n\t\t{\n\t\t\t\"type\": \"command\",\n\t\t\t\"command\": " + plain(quoted) + "\n\t\t}\n\t]\n}"
	list := "\"" + event + "\": [\n\t" + strings.ReplaceAll(entry, "\n", "\n\t") + "\n]"
	hooks := root.child("hooks")
	switch {
	case hooks == nil:
		return appendTo(text, root, "\"hooks\": {\n\t"+strings.ReplaceAll(list, "\n", "\n\t")+"\n}"), nil
	case hooks.open != '{':
		return "", fmt.Errorf("%w: hooks is no object", ErrSettings)
	}
	entries := hooks.child(event)
	switch {
	case entries == nil:
		return appendTo(text, hooks, list), nil
	case entries.open != '[':
		return "", fmt.Errorf("%w: hooks.%s is no array", ErrSettings, event)
	}
	if group, _ := find(agent, text, entries); group >= 0 {
		return text, nil
	}
	return appendTo(text, entries, entry), nil
}

// plain undoes what the encoder does for the sake of web pages.
func plain(quoted []byte) string {
	return strings.NewReplacer(`\u003e`, ">", `\u003c`, "<", `\u0026`, "&").Replace(string(quoted))
}

// object reads settings, which must be an object.
func object(text string) (*node, error) {
	root, err := parse(text)
	if err == nil && root.open != '{' {
		err = errors.New("not an object")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSettings, err)
	}
	return root, nil
}

// find is the place of our hook among the entries of an event: the group and the
// hook in it; -1 when it is not there.
func find(agent, text string, entries *node) (group, hook int) {
	for i, g := range entries.children {
		list := g.child("hooks")
		if list == nil || list.open != '[' {
			continue
		}
		for j, h := range list.children {
			var command string
			c := h.child("command")
			if c != nil && json.Unmarshal([]byte(text[c.start:c.end]), &command) == nil && ours(agent, command) {
				return i, j
			}
		}
	}
	return -1, -1
}

// Uninstall takes our hooks out of the text of an agent's settings and leaves all
// else as it is. Nothing left means that the file was ours.
func Uninstall(agent, settings string) (string, error) {
	if module(agent, "") != "" {
		if !ourModule(settings) {
			return settings, nil
		}
		return "", nil
	}
	if strings.TrimSpace(settings) == "" {
		return settings, nil
	}
	text, removed := settings, true
	for removed {
		root, err := object(text)
		if err != nil {
			return "", err
		}
		text, removed = removeOne(agent, text, root)
	}
	if text != settings && strings.TrimSpace(text) == "{}" {
		return "", nil
	}
	return text, nil
}

// removeOne takes out one hook of ours, together with what has become empty by it.
func removeOne(agent, text string, root *node) (string, bool) {
	hooks := root.child("hooks")
	if hooks == nil {
		return text, false
	}
	for e, entries := range hooks.children {
		g, h := find(agent, text, entries)
		if g < 0 {
			continue
		}
		list := entries.children[g].child("hooks")
		switch {
		case len(list.children) > 1:
			return without(text, list, h), true
		case len(entries.children) > 1:
			return without(text, entries, g), true
		case len(hooks.children) > 1:
			return without(text, hooks, e), true
		}
		for i, key := range root.keys {
			if key == "hooks" {
				return without(text, root, i), true
			}
		}
	}
	return text, false
}

// Program is the file, or the name, of ocr-run that the hooks in an agent's settings
// call; empty without a hook of ours.
func Program(agent, settings string) string {
	if module(agent, "") != "" {
		return moduleProgram(settings)
	}
	root, err := object(settings)
	if err != nil {
		return ""
	}
	hooks := root.child("hooks")
	if hooks == nil {
		return ""
	}
	for _, entries := range hooks.children {
		g, h := find(agent, settings, entries)
		if g < 0 {
			continue
		}
		var command string
		c := entries.children[g].child("hooks").children[h].child("command")
		if json.Unmarshal([]byte(settings[c.start:c.end]), &command) == nil {
			return calledBy(command)
		}
	}
	return ""
}

// calledBy is the program in a command of ours.
func calledBy(command string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(command, commandGuard), " >/dev/null")
	if inner, quoted := strings.CutPrefix(word, "'"); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(inner, "'"), `'\''`, "'")
	}
	return word
}
