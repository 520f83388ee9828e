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
// Where that cannot be told, the verb is called as it was given.
func hostVerb(path, verb string) string {
	major, ok := hostMajor(path)
	if !ok {
		return verb
	}
	for now, before := range hostNames() {
		switch {
		case major < 2 && verb == now:
			return before
		case major >= 2 && verb == before, major >= 2 && now == "finish" && verb == "close-session":
			return now
		}
	}
	return verb
}

// hostMajor is the major version of the package a command belongs to.
func hostMajor(path string) (int, bool) {
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return 0, false
	}
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "package.json"))
		if err != nil {
			continue
		}
		var about struct {
			Version string `json:"version"`
		}
		if json.Unmarshal(text, &about) != nil {
			return 0, false
		}
		first, _, _ := strings.Cut(about.Version, ".")
		n, err := strconv.Atoi(first)
		return n, err == nil
	}
	return 0, false
}

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
