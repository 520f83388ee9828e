package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What systemd says reaches the user, and so does that there is nobody to ask.
func TestNoScope(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	err := enterScope(t.Context(), os.Getpid(), "u1", nil)
	if !errors.Is(err, ErrNoScope) || !strings.Contains(err.Error(), "busctl") {
		t.Errorf("without the tool: %v", err)
	}
	fake := "#!/bin/sh\necho \"no manager for $XDG_RUNTIME_DIR: $*\" >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "busctl"), []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	err = enterScope(t.Context(), os.Getpid(), "u1", []string{"XDG_RUNTIME_DIR=/over/there"})
	if !errors.Is(err, ErrNoScope) {
		t.Errorf("refused: %v", err)
	}
	for _, want := range []string{"no manager for /over/there", "StartTransientUnit ssa(sv)a(sa(sv)) ocr-run-u1.scope fail 4", "Delegate b true"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

// A login's own directory is not replaced, and one is only named that is there.
func TestRuntimeDir(t *testing.T) {
	t.Parallel()
	own := []string{"A=1", "XDG_RUNTIME_DIR=/mine"}
	if got := withRuntimeDir(own); !slices.Equal(got, own) {
		t.Errorf("%q", got)
	}
	for _, kv := range withRuntimeDir([]string{"A=1"})[1:] {
		if _, err := os.Stat(strings.TrimPrefix(kv, "XDG_RUNTIME_DIR=")); err != nil {
			t.Errorf("%q: %v", kv, err)
		}
	}
}
