package heartbeat

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
		held, err := LeaseHeld(RunFilePath(stateDir, uid))
		if err == nil && !held {
			err = os.Remove(CompanionPath(stateDir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, fmt.Errorf("sweep companion file %s: %w", e.Name(), err))
		}
	}
	return errors.Join(failures...)
}
