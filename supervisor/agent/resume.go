package agent

import (
	"slices"
	"strings"
)

// ResumePrompt is what a headless run that is resumed is asked when nobody says
// otherwise: a headless agent does nothing without a prompt.
const ResumePrompt = "Continue where you left off."

// Resume is the command that continues a session of the invocation, nil when
// there is none. A headless run is given the prompt, or ResumePrompt if that is
// empty; an interactive one opens at its prompt. Options are kept, the original
// prompt is not. A program in which the agent is somewhere, such as a shell's, does
// not take the agent's options: nothing continues that, nor a session that no history is
// kept of.
func (a Agent) Resume(in Invocation, session, prompt string) []string {
	if a.syntax.again == nil || session == "" || in.Mode == ModeOther || in.Agent != a.Name || in.wrapped || in.unkept(a.syntax) {
		return nil
	}
	if prompt = strings.TrimLeft(prompt, "- "); prompt == "" { // never an option
		prompt = ResumePrompt
	}
	args := a.syntax.again(in, session, prompt)
	if args == nil {
		return nil
	}
	return append(slices.Clone(in.launch), args...)
}

// kept lists the options as given, without those that name a session, choose
// how to find one, or hold a prompt, and without drop.
func (in Invocation) kept(s syntax, drop ...string) []string {
	gone := slices.Concat(s.session, s.resume, s.fork, s.prompt, drop)
	var kept []string
	for _, w := range in.words {
		if w.option != "" && !slices.Contains(gone, w.option) {
			kept = append(kept, w.raw...)
		}
	}
	return kept
}
