package main

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"testing"
)

// vars is an environment lookup over a map.
func vars(m map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		v, ok := m[key]
		return v, ok
	}
}

func TestLedgerPath(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		vars map[string]string
		want string
		err  error
	}{
		{"home", map[string]string{"HOME": "/home/u"}, "/home/u/.local/state/ocr-run/ledger.db", nil},
		{"state home", map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": "/s"}, "/s/ocr-run/ledger.db", nil},
		{"relative state home is ignored", map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": "s"}, "/home/u/.local/state/ocr-run/ledger.db", nil},
		{"empty state home is ignored", map[string]string{"HOME": "/home/u", "XDG_STATE_HOME": ""}, "/home/u/.local/state/ocr-run/ledger.db", nil},
		{"nothing", nil, "", errNoHome},
		{"relative home", map[string]string{"HOME": "u"}, "", errNoHome},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := environment{lookup: vars(tt.vars)}.ledgerPath()
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ledgerPath() = %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// Whoever is started without a home, or with an empty one, has the one that the system
// knows of.
func TestLookupHome(t *testing.T) {
	t.Setenv("HOME", "/set")
	if home, set := lookupHome("HOME"); home != "/set" || !set {
		t.Errorf("HOME=/set is %q, %v", home, set)
	}
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	t.Setenv("HOME", "")
	if home, set := lookupHome("HOME"); home != me.HomeDir || !set {
		t.Errorf("HOME= is %q, %v, want %q", home, set, me.HomeDir)
	}
	if err := os.Unsetenv("HOME"); err != nil {
		t.Fatal(err)
	}
	if home, set := lookupHome("HOME"); home != me.HomeDir || !set {
		t.Errorf("no HOME is %q, %v, want %q", home, set, me.HomeDir)
	}
	if value, set := lookupHome("OCR_RUN_NO_SUCH_VARIABLE"); set {
		t.Errorf("another variable is %q", value)
	}
}

func TestWorkspaceOf(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	deep := filepath.Join(root, "repo", "a", "b")
	linked := filepath.Join(root, "worktree", "c")
	plain := filepath.Join(root, "plain", "d")
	for _, dir := range []string{deep, linked, plain, filepath.Join(root, "repo", ".git")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "worktree", ".git"), []byte("gitdir: elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(deep, filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		deep:                          filepath.Join(root, "repo"),
		filepath.Join(root, "repo"):   filepath.Join(root, "repo"),
		linked:                        filepath.Join(root, "worktree"),
		plain:                         plain,
		filepath.Join(root, "link"):   filepath.Join(root, "repo"),
		filepath.Join(root, "absent"): filepath.Join(root, "absent"),
	}
	for dir, want := range tests {
		if got := workspaceOf(dir); got != want {
			t.Errorf("workspaceOf(%s) = %s, want %s", dir, got, want)
		}
	}
}

// What is gone is named as it was when it was there.
func TestResolvedAsFarAsItExists(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(names ...string) string { return filepath.Join(append([]string{base}, names...)...) }
	if err := errors.Join(
		os.Mkdir(at("real"), 0o700), os.Symlink("real", at("link")),
		os.Symlink("../gone", at("real", "left")), os.Symlink(at("nowhere"), at("far")),
	); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		at("real"):                  at("real"),
		at("link"):                  at("real"),
		at("link", "x", "y"):        at("real", "x", "y"),
		at("link") + "/x/../y/":     at("real", "y"),
		at("gone"):                  at("gone"),
		at("link", "left", "x"):     at("gone", "x"),
		at("far", "x"):              at("nowhere", "x"),
		"/" + "no-such-directory/x": "/no-such-directory/x",
	} {
		if got := resolved(path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}
