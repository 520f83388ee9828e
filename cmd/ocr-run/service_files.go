package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/hooks"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/service"
)

// serviceFile is a file of the service with what is in its place.
type serviceFile struct{ service.Found }

// serviceFiles are the files of a service with what is in their places.
func (c call) serviceFiles(s service.Control) ([]serviceFile, error) {
	files, err := s.Files()
	if err != nil {
		return nil, &verbError{thing: c.verb, err: err, try: "put it where the path is plainer"}
	}
	all := make([]serviceFile, 0, len(files))
	for _, f := range files {
		found, err := service.Look(f)
		if err != nil {
			return nil, &verbError{thing: c.verb, err: err, try: "put it right, then " + program + " " + c.verb}
		}
		all = append(all, serviceFile{found})
	}
	return all, nil
}

// foreignFile is an error when somebody else has a file where ours belongs.
func foreignFile(files []serviceFile) error {
	for _, f := range files {
		if f.Standing == service.Foreign {
			return &verbError{thing: f.Path, err: errors.New("it is not ours: " + f.Why), try: "look at it, and move it away"}
		}
	}
	return nil
}

// text is what the file holds, or where the link leads.
func text(content, target string) string {
	if target != "" {
		return "-> " + target + "\n"
	}
	return content
}

// diff is the change that installing makes, or removing.
func (f serviceFile) diff(remove bool) string {
	before := f.Before
	if f.Target != "" && f.Standing == service.Same {
		before = text("", f.Target)
	}
	switch {
	case f.Standing == service.Foreign:
		return ""
	case remove:
		return hooks.Diff(before, "")
	default:
		return hooks.Diff(before, text(f.Text, f.Target))
	}
}

// write brings the file up to date.
func (f serviceFile) write() error {
	switch {
	case f.Standing == service.Same:
		return nil
	case f.Target == "":
		return replaceFile(f.Path, f.Text, 0o644)
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil { //nolint:gosec // as systemctl makes it
		return err
	}
	return os.Symlink(f.Target, f.Path)
}

// remove takes the file away if it is ours, and the directory of a link when it is
// the last.
func (f serviceFile) remove() error {
	if f.Standing == service.Missing || f.Standing == service.Foreign {
		return nil
	}
	if err := os.Remove(f.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if f.Target != "" {
		_ = os.Remove(filepath.Dir(f.Path)) // others have links in it
	}
	return nil
}

// serviceChange is the change that installing makes, or removing.
func serviceChange(s service.Control, files []serviceFile, remove bool) render.ServiceChange {
	change := render.ServiceChange{
		SchemaVersion: render.SchemaVersion, Manager: string(s.Manager), Name: s.Name(), Ledger: s.Ledger(),
		Remove: remove,
	}
	for _, f := range files {
		view := render.ServiceFile{Path: f.Path, Standing: string(f.Standing), Diff: f.diff(remove)}
		change.Changes = change.Changes || view.Diff != ""
		change.Files = append(change.Files, view)
	}
	return change
}

// agreedToService shows the change and says whether to go on: with it, or without
// one that would have to be agreed to.
func (c call) agreedToService(s service.Control, files []serviceFile, remove bool) (bool, error) {
	change := serviceChange(s, files, remove)
	change.DryRun = c.flags.Bool("dry-run")
	ask := change.Changes && !change.DryRun && !c.flags.Bool("yes")
	if ask && !term.IsTerminal(int(c.stdin.Fd())) {
		return false, c.usage("there is nobody to ask; look at it with --dry-run, then say --yes")
	}
	if err := c.answer(change, render.ServiceChangeText(change)); err != nil || change.DryRun {
		return false, err
	}
	if !ask {
		return true, nil
	}
	_, _ = fmt.Fprint(c.stderr, "Do this? [y/N] ")
	line, _ := bufio.NewReader(c.stdin).ReadString('\n') // no answer is no
	if slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line))) {
		return true, nil
	}
	return false, &verbError{thing: c.verb, err: errors.New("nothing was changed"), try: program + " " + c.verb + " --yes"}
}
