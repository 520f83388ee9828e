package runfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// leftoversSuffix is how the name of the companion ends that says what became of what
// a run left behind.
const leftoversSuffix = ".leftovers"

// leftoverRecord is what such a companion holds.
type leftoverRecord struct {
	// Generation is the run's: an earlier one had other processes.
	Generation int64               `json:"generation"`
	Leftovers  lifecycle.Leftovers `json:"leftovers"`
}

// leftoversPath is where the companion of the run with that run file lies.
func leftoversPath(path string) string {
	return CompanionPath(filepath.Dir(filepath.Dir(path)), filepath.Base(path)+leftoversSuffix)
}

// WriteLeftovers keeps what became of the processes that a run left behind, for
// whoever settles it: its wrapper is gone or could not write it down. path is the run
// file. Unlike the exit record it needs room on the disk.
func WriteLeftovers(path string, generation int64, left lifecycle.Leftovers) error {
	body, err := json.Marshal(leftoverRecord{Generation: generation, Leftovers: left})
	if err != nil {
		return fmt.Errorf("encode leftovers: %w", err)
	}
	to := leftoversPath(path)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("create companion directory: %w", err)
	}
	if err := os.WriteFile(to, body, 0o600); err != nil {
		return fmt.Errorf("write leftovers: %w", err)
	}
	return nil
}

// ReadLeftovers reads what [WriteLeftovers] kept. It is empty, without an error, when
// nothing was, or only of another generation.
func ReadLeftovers(path string, generation int64) (left lifecycle.Leftovers, err error) {
	body, err := os.ReadFile(leftoversPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return left, nil
	}
	var rec leftoverRecord
	if err == nil {
		err = json.Unmarshal(body, &rec)
	}
	if err != nil {
		return left, fmt.Errorf("read leftovers: %w", err)
	}
	if rec.Generation != generation {
		return left, nil
	}
	return rec.Leftovers, nil
}

// RemoveLeftovers removes what [WriteLeftovers] kept, if it is there.
func RemoveLeftovers(path string) error {
	if err := os.Remove(leftoversPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove leftovers: %w", err)
	}
	return nil
}
