package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Mark is what every text of ours says about itself.
const Mark = `Written by "ocr-run service install"`

// File is one file of a service.
type File struct {
	Path string
	// Text is what it holds; empty for a link.
	Text string
	// Target is where a link leads; empty for a file.
	Target string
}

// Files are the files of the service, in the order in which they are written.
func (s Spec) Files() ([]File, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Manager == Launchd {
		return s.launchdFiles()
	}
	return s.systemdFiles()
}

// Standing is what is found in a file's place.
type Standing string

// The standings.
const (
	// Missing: there is nothing.
	Missing Standing = "missing"
	// Same: it is as this version would write it.
	Same Standing = "same"
	// Differs: it is ours, and this version would write it otherwise.
	Differs Standing = "differs"
	// Foreign: it is somebody else's, and is left alone.
	Foreign Standing = "foreign"
)

// Found is a file with what is in its place.
type Found struct {
	File
	Standing Standing
	// Before is the text that is there, empty where there is none.
	Before string
	// Why says what makes it foreign.
	Why string
}

// Look looks at a file's place.
func Look(f File) (Found, error) {
	found := Found{File: f, Standing: Missing}
	info, err := os.Lstat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found, nil
	case err != nil:
		return found, err
	case f.Target != "":
		return found.link(info), nil
	case !info.Mode().IsRegular():
		found.Standing, found.Why = Foreign, "it is not a plain file"
		return found, nil
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return found, err
	}
	found.Before = string(text)
	switch {
	case found.Before == f.Text:
		found.Standing = Same
	case strings.Contains(found.Before, Mark):
		found.Standing = Differs
	default:
		found.Standing, found.Why = Foreign, "somebody else wrote it"
	}
	return found, nil
}

// link judges what is in the place of a link. systemctl makes such links with the
// whole path.
func (f Found) link(info fs.FileInfo) Found {
	f.Standing = Same
	target, err := os.Readlink(f.Path)
	want := filepath.Join(filepath.Dir(f.Path), f.Target)
	if info.Mode()&fs.ModeSymlink == 0 || err != nil {
		f.Standing, f.Why = Foreign, "it is not a link"
	} else if target != f.Target && target != want {
		f.Standing, f.Why = Foreign, "it leads to "+target
	}
	return f
}

// Program is the program that a text of ours starts, empty when there is none in it.
func Program(m Manager, text string) string {
	if m == Launchd {
		return plistProgram(text)
	}
	return unitProgram(text)
}

// errNoExample: there is no such example.
var errNoExample = errors.New("there is no such example")

// examples are the names of the examples, each with what it is.
func examples() map[string]string {
	return map[string]string{
		"agent":   "an agent that is started again until its work is finished",
		"nightly": "an agent that works once a night",
	}
}

// Examples lists the names of the examples.
func Examples() []string { return []string{"agent", "nightly"} }

// Example is an example of a user's own service that runs an agent under ocr-run,
// with the places where its files would lie. The error says that there is none of
// that name, or why the manager cannot be told of these paths.
func (s Spec) Example(name string) ([]File, error) {
	about, ok := examples()[name]
	if !ok {
		return nil, fmt.Errorf("%q: %w", name, errNoExample)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	if s.Manager == Launchd {
		return s.launchdExample(name, about)
	}
	return s.systemdExample(name, about)
}
