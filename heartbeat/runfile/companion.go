package runfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// hooksDir is where files lie, below the state directory, that a run needs for as
// long as it lasts.
const hooksDir = "hooks"

// CompanionPath is where a file for the life of one run lies. Its name begins with
// the run's uid and a dot.
func CompanionPath(stateDir, name string) string { return filepath.Join(stateDir, hooksDir, name) }

// RemoveCompanions removes the companion files of a run, and what a program that
// was given one has put beside it under its name.
func RemoveCompanions(stateDir, uid string) error {
	entries, err := os.ReadDir(filepath.Join(stateDir, hooksDir))
	failures := []error{err}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), uid+".") {
			failures = append(failures, removeCompanion(stateDir, e.Name()))
		}
	}
	return errors.Join(failures...)
}

// removeCompanion removes one file, which may be gone already.
func removeCompanion(stateDir, name string) error {
	if err := os.Remove(CompanionPath(stateDir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove companion file: %w", err)
	}
	return nil
}

// SweepCompanions removes the companion files of runs whose wrapper is gone: those
// whose lease is free. Young ones stay, because a wrapper makes them before it
// takes its lease. now is wall time. The errors of single files are joined.
func SweepCompanions(stateDir string, now time.Time) error {
	entries, err := os.ReadDir(filepath.Join(stateDir, hooksDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep companion files: %w", err)
	}
	var failures []error
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < unfinishedAge {
			continue
		}
		uid, _, _ := strings.Cut(e.Name(), ".")
		held, err := Held(Path(stateDir, uid))
		if err == nil && !held {
			err = removeCompanion(stateDir, e.Name())
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}
