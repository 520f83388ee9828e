package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// ownFile is the file this program was started from, under its own name. An update may
// have put another one there, or have removed it: Linux then says so in the name.
func ownFile() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find own executable: %w", err)
	}
	return strings.TrimSuffix(path, " (deleted)"), nil
}

// ownProgram is the file to execute for another process of this very program: by its
// own name, which others see, unless another file has that now or none.
func ownProgram() (string, error) {
	self, err := monitor.SelfPath()
	if err != nil {
		return "", fmt.Errorf("find own executable: %w", err)
	}
	if named, err := ownFile(); err == nil && sameFile(self, named) {
		return named, nil
	}
	return self, nil
}

// ownPath is what others are to call, now and later: this program as PATH has it, which
// outlasts an update, or else its own file.
func (c call) ownPath() (string, error) {
	self, err := ownFile()
	if err != nil {
		return "", &verbError{thing: c.verb, err: err}
	}
	found, err := findCommand(program, c.environ, c.dir)
	if err != nil {
		return self, nil //nolint:nilerr // it is not in the PATH
	}
	if found = inDir(c.dir, found); sameFile(self, found) {
		return found, nil
	}
	return self, nil
}

// sameFile says whether two paths lead to the same file.
func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
