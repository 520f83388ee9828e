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

// ErrUnreadable says that a companion is there and tells nothing: only half of it was
// written, or it is no regular file.
var ErrUnreadable = errors.New("cannot be read")

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
	if err := MakeDir(filepath.Dir(to)); err != nil {
		return fmt.Errorf("create companion directory: %w", err)
	}
	if err := writeWhole(to, body); err != nil {
		return fmt.Errorf("write leftovers: %w", err)
	}
	return nil
}

// writeWhole gives a file its name once all of it is written: a full disk leaves no half
// of one. The temporary name is a companion's, too, and is swept with them should we die
// meanwhile.
func writeWhole(path string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	err = errors.Join(err, f.Chmod(0o600), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// ReadLeftovers reads what [WriteLeftovers] kept. It is empty, without an error, when
// nothing was, or only of another generation, and with [ErrUnreadable] when what is
// there will never tell more.
func ReadLeftovers(path string, generation int64) (left lifecycle.Leftovers, err error) {
	from := leftoversPath(path)
	info, err := os.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return left, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return left, fmt.Errorf("leftovers %w: %s is no regular file", ErrUnreadable, from)
	}
	var body []byte
	if err == nil {
		body, err = os.ReadFile(from)
	}
	if err != nil {
		return left, fmt.Errorf("read leftovers: %w", err)
	}
	var rec leftoverRecord
	if err := json.Unmarshal(body, &rec); err != nil {
		return left, fmt.Errorf("leftovers %w: %s: %w", ErrUnreadable, from, err)
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
