package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/hooks"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
)

// hookInstallVerb puts hooks into an agent's settings.
func hookInstallVerb() verb {
	return verb{
		name:     "hook install",
		operands: "AGENT",
		brief:    "have an agent tell ocr-run about its turns",
		about: `Puts hooks into the settings of an agent (claude, codex, gemini, opencode, pi or
qwen) that call "ocr-run hook AGENT". Outside of a run they do nothing. What is in
the settings stays there and goes on working. The change is shown first, and made
only when you agree, or with --yes.`,
		least:    1,
		most:     1,
		flags:    hookFlags(),
		exits:    hookExits("the hooks are in place, or were already"),
		examples: []string{"ocr-run hook install claude", "ocr-run hook install gemini --project --dry-run"},
		run:      runHookInstall,
	}
}

// hookUninstallVerb takes them out again.
func hookUninstallVerb() verb {
	return verb{
		name:     "hook uninstall",
		operands: "AGENT",
		brief:    "undo hook install",
		about: `Takes the hooks of "ocr-run hook install" out of the settings of an agent. Settings
that nobody has changed since are restored byte for byte; otherwise only our hooks
are removed. The change is shown first, and made only when you agree, or with --yes.`,
		least:    1,
		most:     1,
		flags:    hookFlags(),
		exits:    hookExits("the hooks are gone, or were not there"),
		examples: []string{"ocr-run hook uninstall claude --yes"},
		run:      runHookUninstall,
	}
}

func hookFlags() []flagSpec {
	return []flagSpec{
		{name: "user", usage: "the settings of the user (default)"},
		{name: "project", usage: "the settings of the workspace, which others may share"},
		{name: "yes", short: "y", usage: "do not ask"},
		{name: "dry-run", usage: "show the change and do not make it"},
		jsonSpec(),
	}
}

func hookExits(done string) []exitLine {
	return []exitLine{
		{exitOK, done},
		{exitError, "the settings cannot be read, edited or written, or you did not agree"},
		{exitUsage, "usage error, or nobody can be asked and there is no --yes"},
	}
}

// settingsFile is an agent's settings with the change that is to be made.
type settingsFile struct {
	// path is where the text is, links resolved.
	path string
	// before and after are the texts; empty means that there is no file.
	before, after string
	// mode is that of the file.
	mode fs.FileMode
}

// backup is where the text is kept as it was before our first change.
func (f settingsFile) backup() string { return f.path + ".before-ocr-run" }

// runHookInstall puts the hooks in.
func runHookInstall(_ context.Context, c call) error {
	f, path, err := c.settings()
	if err != nil {
		return err
	}
	if f.after, err = hooks.Install(c.words[0], f.before, path); err != nil {
		return c.notEdited(f, err)
	}
	agreed, err := c.agreed(f)
	if err != nil || !agreed {
		return err
	}
	if without, err := hooks.Uninstall(c.words[0], f.before); err == nil && without == f.before && f.before != "" {
		if err := replaceFile(f.backup(), f.before, f.mode); err != nil {
			return c.notEdited(f, err)
		}
	}
	if err := f.write(); err != nil {
		return c.notEdited(f, err)
	}
	if advice := hooks.Advice(c.words[0]); advice != "" {
		c.note("%s", advice)
	}
	return nil
}

// runHookUninstall takes them out.
func runHookUninstall(_ context.Context, c call) error {
	f, path, err := c.settings()
	if err != nil {
		return err
	}
	if f.after, err = hooks.Uninstall(c.words[0], f.before); err != nil {
		return c.notEdited(f, err)
	}
	old, err := os.ReadFile(f.backup())
	kept := err == nil
	if again, err := hooks.Install(c.words[0], string(old), path); kept && err == nil && again == f.before {
		f.after = string(old)
	}
	agreed, err := c.agreed(f)
	if err != nil || !agreed {
		return err
	}
	if err := f.write(); err != nil {
		return c.notEdited(f, err)
	}
	if kept {
		_ = os.Remove(f.backup()) // what it kept is where it was
	}
	return nil
}

