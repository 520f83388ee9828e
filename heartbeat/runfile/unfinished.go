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

// temporaryMark begins the name of a run file that is not complete yet. No uid
// begins with it.
const temporaryMark = "."

// unfinishedAge is how old a run file may get before it has its name, which
// takes a millisecond. It is wall time, that jumps and counts sleep: a creator
// whose file was swept all the same makes another one, so that no clock can take
// a lease away.
const unfinishedAge = time.Minute

// SweepUnfinished removes what wrappers left behind in stateDir that died while
// they made their run file: old ones without a final name and without a lease.
// It may run beside any number of creators and other sweeps. now is wall time.
// The errors of single files are joined.
func SweepUnfinished(stateDir string, now time.Time) error {
	dir := filepath.Join(stateDir, runsDir)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep run files: %w", err)
	}
	var failures []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temporaryMark) {
			failures = append(failures, sweepOne(filepath.Join(dir, e.Name()), e, now))
		}
	}
	return errors.Join(failures...)
}

// sweepOne removes one file if it is old and nobody's. One that has meanwhile
// vanished got its name, or was swept by another.
func sweepOne(path string, e fs.DirEntry, now time.Time) error {
	info, err := e.Info()
	if err == nil && (!info.Mode().IsRegular() || now.Sub(info.ModTime()) < unfinishedAge) {
		return nil
	}
	held := false
	if err == nil {
		held, err = Held(path)
	}
	if err == nil && !held {
		err = os.Remove(path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep run file %s: %w", path, err)
	}
	return nil
}

// abandonedAge is how old a run file must be that no ledger knows of: its run may have
// been recorded outside of it, and be taken in late. It is wall time; a living run has
// its lease.
const abandonedAge = 24 * time.Hour

// Abandoned says whether the run file at path, of a run that is in no ledger, is of no
// use any more: its wrapper died before it had announced the run. now is wall time.
func Abandoned(path string, now time.Time) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()) < abandonedAge {
		return false
	}
	there, held, err := Probe(path)
	return err == nil && there && !held
}
