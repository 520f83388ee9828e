package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestBashCompletes checks what bash offers: values behind a flag, a command behind "--".
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	const ask = "\nCOMP_WORDS=(ocr-run \"$@\"); COMP_CWORD=$#; _ocr_run; echo \"${COMPREPLY[*]}\"\n"
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"--pty", ""}, "auto always never"},
		{[]string{"--on-hangup", "k"}, "keep"},
		{[]string{"--name", ""}, ""},
		{[]string{"--cwd", "/us"}, "/usr"},
		{[]string{"history", "--outcome", ""}, "success incomplete failed cancelled"},
		{[]string{"flow", "run", "--leftovers", "re"}, "report"},
		{[]string{"flow", "run", "f", "--", "histor"}, "history"},
		{[]string{"ps", "--work"}, "--workspace"},
	} {
		cmd := exec.CommandContext(t.Context(), bash, append([]string{"--norc", "-c", bashCompletion() + ask, "bash"}, c.words...)...)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("%q: %q, %v, want %q", c.words, got, err, c.want)
		}
	}
}
