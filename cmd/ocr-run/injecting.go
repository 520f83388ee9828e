package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/hooks"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// injected is what a run's agent is given so that it calls our hooks or writes down
// why its model stopped, beside the command as it was typed. Its zero value gives it
// nothing.
type injected struct {
	// argv is the argument vector to execute; nil for the command itself.
	argv []string
	// env holds KEY=VALUE pairs.
	env []string
	// files: there are files to be removed when the run is over.
	files bool
}

// errNoHooks: the agent takes no hooks for one run.
var errNoHooks = errors.New("this agent takes no hooks for one run")

// inject prepares the agent of the run to call our hooks, if that is wanted. A run
// that cannot have them goes on without, and says so.
func (w *wrapping) inject() {
	if !w.opts.hooks {
		return
	}
	if err := w.tryInject(); err != nil {
		_, _ = fmt.Fprintf(w.env.stderr, "%s: --hooks: %s; the run goes on without\n", program, err)
	}
}

// tryInject is inject, with the reason why not.
func (w *wrapping) tryInject() error {
	c := call{environment: w.env, verb: "--hooks"}
	switch {
	case w.witness == nil:
		return errors.New("the command starts no conversation with an agent that is known")
	case w.stateDir == "":
		return errNoHome
	case w.installed():
		return nil // and would tell everything twice
	}
	path, err := c.ownPath()
	if err != nil {
		return err
	}
	name := hooks.FileName(w.agent, w.uid)
	site := hooks.Site{Program: path, File: runfile.CompanionPath(w.stateDir, name)}
	if site.Given, err = w.given(hooks.NamesOf(w.agent)); err != nil {
		return err
	}
	inj, err := hooks.Inject(w.agent, site)
	if err == nil && len(inj.Args) > 0 && agent.Recognise(w.command) != w.agent {
		err = fmt.Errorf("%s takes them as arguments, which %s may not be meant to get", w.agent, w.command[0])
	}
	if err == nil && w.agent == "gemini" {
		err = rootOnly(filepath.Dir(site.File))
	}
	if err == nil && inj.Text != "" {
		err = w.placeHooks(site.File, inj.Text)
	}
	if err != nil {
		return err
	}
	w.injected.env = append(w.injected.env, inj.Env...)
	if len(inj.Args) > 0 {
		w.injected.argv = w.witness.in.With(inj.Args, inj.Instead)
	}
	return nil
}

// placeHooks writes the file of the run's hooks.
func (w *wrapping) placeHooks(path, text string) error {
	if err := runfile.MakeDir(filepath.Dir(path)); err != nil {
		return err
	}
	w.injected.files = true
	return os.WriteFile(path, []byte(text), 0o600)
}

// given is the text of the settings that the invocation itself names.
func (w *wrapping) given(n hooks.Names) (string, error) {
	environ := w.plainEnv()
	switch value, _ := w.witness.in.Given(n.Option); {
	case n.Option != "" && strings.HasPrefix(strings.TrimSpace(value), "{"):
		return value, nil
	case n.Option != "" && value != "":
		return readGiven(inDir(w.opts.cwd, value), true)
	case n.Text != "":
		value, _ := valueIn(environ, n.Text)
		return value, nil
	case n.File != "":
		return readGiven(defaultsFile(n.File, environ), false)
	default:
		return "", nil
	}
}

// defaultsFile is the file of defaults for all users of a machine that a variable
// names, or where it is without that. It need not exist.
func defaultsFile(variable string, environ []string) string {
	if path, set := valueIn(environ, variable); set && path != "" {
		return path
	}
	settings, set := valueIn(environ, strings.Replace(variable, "DEFAULTS", "SETTINGS", 1))
	if set && settings != "" {
		return filepath.Join(filepath.Dir(settings), "system-defaults.json")
	}
	return filepath.Join(systemSettings(variable), "system-defaults.json")
}

// readGiven reads a file of settings; one that need not exist may be missing.
func readGiven(path string, must bool) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil && (must || !errors.Is(err, os.ErrNotExist)) {
		return "", err
	}
	return string(b), nil
}

// installed says whether the agent's own settings have our hooks already.
func (w *wrapping) installed() bool {
	get := w.place(w.plainEnv()).Env
	for _, project := range []string{"", workspaceOf(w.opts.cwd), w.opts.cwd} {
		path, err := hooks.Place(w.agent, project, get)
		if err != nil {
			continue
		}
		if b, err := os.ReadFile(path); err == nil && hooks.Installed(w.agent, string(b)) {
			return true
		}
	}
	return false
}

// rootOnly is an error if somebody other than root could change a directory, or
// any above it: Gemini CLI takes the settings of all users from no other place.
func rootOnly(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err == nil {
			st, ok := info.Sys().(*syscall.Stat_t)
			if ok && (st.Uid != 0 || info.Mode().Perm()&0o022 != 0) {
				return fmt.Errorf("%w: Gemini CLI reads such settings only where nobody but root may write, and not below %s; %s hook install gemini works anywhere",
					errNoHooks, at, program)
			}
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// removeHooks takes away what inject and listen put there.
func (w *wrapping) removeHooks() {
	if !w.injected.files {
		return
	}
	if err := runfile.RemoveCompanions(w.stateDir, w.uid); err != nil {
		w.log.Warn().Err(err).Msg("remove files of the run") // a sweep will
	}
}
