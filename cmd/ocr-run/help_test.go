package main

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEveryVerbExplainsItself walks all verbs: each says what it does, which
// codes it exits with, and how it is used, and is found by its name.
func TestEveryVerbExplainsItself(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			if v.brief == "" || v.about == "" || v.run == nil || len(v.exits) < 2 || len(v.examples) == 0 {
				t.Errorf("incomplete: %+v", v)
			}
			help := v.help()
			for _, want := range []string{"Usage: ocr-run " + v.name, "EXIT STATUS", "Examples:", "--help", v.about} {
				if !strings.Contains(help, want) {
					t.Errorf("help lacks %q", want)
				}
			}
			for _, e := range v.examples {
				if !strings.Contains(e, "ocr-run "+v.name) {
					t.Errorf("example %q shows something else", e)
				}
			}
			for _, f := range v.flags {
				if f.usage == "" || f.name == "" || f.value == "" && f.many {
					t.Errorf("incomplete flag: %+v", f)
				}
			}
			checkFound(t, v)
		})
	}
}

// TestEveryGroupExplainsItself checks that a group that is asked for help has all that a
// verb has, and tells of just those exit codes that its verbs have.
func TestEveryGroupExplainsItself(t *testing.T) {
	t.Parallel()
	for _, g := range groups() {
		if len(g.members) == 0 || g.first == "hook" { // which is a verb itself
			continue
		}
		help, own := groupHelp(g.first), map[int]bool{}
		for _, v := range verbs() {
			if !strings.HasPrefix(v.name, g.first+" ") {
				continue
			}
			if !strings.Contains(help, "\n  "+v.examples[0]+"\n") {
				t.Errorf("%s: no example of %s", g.first, v.name)
			}
			for _, e := range v.exits {
				own[e.code] = true
			}
		}
		_, status, _ := strings.Cut(help, "\nEXIT STATUS\n")
		status, _, _ = strings.Cut(status, "\nExamples:\n")
		told := map[int]bool{}
		for line := range strings.Lines(status) {
			code, err := strconv.Atoi(strings.Fields(line)[0])
			if err != nil {
				t.Fatalf("%s: %v", g.first, err)
			}
			told[code] = true
		}
		if !maps.Equal(told, own) {
			t.Errorf("%s: the exit codes %v are told of, and there are %v", g.first, told, own)
		}
	}
}

// checkFound checks that a verb is called by its name and by its aliases.
func checkFound(t *testing.T, v verb) {
	t.Helper()
	first, last, group := strings.Cut(v.name, " ")
	if !isVerb(first) {
		t.Errorf("%q is not taken for a verb", first)
	}
	names := v.aliases
	if group {
		names = append(names, last)
	}
	for _, n := range names {
		if got, _, err := findVerb(first, []string{n, "--json"}); err != nil || got.name != v.name {
			t.Errorf("%s %s finds %q, %v", first, n, got.name, err)
		}
	}
}

func TestHelpLinesFit(t *testing.T) {
	t.Parallel()
	texts := []string{rootHelp(), shortHelp(), groupHelp("state"), groupHelp("flow"), groupHelp("service")}
	for _, v := range verbs() {
		texts = append(texts, v.help())
	}
	for _, text := range texts {
		for l := range strings.Lines(text) {
			if len(l) > 101 {
				t.Errorf("line of %d columns: %s", len(l)-1, l)
			}
		}
	}
}

// section is the part of a document under a heading, up to the next of any
// level.
func section(t *testing.T, doc, heading string) string {
	t.Helper()
	for _, prefix := range []string{"\n## ", "\n### "} {
		if _, after, ok := strings.Cut(doc, prefix+heading+"\n"); ok {
			body, _, _ := strings.Cut(after, "\n## ")
			body, _, _ = strings.Cut(body, "\n### ")
			return body
		}
	}
	t.Fatalf("no section %q", heading)
	return ""
}

// TestDocumented checks that the manual names every verb, flag, default, exit
// code and alias, each in its own section.
func TestDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	checkFlags(t, section(t, doc, "Wrapping a command"), wrapFlags())
	for _, e := range wrapExits() {
		checkCode(t, section(t, doc, "Wrapping a command"), e.code)
	}
	for _, v := range verbs() {
		body := section(t, doc, "ocr-run "+v.name)
		own := v.flags
		if v.name == "resume" || v.name == "flow run" { // the others are those of a wrapped run
			own = slices.DeleteFunc(slices.Clone(own), func(f flagSpec) bool {
				return slices.ContainsFunc(wrapFlags(), func(w flagSpec) bool { return w.name == f.name })
			})
		}
		checkFlags(t, body, own)
		codes := body
		if strings.HasPrefix(v.name, "state ") {
			codes = section(t, doc, "ocr-run state")
		}
		for _, e := range v.exits {
			checkCode(t, codes, e.code)
		}
		for _, a := range v.aliases {
			if !strings.Contains(body, "`"+a+"`") {
				t.Errorf("%s: alias %s is not documented", v.name, a)
			}
		}
	}
}

