package agent

import (
	"cmp"
	"slices"
	"strings"
)

// syntax is how an agent reads its arguments. Options are given with their
// dashes; one that is listed nowhere takes no value.
type syntax struct {
	// values lists options followed by a value, maybe those that take one only
	// when the next word is no option, many those that take words up to the next
	// option.
	values, maybe, many []string
	// verbs are first words that start no conversation: management of the agent.
	verbs []string
	// notices are options that make it print something and end.
	notices []string
	// session lists options naming the session to use, resume those that
	// continue an earlier one, fork those that copy it into a new one.
	session, resume, fork []string
	// unkept lists options, some with their value behind a "=", with which no history
	// of the session is kept.
	unkept []string
	// prompt lists options whose value is a prompt.
	prompt []string
	// dir lists options naming the directory to work in.
	dir []string
	// trees is where below the top of a repository -w makes it a worktree of its own
	// to work in; empty where it makes none.
	trees string
	// read finds out the mode and the output from the parsed arguments.
	read func(*Invocation)
	// again builds the arguments that continue a session; nil when the agent
	// cannot. The words before and after the session differ per agent.
	again func(in Invocation, session, prompt string) []string
}

// word is one argument: an option with its value, or a plain word.
type word struct {
	option string   // with its dashes; empty for a plain word
	value  string   // of the option, or the plain word itself
	raw    []string // as given
}

// parse reads the arguments behind the agent's name.
func (s syntax) parse(args []string) []word {
	var words []word
	for len(args) > 0 {
		n := 1
		w := word{value: args[0]}
		switch {
		case args[0] == "--":
			for _, plain := range args {
				words = append(words, word{value: plain, raw: []string{plain}})
			}
			return words
		case len(args[0]) > 1 && args[0][0] == '-':
			w, n = s.option(args)
		}
		w.raw = args[:n]
		words = append(words, w)
		args = args[n:]
	}
	return words
}

// option reads the option args starts with and says how many arguments it takes.
func (s syntax) option(args []string) (word, int) {
	name, value, joined := strings.Cut(args[0], "=")
	w := word{option: name, value: value}
	if joined {
		return w, 1
	}
	n := 1
	switch {
	case slices.Contains(s.values, name):
		n = min(2, len(args))
	case slices.Contains(s.maybe, name):
		n = min(2, 1+s.plain(args[1:]))
	case slices.Contains(s.many, name):
		n = 1 + s.plain(args[1:])
	}
	if n > 1 {
		w.value = args[1]
	}
	return w, n
}

// plain counts the words that are no options at the start of args.
func (syntax) plain(args []string) int {
	n := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") && a != "-" })
	if n < 0 {
		return len(args)
	}
	return n
}

// Mode is how an agent talks to its user.
type Mode string

// The modes. ModeOther starts no conversation at all: a version, a login, a
// server; such a command is judged by its exit code like any other.
const (
	ModeHeadless    Mode = "headless"
	ModeInteractive Mode = "interactive"
	ModeOther       Mode = "other"
)

// Output is what an agent writes on its standard output.
type Output string

// The outputs: text for people, one JSON value per line, or one JSON document.
const (
	OutputText     Output = "text"
	OutputLines    Output = "lines"
	OutputDocument Output = "document"
)

// Invocation is one command line of an agent, understood.
type Invocation struct {
	// Agent is the agent's name; empty when the command starts none.
	Agent string
	// Mode says whether it converses with a person, and Output what it writes.
	Mode   Mode
	Output Output
	// OutputFlag is the option that asked for JSON, as given; empty for text.
	OutputFlag string
	// Session is the session named on the command line; empty when none is.
	Session string
	// Resumes is true when it continues an earlier session.
	Resumes bool
	// Dir is where it has the agent work, seen from where the command is run; empty for
	// there.
	Dir string

	argv   []string
	launch []string // everything up to and including the agent's own command
	words  []word
	forks  bool // it copies the session that it continues into a new one
	// wrapped is true when the command is no agent's but one that runs it.
	wrapped bool
}

