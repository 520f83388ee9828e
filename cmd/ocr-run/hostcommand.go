package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// errNoHostCommand says that the host's command line is not installed.
var errNoHostCommand = errors.New("its command ocr was not found")

// hostCommand is the host's own command: the project's, from where it is or above
// it, or else the first in the PATH.
func hostCommand(host ocrdb.Host, environ []string) (string, error) {
	for dir := host.Root; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "node_modules", ".bin", "ocr")
		if executable("ocr", file) == nil {
			return file, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	path, err := findCommand("ocr", environ, host.Root)
	if err != nil {
		return "", fmt.Errorf("%s is driven by Open Code Review, and %w", host.Root, errNoHostCommand)
	}
	return inDir(host.Root, path), nil
}

// hostNames are the state verbs whose name the host changed in its second major
// version.
func hostNames() map[string]string {
	return map[string]string{
		"begin": "init", "advance": "transition", "complete-round": "round-complete", "complete-map": "map-complete", "finish": "close",
	}
}

// hostVerb is what the host's command at path calls a state verb, by its version.
// Where that cannot be told the verb is called as it was given.
func hostVerb(path, verb, given string) string {
	major, ok := hostMajor(path)
	before, renamed := hostNames()[verb]
	switch {
	case !ok:
		return given
	case renamed && major < 2:
		return before
	default:
		return verb
	}
}

// hostPackage is the package that the host's command comes in.
const hostPackage = "@open-code-review/cli"

// hostMajor is the major version of the host's command at path. That may be a link
// into the package, or a script beside it that some package managers write.
func hostMajor(path string) (int, bool) {
	if n, ok := majorIn(filepath.Join(filepath.Dir(filepath.Dir(path)), filepath.FromSlash(hostPackage))); ok {
		return n, true
	}
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return 0, false
	}
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if n, ok := majorIn(dir); ok {
			return n, true
		}
	}
	return 0, false
}

// majorIn is the major version of the host's package in dir; ok is false when it is
// another's, or none.
func majorIn(dir string) (major int, ok bool) {
	text, err := os.ReadFile(filepath.Join(dir, "package.json"))
	var about struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	if err != nil || json.Unmarshal(text, &about) != nil || about.Name != hostPackage {
		return 0, false
	}
	first, _, _ := strings.Cut(about.Version, ".")
	major, err = strconv.Atoi(first)
	return major, err == nil
}

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
