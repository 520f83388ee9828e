package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stagedDocument is a completion document that is on disk under a name nobody
// looks for. Its zero value stands for a session without a directory.
type stagedDocument struct {
	// path is the name it will get, temporary the one it has.
	path, temporary string
}

// stage writes the document beside the place where it belongs.
func (p completing) stage() (stagedDocument, error) {
	folder := p.folder()
	if folder == "" {
		return stagedDocument{}, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a working tree, readable like the rest of it
		return stagedDocument{}, fmt.Errorf("keep document: %w", err)
	}
	d := stagedDocument{path: filepath.Join(folder, p.how.file)}
	f, err := os.CreateTemp(folder, stagedPrefix(p.how.file)+"*")
	if err != nil {
		return d, fmt.Errorf("keep document: %w", err)
	}
	d.temporary = f.Name()
	_, werr := f.Write(p.document)
	if err := errors.Join(werr, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return d, fmt.Errorf("keep document %s: %w", d.path, errors.Join(err, d.discard()))
	}
	return d, nil
}

// stagedPrefix begins the names of documents that wait for theirs.
func stagedPrefix(file string) string { return "." + file + "." }

// publish gives the document its name.
func (d stagedDocument) publish() error {
	if d.path == "" {
		return nil
	}
	if err := os.Rename(d.temporary, d.path); err != nil {
		return fmt.Errorf("keep document: %w", errors.Join(err, d.discard()))
	}
	return nil
}

// missing says whether nothing has the name the document would get.
func (d stagedDocument) missing() bool {
	_, err := os.Lstat(d.path)
	return d.path != "" && errors.Is(err, fs.ErrNotExist)
}

// discard removes the document.
func (d stagedDocument) discard() error {
	if d.temporary == "" {
		return nil
	}
	return os.Remove(d.temporary)
}

// stagedFor is longer than any document waits for its name.
const stagedFor = 10 * time.Minute

// tidy removes what killed processes left under names of their own. It is not
// worth an error.
func (d stagedDocument) tidy(now time.Time) {
	if d.path == "" {
		return
	}
	entries, _ := os.ReadDir(filepath.Dir(d.path))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), stagedPrefix(filepath.Base(d.path))) {
			continue
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > stagedFor {
			_ = os.Remove(filepath.Join(filepath.Dir(d.path), e.Name()))
		}
	}
}
