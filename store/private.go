package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// privateDir is the mode of every directory of ours.
const privateDir fs.FileMode = 0o700

// makeDir makes a directory and those above it that are not there, each for its owner
// alone. A umask may have taken from a new one what its owner needs; one that was there
// is left as it is.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if above := filepath.Dir(dir); above != dir {
		if err := makeDir(above); err != nil {
			return err
		}
	}
	err := os.Mkdir(dir, privateDir)
	if errors.Is(err, fs.ErrExist) {
		return os.MkdirAll(dir, privateDir) // made meanwhile, or no directory
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, privateDir)
}
