package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/supervisor/ptytest"
)

// wrapper is a program that is put in front of a command.
type wrapper struct {
	name string
	path string // its binary; empty for bare
	// prefix is what stands between the binary and the command.
	prefix []string
	// quoted says that the command must be one shell word, followed by suffix.
	quoted bool
	suffix []string
	// relays says that the command gets a terminal of its own and that the user's is put into raw mode.
	relays bool
	// ledger says that the wrapper keeps its state below XDG_STATE_HOME/ocr-run.
	ledger bool
	// missing says why the wrapper cannot be run here; empty means it can.
	missing string
}

func wrappers() []wrapper {
	return []wrapper{
		{name: "bare"},
		{name: "script", prefix: []string{"-qefc"}, quoted: true, suffix: []string{"/dev/null"}, relays: true},
		// sudo clears the environment; without the marker its processes could not be told from others.
		{name: "sudo", prefix: []string{"-n", "--preserve-env=" + ptytest.MarkerName, "--"}, relays: true},
		{name: "tini", prefix: []string{"-s", "--"}},
		{name: "dumb-init", prefix: []string{"--"}},
		{name: "ocr-run", relays: true, ledger: true},
	}
}

func knownWrappers() []string {
	var names []string
	for _, w := range wrappers() {
		names = append(names, w.name)
	}
	return names
}

func newWrapper(text string) (wrapper, error) {
	name, path, _ := strings.Cut(text, "=")
	all := wrappers()
	i := slices.IndexFunc(all, func(w wrapper) bool { return w.name == name })
	if i < 0 {
		return wrapper{}, fmt.Errorf("unknown wrapper %q: known are %s", name, strings.Join(knownWrappers(), ", "))
	}
	w := all[i]
	if w.name == "bare" {
		return w, nil
	}
	if path == "" {
		path = name
	}
	found, err := exec.LookPath(path)
	if err == nil {
		w.path, err = filepath.Abs(found)
	}
	if err != nil {
		w.missing = err.Error()
	} else if w.name == "sudo" {
		if out, err := exec.Command(w.path, "-n", "true").CombinedOutput(); err != nil {
			w.missing = "sudo -n: " + strings.TrimSpace(string(out))
		}
	}
	return w, nil
}

// argv is the command line that runs cmd under the wrapper.
func (w wrapper) argv(cmd ...string) []string {
	if w.path == "" {
		return cmd
	}
	line := append([]string{w.path}, w.prefix...)
	if w.quoted {
		line = append(line, shellJoin(cmd))
	} else {
		line = append(line, cmd...)
	}
	return append(line, w.suffix...)
}

func (w wrapper) bare() bool { return w.path == "" }

// shellJoin writes words so that a POSIX shell reads them back unchanged.
func shellJoin(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}
