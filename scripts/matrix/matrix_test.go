package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestShellJoinIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	words := []string{"", "two words", "new\nline\n", `it's`, `a"b\c$d`, "`id`", "é漢"}
	out, err := exec.Command("/bin/sh", "-c", `for a in `+shellJoin(words)+`; do printf '%s\1' "$a"; done`).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSuffix(string(out), "\x01"), "\x01"); !slices.Equal(got, words) {
		t.Errorf("read back %q, want %q", got, words)
	}
}

func TestWrapperArgv(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		w    wrapper
		want []string
	}{
		{wrapper{name: "bare"}, []string{"a", "b c"}},
		{wrapper{path: "/w", prefix: []string{"-p"}}, []string{"/w", "-p", "a", "b c"}},
		{wrapper{path: "/w", prefix: []string{"-c"}, quoted: true, suffix: []string{"z"}}, []string{"/w", "-c", "'a' 'b c'", "z"}},
	} {
		if got := c.w.argv("a", "b c"); !slices.Equal(got, c.want) {
			t.Errorf("argv of %+v is %q, want %q", c.w, got, c.want)
		}
	}
}

// A cell's name is what -cell selects, and the classic matrix is compared with published scores of 34.
func TestCellsAreNamedAndCounted(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	classic := 0
	for _, c := range allCells() {
		if seen[c.name] || c.name == "" || c.does == "" || c.run == nil {
			t.Errorf("cell %q is named twice or not described", c.name)
		}
		seen[c.name] = true
		if _, ok := groupTitles()[c.group]; !ok {
			t.Errorf("cell %q is in the unknown group %q", c.name, c.group)
		}
		if c.group == groupMatrix {
			classic++
		}
	}
	if classic != 34 {
		t.Errorf("%d cells in the classic matrix, want 34", classic)
	}
}

func TestJudgedIsOcrRunOrTheLast(t *testing.T) {
	t.Parallel()
	bare, sudo, ours := wrapper{name: "bare"}, wrapper{name: "sudo"}, wrapper{name: "ocr-run"}
	if got := judged([]wrapper{ours, bare}); got != "ocr-run" {
		t.Errorf("judged %s", got)
	}
	if got := judged([]wrapper{bare, sudo}); got != "sudo" {
		t.Errorf("judged %s", got)
	}
}

func TestAFailureIsReported(t *testing.T) {
	t.Parallel()
	tab := table{wrappers: []wrapper{{name: "w"}}, rows: []row{
		{cell: cell{name: "a", group: groupMatrix, does: "x | y"}, results: []result{{Verdict: pass}}},
		{cell: cell{name: "b", group: groupMatrix}, results: []result{{Verdict: fail, Detail: "seen"}}},
		{cell: cell{name: "c", group: groupMatrix}, results: []result{{Verdict: skip}}},
	}}
	if !tab.failed("w") || score(tab.tally(0, "")) != "1 of 2, 1 skipped" {
		t.Errorf("failed %v, score %q", tab.failed("w"), score(tab.tally(0, "")))
	}
	if text := tab.markdown(); !strings.Contains(text, `x \| y`) || !strings.Contains(text, "- `b`, fail: seen") {
		t.Errorf("Markdown is wrong:\n%s", text)
	}
}
