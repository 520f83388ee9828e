package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
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
	// found is the file that was found; empty when there was none.
	found string
	// tried is where it was looked for, in order; pathless says that PATH is empty,
	// which is the directory one is in.
	tried    []string
	pathless bool
	// err is fs.ErrNotExist, or why what was found cannot be executed.
	err error
}

// mostPlaces is how much of a PATH is shown to somebody who has only mistyped a word,
// in bytes.
const mostPlaces = 512

// Error names the command or what was found of it, the reason, and all of the places.
func (e *lookupError) Error() string { return e.said(math.MaxInt) }

// briefly is what an error says, without the end of a long PATH.
func briefly(err error) string {
	if e, ok := err.(*lookupError); ok { //nolint:errorlint // one that is wrapped says more
		return e.said(mostPlaces)
	}
	return err.Error()
}

// said is Error with so many bytes of places at most, and at least one place.
func (e *lookupError) said(most int) string {
	name := render.CommandLine([]string{cmp.Or(e.found, e.name)})
	if !errors.Is(e.err, fs.ErrNotExist) {
		return fmt.Sprintf("%s: %s", name, e.err)
	}
	said := name + ": command not found"
	if len(e.tried) > 0 {
		said += " in " + e.places(most)
	}
	if near := nearVerbs(e.name); len(near) > 0 {
		said += "; did you mean the verb " + strings.Join(near, " or ") + "?"
	}
	return said
}

// places are the directories in which the command was looked for, as PATH has them.
func (e *lookupError) places(most int) string {
	shown, length := 0, 0
	for _, place := range e.tried {
		if length += len(place) + 1; shown > 0 && length > most {
			break
		}
		shown++
	}
	said := strings.Join(e.tried[:shown], ":")
	if more := len(e.tried) - shown; more > 0 {
		said += fmt.Sprintf(" and %d more directories of PATH", more)
	}
	if e.pathless {
		said += " (PATH is empty)"
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
// environment the command will have. A file that cannot be executed is passed over,
// and the first of them told of when nothing better comes.
func findCommand(name string, environ []string, dir string) (string, error) {
	if name == "" {
		return name, &lookupError{err: fs.ErrNotExist}
	}
	if strings.ContainsRune(name, '/') {
		return name, executable(name, inDir(dir, name))
	}
	path := pathOf(environ)
	e := &lookupError{name: name, err: fs.ErrNotExist, pathless: path == ""}
	for place := range strings.SplitSeq(path, string(filepath.ListSeparator)) {
		place = cmp.Or(place, ".")
		e.tried = append(e.tried, place)
		file := filepath.Join(place, name)
		switch err := executable(name, inDir(dir, file)); {
		case err == nil:
			return file, nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) && e.found == "":
			e.found, e.err = file, errors.Unwrap(err)
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
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err // we name the file ourselves
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
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