// TestDocumentedVerbsExist checks that the manual has no chapter on a verb that
// does not exist.
func TestDocumentedVerbsExist(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{}
	for _, v := range verbs() {
		first, _, _ := strings.Cut(v.name, " ")
		known = append(known, v.name, first)
	}
	for line := range strings.Lines(string(b)) {
		name, heading := strings.CutPrefix(strings.TrimSpace(strings.TrimLeft(line, "#")), "ocr-run ")
		if heading && line[0] == '#' && !slices.Contains(known, name) {
			t.Errorf("there is no verb %q", name)
		}
	}
}

// TestCompletion checks that every shell is told of every verb and flag, each
// where it belongs.
func TestCompletion(t *testing.T) {
	t.Parallel()
	bash, zsh, fish := bashCompletion(), zshCompletion(), fishCompletion()
	inOneLine := func(shell, script, where string, words ...string) {
		t.Helper()
		for line := range strings.Lines(script) {
			missing := slices.ContainsFunc(words, func(w string) bool {
				return !slices.Contains(strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" '\n", r) }), w)
			})
			if strings.Contains(line, where) && !missing {
				return
			}
		}
		t.Errorf("%s: no line with %q and all of %q", shell, where, words)
	}
	for _, v := range verbs() {
		first, last, group := strings.Cut(v.name, " ")
		words := flagWords(append(slices.Clip(v.flags), helpSpec()))
		if group {
			words = append(words, last)
		} else {
			last = first
		}
		inOneLine("bash", bash, "    "+first+") ", words...)
		inOneLine("zsh", zsh, "    "+first+") ", words...)
		for _, f := range v.flags {
			inOneLine("fish", fish, "__fish_seen_subcommand_from "+first, last, "-l", f.name)
		}
		inOneLine("fish", fish, "complete -c ocr-run -n", "-a", first)
	}
	inOneLine("bash", bash, "compgen -W", flagWords(wrapFlags())...)
	inOneLine("zsh", zsh, "compadd", flagWords(wrapFlags())...)
	for _, f := range wrapFlags() {
		inOneLine("fish", fish, "__fish_is_first_token", "-l", f.name)
	}
}

// checkFlags checks that a section has a row for each flag, and no others.
func checkFlags(t *testing.T, body string, specs []flagSpec) {
	t.Helper()
	for _, f := range specs {
		row := "| `--" + f.name
		if f.value != "" {
			row += " " + f.value
		}
		if !strings.Contains(body, row+"`") {
			t.Errorf("no row %s` in: %.60s…", row, body)
		}
		if f.fallback != "" && !strings.Contains(body, "`"+f.fallback+"`") {
			t.Errorf("--%s: default %s is not documented", f.name, f.fallback)
		}
	}
	if got := strings.Count(body, "| `-"); got != len(specs) {
		t.Errorf("%d rows of flags, want %d: %.60s…", got, len(specs), body)
	}
}

// checkCode checks that a section names an exit code.
func checkCode(t *testing.T, body string, code int) {
	t.Helper()
	n := strconv.Itoa(code)
	for _, form := range []string{"| " + n + " |", "| " + n + ",", ": " + n + " ", "; " + n + " "} {
		if strings.Contains(body, form) {
			return
		}
	}
	if code != exitOK { // zero of a wrapped run is "the command's"
		t.Errorf("exit code %d is not documented in: %.60s…", code, body)
	}
}

func TestCompletionNamesEverything(t *testing.T) {
	t.Parallel()
	scripts := map[string]string{"bash": bashCompletion(), "zsh": zshCompletion(), "fish": fishCompletion()}
	for shell, script := range scripts {
		for _, v := range verbs() {
			for w := range strings.FieldsSeq(v.name) {
				if !strings.Contains(script, w) {
					t.Errorf("%s: no %q", shell, w)
				}
			}
		}
		for _, f := range wrapFlags() {
			if !strings.Contains(script, f.name) {
				t.Errorf("%s: no flag %s", shell, f.name)
			}
		}
	}
}