// settings reads the settings that the operand and the flags mean, and says what
// the hooks are to call.
func (c call) settings() (f settingsFile, path string, err error) {
	agent := c.words[0]
	if !slices.Contains(hooks.Agents(), agent) {
		return f, "", c.usage("%q is none of %s", agent, joined(hooks.Agents()))
	}
	project := ""
	switch {
	case c.flags.Bool("user") && c.flags.Bool("project"):
		return f, "", c.usage("--user and --project exclude each other")
	case c.flags.Bool("project"):
		project = c.workspace()
	}
	if f.path, err = hooks.Place(agent, project, c.get); err != nil {
		return f, "", c.notEdited(f, err)
	}
	if target, err := filepath.EvalSymlinks(f.path); err == nil {
		f.path = target
	}
	if f.before, f.mode, err = readFile(f.path); err != nil {
		return f, "", c.notEdited(f, err)
	}
	if project != "" {
		// Others may share them, and have ocr-run elsewhere.
		return f, program, nil
	}
	path, err = c.ownPath()
	return f, path, err
}

// readFile is a file's text and mode; of a file that does not exist, nothing and
// the mode it would get.
func readFile(path string) (text string, mode fs.FileMode, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0o600, nil
	}
	if err != nil {
		return "", 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	return string(b), info.Mode().Perm(), nil
}

// notEdited is trouble with the settings.
func (c call) notEdited(f settingsFile, err error) error {
	thing, try := c.verb, program+" "+c.verb+" --help"
	if f.path != "" {
		thing, try = f.path, "put it right, then "+program+" "+c.verb+" "+c.words[0]
	}
	return &verbError{thing: thing, err: err, try: try}
}

// hookAnswer is what "hook install --json" and "hook uninstall --json" print.
type hookAnswer struct {
	SchemaVersion int    `json:"schema_version"`
	Agent         string `json:"agent"`
	Path          string `json:"path"`
	Changes       bool   `json:"changes"`
	DryRun        bool   `json:"dry_run"`
	Diff          string `json:"diff"`
}

// agreed shows the change and says whether it is to be made.
func (c call) agreed(f settingsFile) (bool, error) {
	changes, dry := f.before != f.after, c.flags.Bool("dry-run")
	diff := hooks.Diff(f.before, f.after)
	ask := changes && !dry && !c.flags.Bool("yes")
	if ask && !term.IsTerminal(int(c.stdin.Fd())) {
		return false, c.usage("%s is to be changed, and there is nobody to ask; look at it with --dry-run, then say --yes", f.path)
	}
	text := f.path + ": nothing to change\n"
	if changes {
		text = f.path + ":\n" + diff
	}
	if err := c.answer(hookAnswer{
		SchemaVersion: render.SchemaVersion, Agent: c.words[0], Path: f.path, Changes: changes, DryRun: dry, Diff: diff,
	}, text); err != nil {
		return false, err
	}
	if !ask {
		return changes && !dry, nil
	}
	_, _ = fmt.Fprint(c.stderr, "Change it? [y/N] ")
	line, _ := bufio.NewReader(c.stdin).ReadString('\n')
	if reply := strings.ToLower(strings.TrimSpace(line)); reply == "y" || reply == "yes" {
		return true, nil
	}
	return false, &verbError{thing: f.path, err: errors.New("not changed"), try: program + " " + c.verb + " " + c.words[0] + " --yes"}
}

// write makes the change, unless somebody else has made one meanwhile.
func (f settingsFile) write() error {
	now, _, err := readFile(f.path)
	switch {
	case err != nil:
		return err
	case now != f.before:
		return errors.New("somebody else has changed it just now")
	case f.after == "":
		return os.Remove(f.path)
	default:
		return replaceFile(f.path, f.after, f.mode)
	}
}

// replaceFile puts a text in a file's place at once: nobody sees half of it.
func replaceFile(path, text string, mode fs.FileMode) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // as the agents make it
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ocr-run-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