// Read understands a command line of this agent. Terminal says whether its
// standard input and output are a terminal: some agents converse only then.
func (a Agent) Read(argv []string, terminal bool) Invocation {
	in := Invocation{Agent: a.Name, Mode: ModeInteractive, Output: OutputText, argv: argv}
	at := a.find(argv)
	in.launch, in.words = argv[:at], a.syntax.parse(argv[at:])
	in.wrapped = len(argv) > 0 && !named(a, in.launch[len(in.launch)-1]) && (shell(argv[0]) || launched(argv) > 0)
	if !terminal {
		in.Mode = ModeHeadless
	}
	for _, w := range in.words {
		in.noteSession(a.syntax, w)
	}
	in.noteDir(a.syntax)
	if a.syntax.read != nil {
		a.syntax.read(&in)
	}
	if a.syntax.management(in) {
		in.Mode, in.Output, in.OutputFlag = ModeOther, OutputText, ""
	}
	return in
}

// management says whether the command only manages the agent.
func (s syntax) management(in Invocation) bool {
	plain := in.plain()
	if len(plain) > 0 && slices.Contains(s.verbs, plain[0]) {
		return true
	}
	return slices.ContainsFunc(in.words, func(w word) bool { return slices.Contains(s.notices, w.option) })
}

// noteSession takes in what one argument says about the session. A forked one
// is new: its name is not known yet.
func (in *Invocation) noteSession(s syntax, w word) {
	switch {
	case w.option == "":
	case slices.Contains(s.session, w.option):
		in.Session = w.value
	case slices.Contains(s.resume, w.option):
		in.Resumes = true
		if isSession(w.value) {
			in.Session = w.value
		}
	case slices.Contains(s.fork, w.option):
		in.Resumes, in.forks, in.Session = true, true, ""
	}
}

// isSession tells a session's own name from "latest", a number, a search, and what a
// person has called it: the agents' are UUIDs, or begin with what they are (ses_…).
func isSession(s string) bool {
	if tail, ok := strings.CutPrefix(s, "ses_"); ok {
		return len(tail) >= 8
	}
	digits := strings.Split(s, "-")
	for i, n := range []int{8, 4, 4, 4, 12} {
		if len(digits) != 5 || len(digits[i]) != n || strings.Trim(digits[i], "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}

// plain lists the words that are no options.
func (in Invocation) plain() []string {
	var plain []string
	for _, w := range in.words {
		if w.option == "" {
			plain = append(plain, w.value)
		}
	}
	return plain
}

// has says whether one of the options is given.
func (in Invocation) has(options ...string) bool {
	return slices.ContainsFunc(in.words, func(w word) bool { return slices.Contains(options, w.option) })
}

// unkept says whether no history is kept of the session.
func (in Invocation) unkept(s syntax) bool {
	for i, w := range in.words {
		if i+1 < len(in.words) && in.words[i+1].option == "" {
			w.value = cmp.Or(w.value, in.words[i+1].value)
		}
		if w.option != "" && (slices.Contains(s.unkept, w.option) || slices.Contains(s.unkept, w.option+"="+w.value)) {
			return true
		}
	}
	return false
}

// value is the value last given to one of the options.
func (in Invocation) value(options ...string) string {
	for _, w := range slices.Backward(in.words) {
		if slices.Contains(options, w.option) {
			return w.value
		}
	}
	return ""
}

// writes notes the output an option asks for by name; what is no JSON is text.
func (in *Invocation) writes(lines, document string, options ...string) {
	switch v := in.value(options...); v {
	case "":
	case lines:
		in.Output, in.OutputFlag = OutputLines, options[len(options)-1]+" "+v
	case document:
		in.Output, in.OutputFlag = OutputDocument, options[len(options)-1]+" "+v
	}
}
