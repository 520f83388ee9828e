package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// verb is one thing ocr-run can be told to do besides wrapping a command.
type verb struct {
	// name is the word, or two for a verb of a group, as in "state begin".
	name string
	// aliases are older or shorter forms of the last word.
	aliases []string
	// operands is the synopsis after the name, flags excepted.
	operands string
	// brief says what it does in one line; about says the rest.
	brief, about string
	// least and most bound the number of operands.
	least, most int
	flags       []flagSpec
	exits       []exitLine
	examples    []string
	// command: from the first operand on everything belongs to a command, flags too.
	command bool
	// run does it. Its error is reported by the caller.
	run func(context.Context, call) error
	// silent: programs call it that stand still meanwhile, and that take what it
	// says or how it exits for an answer. Only on a terminal does it say what is
	// wrong.
	silent bool
	// handedOver: in the project of a host, the host's own command does it.
	handedOver bool
	// inHost, when it is not nil, does it in the project of a host.
	inHost func(context.Context, call, ocrdb.Host) error
}

// exitLine is one line of EXIT STATUS.
type exitLine struct {
	code    int
	meaning string
}

// call is one invocation of a verb.
type call struct {
	environment
	// verb is the verb's name.
	verb string
	// flags are the parsed flags, words the operands.
	flags flagValues
	words []string
	// before is how many of the words stand in front of "--"; -1 without one.
	before int
}

// isVerb says whether a word is one of our verbs. It is asked for every
// wrapped command and therefore builds nothing.
func isVerb(word string) bool {
	switch word {
	case "ps", "history", "show", "why", "events", "state", "cancel", "resume", "keep", "reap", "audit", "doctor", "selftest", "flow", "emit", "hook", "service", "completion", "help":
		return true
	default:
		return false
	}
}

// verbs is every verb, in the order the help lists them.
func verbs() []verb {
	all := []verb{psVerb(), historyVerb(), showVerb(), whyVerb(), eventsVerb()}
	all = append(all, stateVerbs()...)
	all = append(all, flowVerbs()...)
	all = append(all, emitVerb())
	all = append(all, hookVerbs()...)
	all = append(all, cancelVerb(), resumeVerb(), keepVerb(), reapVerb(), auditVerb(), doctorVerb(), selftestVerb())
	all = append(all, serviceVerbs()...)
	return append(all, completionVerb(), helpVerb())
}

// findVerb is the verb a first word and the words after it name, with what is
// left for it. A group without one of its verbs is an error.
func findVerb(first string, rest []string) (verb, []string, error) {
	members := []string{}
	for _, v := range verbs() {
		head, tail, group := strings.Cut(v.name, " ")
		if head != first {
			continue
		}
		if !group {
			return v, rest, nil
		}
		members = append(members, tail)
		if i := slices.IndexFunc(rest, isWord); i >= 0 && v.called(rest[i]) {
			return v, append(rest[:i:i], rest[i+1:]...), nil
		}
	}
	return verb{}, nil, groupError(first, members, rest)
}

// isWord says whether an argument is no flag.
func isWord(arg string) bool { return !isFlag(arg) }

// firstWord is the first argument that is no flag, empty without one.
func firstWord(args []string) string {
	if i := slices.IndexFunc(args, isWord); i >= 0 {
		return args[i]
	}
	return ""
}

// called says whether the last word of the verb's name, or an alias, is word.
func (v verb) called(word string) bool {
	return strings.HasSuffix(v.name, " "+word) || slices.Contains(v.aliases, word)
}

// groupError explains what a group of verbs needs.
func groupError(group string, members, rest []string) error {
	for _, w := range rest {
		if !isFlag(w) {
			return usage(group, "%q is none of %s", w, strings.Join(members, ", "))
		}
	}
	return usage(group, "needs one of %s", strings.Join(members, ", "))
}

// runVerb runs a verb and returns the exit code.
func runVerb(ctx context.Context, env environment, line commandLine) int {
	if err := misplaced(line); err != nil {
		return report(env, err)
	}
	v, args, err := findVerb(line.verb, line.rest)
	if err != nil {
		if wantsHelp(line.rest) {
			return printed(env, groupHelp(line.verb))
		}
		return report(env, err)
	}
	if err := handOver(env, v, firstWord(line.rest), args); err != nil {
		return report(env, err)
	}
	c, err := newCall(ctx, env, v, args)
	if errors.Is(err, errHelp) {
		return printed(env, v.help())
	}
	if n := len(c.words); err == nil && (n < v.least || n > v.most || slices.Contains(v.named(c), "")) {
		err = usage(v.name, "%s", v.wrongOperands(c.words))
	}
	if err == nil {
		err = v.perform(ctx, c)
	}
	if code, ok := answeredCode(err); ok {
		return code
	}
	switch {
	case err == nil, readerGone(err), v.silent && !term.IsTerminal(int(env.stdin.Fd())):
		return exitOK
	default:
		return report(env, err)
	}
}

