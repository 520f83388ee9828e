package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestReadDir(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"claude -p hi":                          "",
		"codex exec -C /else hi":                "/else",
		"codex --cd sub exec hi":                "sub",
		"codex exec --cd=sub hi":                "sub",
		"opencode run --dir /else hi":           "/else",
		"opencode /else":                        "/else",
		"opencode run -i":                       "",
		"opencode run hi":                       "",
		"opencode attach http://127.0.0.1:1":    "",
		"env -C /else claude -p hi":             "/else",
		"env -C/else A=b claude -p hi":          "/else",
		"env --chdir=a nice codex exec -C b hi": "a/b",
		"sudo -D /else claude -p hi":            "/else",
		"nice env -u X claude -C /else hi":      "",
	} {
		argv := strings.Fields(line)
		a, ok := ByCommand(argv)
		if got := a.Read(argv, false).Dir; !ok || got != want {
			t.Errorf("%s: in %q, want %q", line, got, want)
		}
	}
}

// TestFindInTree: an agent that makes a worktree of its own is not judged by a record of
// where it was started.
func TestFindInTree(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	if err := os.MkdirAll(filepath.Join(h.Dir, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	top := h.Place
	find := func(want string, words ...string) {
		t.Helper()
		h.wantOf(claude().Read(append([]string{"claude", "-p"}, words...), false), "claude", "", want)
	}
	path := func(dir string) string { return ".claude/projects/" + dashed(dir) + "/a-b-c.jsonl" }
	h.write(path(h.Dir), h.claudeRecord(inRun, "sdk-cli", "something"), time.Minute)
	find("", "-w")
	find("", "-w", "feature")
	for _, tree := range []string{"feature", "quick-brown-fox"} {
		h.Dir = filepath.Join(top.Dir, ".claude", "worktrees", tree)
		h.write(path(h.Dir), h.claudeRecord(inRun, "sdk-cli", "work in "+tree), time.Minute)
	}
	feature, fox := filepath.Join(top.Dir, ".claude/worktrees/feature"), h.Dir
	for _, dir := range []string{top.Dir, filepath.Join(top.Dir, "sub")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		h.Dir = dir
		find(path(feature), "-w", "feature")
		find(path(fox), "-w", "--", "work in quick-brown-fox")
		find("", "-w")
	}
	linked := filepath.Join(filepath.Dir(top.Dir), "linked")
	if err := os.MkdirAll(linked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(linked, ".git"), []byte("gitdir: "+top.Dir+"/.git/worktrees/linked\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.Dir = linked
	find(path(feature), "-w", "feature")
}
