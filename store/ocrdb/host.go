package ocrdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Where the product keeps its things inside a project.
const (
	productDir = ".ocr"
	dbName     = "ocr.db"
)

// Host is a project that Open Code Review drives. Its zero value is none. It
// holds nothing open and may be copied and used by several goroutines.
type Host struct {
	// Root is the absolute path of the project, the directory that has .ocr.
	Root string
	// Path is the absolute path of its database file.
	Path string
}

// Find looks for the product's database from dir upwards, as far as the git
// top level. A linked worktree without one of its own belongs to the project of
// its main checkout. Outside git only dir itself counts: beyond it nothing says
// where the project ends.
//
// ok is false when there is none. Something in its place that cannot be looked
// at, or is not a file, is an error: it must not pass for "no host".
func Find(dir string) (h Host, ok bool, err error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return Host{}, false, fmt.Errorf("find database from %s: %w", dir, err)
	}
	top, main, err := gitTop(start)
	if err != nil {
		return Host{}, false, err
	}
	for at := start; ; at = filepath.Dir(at) {
		if h, ok, err = hostAt(at); ok || err != nil {
			return h, ok, err
		}
		if at == top || top == "" {
			break
		}
	}
	if main == "" {
		return Host{}, false, nil
	}
	return hostAt(main)
}

// hostAt says whether dir has a database.
func hostAt(dir string) (Host, bool, error) {
	path := filepath.Join(dir, productDir, "data", dbName)
	info, err := os.Stat(path)
	switch {
	case absent(err):
		return Host{}, false, nil
	case err != nil:
		return Host{}, false, fmt.Errorf("look for database: %w", err)
	case !info.Mode().IsRegular():
		return Host{}, false, fmt.Errorf("look for database: %s is no regular file: %w", path, ErrUnreadable)
	}
	return Host{Root: dir, Path: path}, true, nil
}

// gitTop finds the git top level at or above dir, empty outside git, and the
// main checkout when that top level is a linked worktree.
func gitTop(dir string) (top, main string, err error) {
	for at := dir; ; at = filepath.Dir(at) {
		dotGit := filepath.Join(at, ".git")
		info, err := os.Lstat(dotGit)
		switch {
		case err == nil && info.Mode().IsRegular():
			main, err := mainCheckout(dotGit)
			return at, main, err
		case err == nil:
			return at, "", nil
		case !absent(err):
			return "", "", fmt.Errorf("look for git top level: %w", err)
		}
		if at == filepath.Dir(at) {
			return "", "", nil
		}
	}
}

// mainCheckout follows the .git file of a linked worktree to the checkout it
// was made from. It is empty for what else has a .git file: a submodule, or a
// worktree of a bare repository.
func mainCheckout(dotGit string) (string, error) {
	gitDir, err := firstLine(dotGit)
	if err != nil {
		return "", fmt.Errorf("read worktree link: %w", err)
	}
	gitDir, found := strings.CutPrefix(gitDir, "gitdir:")
	if !found {
		return "", nil
	}
	gitDir = under(filepath.Dir(dotGit), strings.TrimSpace(gitDir))
	common, err := firstLine(filepath.Join(gitDir, "commondir"))
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read worktree link: %w", err)
	}
	common = under(gitDir, common)
	if filepath.Base(common) != ".git" {
		return "", nil
	}
	return filepath.Dir(common), nil
}

// under makes path absolute, relative to dir.
func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// firstLine is the first line of a small file, without its blanks.
func firstLine(path string) (string, error) {
	b, err := os.ReadFile(path)
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line), err
}

// absent says whether err means that nothing has that name, or that nobody can find it by
// a name so long: a directory can lie deeper than the longest there is.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG)
}
