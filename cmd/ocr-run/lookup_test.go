package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A command that cannot be executed is told of by what was found of it, and one that was
// not found by where it was looked for.
func TestLookupSaysWhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"first/plain", "second/plain", "here"} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "first", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, command, path, want string
		is                        error
	}{
		{"found and not executable", "plain", "none:second:first", "second/plain: permission denied: not executable", errNotExecutable},
		{"a directory of that name", "folder", "first", "first/folder: is a directory", errDirectory},
		{"not found", "nothing", "a:b::/c:d", "nothing: command not found in a:b:.:/c:d", fs.ErrNotExist},
		{"a PATH with a file in it", "nothing", "here:first", "nothing: command not found in here:first", fs.ErrNotExist},
		{"an empty PATH is where one is", "nothing", "", "nothing: command not found in . (PATH is empty)", fs.ErrNotExist},
		{"and found there", "here", "", "here: permission denied: not executable", errNotExecutable},
		{"below a file", "./here/x", "a", "./here/x: not a directory", unix.ENOTDIR},
		{"below nothing", "./there/x", "a", "./there/x: command not found", fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := findCommand(tt.command, []string{"PATH=" + tt.path}, dir)
			if err == nil || err.Error() != tt.want || !errors.Is(err, tt.is) {
				t.Errorf("%v, want %s (%v)", err, tt.want, tt.is)
			}
		})
	}
}

// All of a long PATH is written down, and whole directories of it are shown.
func TestALongPathIsShownInPart(t *testing.T) {
	t.Parallel()
	const many = 100
	places := make([]string, many)
	for i := range places {
		places[i] = fmt.Sprintf("/none/directory-%03d", i)
	}
	path := strings.Join(places, ":")
	_, err := findCommand("nothing", []string{"PATH=" + path}, t.TempDir())
	if err == nil || err.Error() != "nothing: command not found in "+path {
		t.Errorf("%v", err)
	}
	const shown = 25 // of 20 bytes with the colon, in 512
	want := "nothing: command not found in " + strings.Join(places[:shown], ":") + " and 75 more directories of PATH"
	if got := briefly(err); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := briefly(fmt.Errorf("wrapped: %w", err)); !strings.HasPrefix(got, "wrapped: ") {
		t.Errorf("%s", got)
	}
}
