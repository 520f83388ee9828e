package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// shortHelp is what a bare "ocr-run" prints.
func shortHelp() string {
	return `Usage: ocr-run [flags] [--] CMD [ARG…]
       ocr-run ps | history | show UID | events | state …

Runs CMD and tells, afterwards, whether its work was finished.
Try: ocr-run --help
`
}

// rootHelp is the answer to "ocr-run --help".
func rootHelp() string {
	var b strings.Builder
	b.WriteString(`Usage: ocr-run [flags] [--] CMD [ARG…]
       ocr-run VERB [flags] [operands]

` + rootAbout() + `
Verbs:
`)
	rows := [][2]string{}
	for _, v := range verbs() {
		rows = append(rows, [2]string{v.name, v.brief})
	}
	columns(&b, rows)
	b.WriteString("\nFlags of a wrapped run:\n")
	columns(&b, flagRows(wrapFlags()))
	b.WriteString("\n")
	exitStatus(&b, rootExits())
	b.WriteString("  A command that died of a signal makes ocr-run die of the same one.\n")
	examples(&b, rootExamples())
	return b.String()
}

// rootAbout says what wrapping a command is.
func rootAbout() string {
	return `Runs CMD as if it had been called directly, records how it went, and tells
afterwards whether its work was finished: an exit code cannot. The first word
that is not a flag is the command, unless it is one of the verbs below; after
"--" it is the command whatever it is called. Flags after CMD belong to CMD.
`
}

// rootExits are the exit codes when wrapping, the command's own first.
func rootExits() []exitLine {
	return append([]exitLine{{exitOK, "and any other code: the command's own"}}, wrapExits()...)
}

// rootExamples are commands to begin with.
func rootExamples() []string {
	return []string{
		"ocr-run claude -p 'review this branch'",
		"ocr-run --timeout 2h --receipt review.json -- codex exec 'map the code'",
		"ocr-run history --outcome incomplete",
	}
}

// wrapExits are the exit codes that are ours when wrapping.
func wrapExits() []exitLine {
	return []exitLine{
		{75, "incomplete: the command exited 0, its work is unfinished; try again"},
		{124, "the timeout ended it"},
		{exitNotLaunched, "usage error, or ocr-run failed before the launch"},
		{126, "the command was found and cannot be executed"},
		{127, "the command was not found"},
		{130, "the user stopped it with INT (QUIT: 131, TERM: 143) and it exited 0"},
	}
}

// help is the answer to "ocr-run VERB --help".
func (v verb) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n", v.synopsis(), v.about)
	if len(v.aliases) > 0 {
		group, _, _ := strings.Cut(v.name, " ")
		fmt.Fprintf(&b, "\nAlso called: %s %s\n", group, strings.Join(v.aliases, ", "))
	}
	b.WriteString("\nFlags:\n")
	columns(&b, flagRows(append(slices.Clip(v.flags), helpSpec())))
	b.WriteString("\n")
	exitStatus(&b, v.exits)
	examples(&b, v.examples)
	return b.String()
}

// synopsis is one line: name, flags, operands.
func (v verb) synopsis() string {
	s := program + " " + v.name + " [flags]"
	if v.operands != "" {
		s += " " + v.operands
	}
	return s
}

// groupHelp lists the verbs of a group, and says what they have in common.
func groupHelp(group string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s VERB [flags]\n\nVerbs:\n", program, group)
	rows, firsts := [][2]string{}, []string{}
	for _, v := range verbs() {
		if strings.HasPrefix(v.name, group+" ") {
			rows = append(rows, [2]string{v.name, v.brief})
			firsts = append(firsts, v.examples[0])
		}
	}
	columns(&b, rows)
	b.WriteString("\n")
	exitStatus(&b, groupExits(group))
	examples(&b, firsts)
	fmt.Fprintf(&b, "\nTry: %s %s VERB --help\n", program, group)
	return b.String()
}

// groupExits are the exit codes of the verbs of a group, all that any of them has.
func groupExits(group string) []exitLine {
	switch group {
	case "state":
		return stateExits(exitAmbiguous, exitNotFound, exitTransition, exitInvariant, exitSchema)
	case "flow":
		return flowExits()
	default:
		return serviceExits()
	}
}

// flagRows are the help's lines about flags.
func flagRows(specs []flagSpec) [][2]string {
	rows := make([][2]string, 0, len(specs))
	for _, f := range specs {
		rows = append(rows, [2]string{f.synopsis(), f.described()})
	}
	return rows
}

// synopsis is the flag as it is written, as in "--pty WHEN".
func (f flagSpec) synopsis() string {
	s := "--" + f.name
	if f.short != "" {
		s = "-" + f.short + ", " + s
	}
	if f.value != "" {
		s += " " + f.value
	}
	return s
}

// described is the flag's usage with its default.
func (f flagSpec) described() string {
	if f.fallback == "" {
		return f.usage
	}
	return f.usage + " (default " + f.fallback + ")"
}

// exitStatus writes the EXIT STATUS section.
func exitStatus(b *strings.Builder, lines []exitLine) {
	b.WriteString("EXIT STATUS\n")
	for _, l := range lines {
		fmt.Fprintf(b, "  %3d  %s\n", l.code, l.meaning)
	}
}

// examples writes the examples section.
func examples(b *strings.Builder, lines []string) {
	b.WriteString("\nExamples:\n")
	for _, l := range lines {
		fmt.Fprintf(b, "  %s\n", l)
	}
}

// columns writes two aligned columns.
func columns(b *strings.Builder, rows [][2]string) {
	left := 0
	for _, r := range rows {
		left = max(left, len(r[0]))
	}
	for _, r := range rows {
		fmt.Fprintf(b, "  %-*s  %s\n", left, r[0], r[1])
	}
}

// helpVerb answers "ocr-run help [VERB]".
func helpVerb() verb {
	return verb{
		name:     "help",
		operands: "[VERB]",
		brief:    "show the help of ocr-run or of a verb",
		about:    "Shows the help of ocr-run, or of the verb named.",
		most:     2,
		flags:    []flagSpec{{name: "man", usage: "print all of it as a manual page"}},
		exits:    []exitLine{{exitOK, "shown"}, {exitUsage, "there is no such verb"}},
		examples: []string{"ocr-run help", "ocr-run help state begin", "ocr-run help --man | man -l -"},
		run:      runHelp,
	}
}

// runHelp shows the help of what its words name.
func runHelp(_ context.Context, c call) error {
	if c.flags.Bool("man") {
		return c.printText(manPage())
	}
	if len(c.words) == 0 {
		return c.printText(rootHelp())
	}
	if !isVerb(c.words[0]) {
		return c.usage("there is no verb %q", c.words[0])
	}
	v, rest, err := findVerb(c.words[0], c.words[1:])
	switch {
	case err != nil && len(c.words) == 1:
		return c.printText(groupHelp(c.words[0]))
	case err != nil:
		return err
	case len(rest) > 0:
		return c.usage("%s has no verb %q", v.name, rest[0])
	default:
		return c.printText(v.help())
	}
}
