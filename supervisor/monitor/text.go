package monitor

import (
	"bytes"
	"os"
	"path/filepath"
)

// isText says whether a file can be a script without a first line that says whose:
// a program for another machine must not be read as one.
func isText(path, dir string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read from
	head := make([]byte, 128)
	n, _ := f.Read(head)
	return bytes.IndexByte(head[:n], 0) < 0
}
