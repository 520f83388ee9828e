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

// TestZshCompletes checks the same of zsh, with its own ways to offer things replaced
// by others that print them.
func TestZshCompletes(t *testing.T) {
	t.Parallel()
	zsh, err := exec.LookPath("zsh")
	if err != nil {
		t.Skip("no zsh")
	}
	const ask = `
compdef() { : }
compadd() { shift; for w in "$@"; do [[ $w == $PREFIX* ]] && print -n -- "$w "; done }
_files() { print -n "files$1" }
_message() { print -n "a $1" }
_command_names() { print -n "commands" }
_normal() { print -n "as $words" }
`
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"--pty", ""}, "auto always never"},
		{[]string{"--on-hangup", "k"}, "keep"},
		{[]string{"--name", ""}, "a value"},
		{[]string{"--cwd", "/us"}, "files-/"},
		{[]string{"--receipt", ""}, "files"},
		{[]string{"hist"}, "history commands"},
		{[]string{"--", "hist"}, "commands"},
		{[]string{"--", "ps", "-"}, "as ps -"},
		{[]string{"-q", "git", "sta"}, "as git sta"},
		{[]string{"git", "--pty", ""}, "as git --pty"},
		{[]string{"history", "--outcome", ""}, "success incomplete failed cancelled"},
		{[]string{"flow", "run", "--leftovers", "re"}, "report"},
		{[]string{"flow", "run", "f", "--", "histor"}, "commands"},
		{[]string{"flow", "run", "f", "--", "git", "st"}, "as git st"},
		{[]string{"ps", "--work"}, "--workspace"},
	} {
		call := "\nwords=(ocr-run \"$@\"); CURRENT=$#words; PREFIX=${words[-1]}\n_ocr_run\n"
		cmd := exec.CommandContext(t.Context(), zsh, append([]string{"-f", "-c", ask + zshCompletion() + call, "zsh"}, c.words...)...)
		out, err := cmd.Output()
		if got := strings.TrimSpace(string(out)); got != c.want {
			t.Errorf("%q: %q, %v, want %q", c.words, got, err, c.want)
		}
	}
}
