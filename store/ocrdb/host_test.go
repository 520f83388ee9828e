package ocrdb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	at := func(p ...string) string { return filepath.Join(append([]string{top}, p...)...) }
	dirs := []string{"repo/.git", "repo/a/b", "inner/.git", "inner/sub/x", "plain/x", "none/.git", "none/x"}
	for _, d := range dirs {
		if err := os.MkdirAll(at(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	db := filepath.Join(".ocr", "data", "ocr.db")
	put(t, at("repo", db), "x")
	put(t, at("inner", "sub", db), "x")
	put(t, at(db), "x") // above every git top level: never theirs
	put(t, at("plain", db), "x")
	// A linked worktree, one whose link is relative, a submodule, and a worktree
	// of a bare repository.
	put(t, at("repo", ".git", "worktrees", "w", "commondir"), "../..\n")
	put(t, at("tree", ".git"), "gitdir: "+at("repo", ".git", "worktrees", "w")+"\n")
	put(t, at("tree", "deep", "file"), "")
	put(t, at("near", ".git"), "gitdir: ../repo/.git/worktrees/w\n")
	put(t, at("own", ".git"), "gitdir: ../repo/.git/worktrees/w\n")
	put(t, at("own", db), "x")
	put(t, at("module", ".git"), "gitdir: ../repo/.git/modules/m\n")
	put(t, at("bare.git", "worktrees", "w", "commondir"), "../..\n")
	put(t, at("ofbare", ".git"), "gitdir: ../bare.git/worktrees/w\n")
	put(t, at("odd", ".git"), "what is this\n")
	put(t, at("notdir", ".ocr"), "a file")
	put(t, at("notdir", ".git", "HEAD"), "")
	for dir, want := range map[string]string{
		"repo": "repo", "repo/a/b": "repo", "inner/sub/x": "inner/sub", "inner": "",
		"plain": "plain", "plain/x": "", "none/x": "", "tree": "repo", "tree/deep": "repo",
		"near": "repo", "own": "own", "module": "", "ofbare": "", "odd": "", "notdir": "",
		// Where a name would be too long there is nothing, and above it there may be.
		"repo" + strings.Repeat("/deep", 900): "repo",
	} {
		h, ok, err := Find(at(dir))
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		if want == "" && ok || want != "" && (h != Host{Root: at(want), Path: at(want, db)}) {
			t.Errorf("%s: %+v, %v, want %q", dir, h, ok, want)
		}
	}
}

func TestFindFailsOnWhatCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, "repo", ".ocr", "data", "ocr.db"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Find(filepath.Join(top, "repo")); !errors.Is(err, ErrUnreadable) {
		t.Errorf("a directory: %v", err)
	}
	if os.Getuid() == 0 {
		t.Skip("root may look everywhere")
	}
	shut := filepath.Join(top, "shut", ".ocr")
	if err := os.MkdirAll(shut, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shut, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(shut, 0o755) })
	if _, _, err := Find(filepath.Dir(shut)); !errors.Is(err, os.ErrPermission) {
		t.Errorf("shut: %v", err)
	}
}
