package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
)

// lookupError is a command that cannot be executed, and what was tried.
type lookupError struct {
	name string
	// tried is where it was looked for, in order.
	tried []string
	// err is fs.ErrNotExist, or why the best candidate cannot be executed.
	err error
}

// fewPlaces is how many directories of a PATH are named one by one.
const fewPlaces = 3

// Error names the command, the reason and the places.
func (e *lookupError) Error() string {
	name := render.CommandLine([]string{e.name})
	if !errors.Is(e.err, fs.ErrNotExist) {
		return fmt.Sprintf("%s: %s", name, e.err)
	}
	said := name + ": command not found"
	switch {
	case len(e.tried) > fewPlaces:
		said += fmt.Sprintf(" in the %d directories of PATH", len(e.tried))
	case len(e.tried) > 0:
		said += " in " + strings.Join(e.tried, ":")
	}
	if near := nearVerbs(e.name); len(near) > 0 {
		said += "; did you mean the verb " + strings.Join(near, " or ") + "?"
	}
	return said
}

// Unwrap gives the reason.
func (e *lookupError) Unwrap() error { return e.err }

// Reasons a file is no command.
var (
	errDirectory     = errors.New("is a directory")
	errNotExecutable = errors.New("permission denied: not executable")
)

// findCommand is the file to execute for a name, as execvp(3) finds it: a name
// with a slash is a path from dir, any other is looked for in the PATH of the
// environment the command will have.
func findCommand(name string, environ []string, dir string) (string, error) {
	if name == "" {
		return name, &lookupError{err: fs.ErrNotExist}
	}
	if strings.ContainsRune(name, '/') {
		return name, executable(name, inDir(dir, name))
	}
	e := &lookupError{name: name, err: fs.ErrNotExist}
	for _, place := range filepath.SplitList(pathOf(environ)) {
		if place == "" {
			place = "."
		}
		e.tried = append(e.tried, place)
		file := filepath.Join(place, name)
		switch err := executable(name, inDir(dir, file)); {
		case err == nil:
			return file, nil
		case !errors.Is(err, fs.ErrNotExist):
			e.err = errors.Unwrap(err)
		}
	}
	return name, e
}

// inDir is a path as seen from dir.
func inDir(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// defaultPath is where the shells look when PATH is not set.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// pathOf is the PATH of an environment.
func pathOf(environ []string) string {
	if v, set := valueIn(environ, "PATH"); set {
		return v
	}
	return defaultPath
}

// valueIn is a variable's value in an environment: the last one counts.
func valueIn(environ []string, key string) (value string, set bool) {
	for _, kv := range slices.Backward(environ) {
		if v, ok := strings.CutPrefix(kv, key+"="); ok {
			return v, true
		}
	}
	return "", false
}

// executable says why the file of a command cannot be executed, nil when it
// probably can: the kernel has the last word.
func executable(name, file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
		return &lookupError{name: name, err: fs.ErrNotExist}
	case err != nil:
		return &lookupError{name: name, err: err}
	case info.IsDir():
		return &lookupError{name: name, err: errDirectory}
	case unix.Access(file, unix.X_OK) != nil:
		return &lookupError{name: name, err: errNotExecutable}
	default:
		return nil
	}
}