// perform runs the verb where it belongs: on the ledger, or in the host's project.
func (v verb) perform(ctx context.Context, c call) error {
	if v.inHost != nil {
		found, err := c.hosted(func(host ocrdb.Host) error { return v.inHost(ctx, c, host) })
		if found {
			return err
		}
	}
	return v.run(ctx, c)
}

// misplaced is an error when a flag that only wrapped runs have stands in front
// of a verb: either the flag is one too many, or a command is meant that bears
// the verb's name.
func misplaced(line commandLine) error {
	var own []flagSpec
	for _, g := range groups() {
		if g.first == line.verb {
			own = g.flags
		}
	}
	takes := takesValue(wrapFlags())
	for i := 0; i < len(line.flags); i++ {
		word := line.flags[i : i+1]
		if len(mentionedIn(word, own)) == 0 && len(mentionedIn(word, wrapFlags())) > 0 {
			after := line.rest[len(line.flags):]
			flag, _, _ := strings.Cut(word[0], "=")
			return &verbError{
				thing: line.verb,
				err:   fmt.Errorf("%s is a flag of a wrapped run, and %s is a verb", flag, line.verb),
				try: render.CommandLine(slices.Concat([]string{program, line.verb}, after)) + ", or, to wrap a command of that name: " +
					render.CommandLine(slices.Concat([]string{program}, line.flags, []string{"--", line.verb}, after)),
				kind: errUsage,
			}
		}
		if wantsNext(word[0], takes) {
			i++
		}
	}
	return nil
}

// wantsHelp says whether a group was asked for its help.
func wantsHelp(rest []string) bool {
	return len(rest) == 1 && slices.Contains([]string{"--help", "-help", "-h"}, rest[0])
}

// newCall parses a verb's arguments. Flags may stand before and after the
// operands.
func newCall(ctx context.Context, env environment, v verb, args []string) (call, error) {
	specs := append(slices.Clip(v.flags), helpSpec())
	if i := slices.IndexFunc(args, isWord); v.command && i >= 0 && !slices.Contains(args[:i], "--") {
		args = slices.Insert(slices.Clone(args), i, "--")
	}
	flags, words := reorder(args, takesValue(specs))
	c, err := parseFlags(ctx, v.name, specs, flags)
	if err != nil && !errors.Is(err, errHelp) {
		err = usage(v.name, "%w", err)
	}
	if err != nil {
		return call{}, err
	}
	return call{environment: env, verb: v.name, flags: c, words: words, before: beforeDashes(args, words, takesValue(specs))}, nil
}

// named are the operands that name something, and not the words of a command. None of
// them is empty: what is left empty by a script must not mean the run or flow it is in.
func (v verb) named(c call) []string {
	if v.most == manyWords {
		return c.words[:max(c.before, 0)]
	}
	return c.words
}

// wrongOperands says what is wrong with the operands.
func (v verb) wrongOperands(words []string) string {
	switch {
	case v.most == 0:
		return fmt.Sprintf("takes no operands, not %q", words[0])
	case len(words) > v.most:
		return fmt.Sprintf("does not know what to do with %q", words[v.most])
	case len(words) > 0 && len(words) >= v.least:
		return "takes no empty word for " + v.operands
	default:
		return "needs " + v.operands
	}
}

// note tells the user something on stderr that is not the answer.
func (c call) note(format string, args ...any) {
	_, _ = fmt.Fprintf(c.stderr, program+": "+format+"\n", args...)
}

// print writes an answer to stdout.
func (c call) print(answer []byte) error {
	if _, err := c.stdout.Write(answer); err != nil {
		return &verbError{thing: "output", err: err}
	}
	return nil
}

// printText is print of a text.
func (c call) printText(s string) error { return c.print([]byte(s)) }

// printEither prints what --json asks for, or else the text for a person.
func (c call) printEither(text func() string, document func() ([]byte, error)) error {
	if !c.flags.Bool("json") {
		return c.printText(text())
	}
	b, err := document()
	if err != nil {
		return err
	}
	return c.print(b)
}

// usage is an error in how this verb was called.
func (c call) usage(format string, args ...any) error { return usage(c.verb, format, args...) }
