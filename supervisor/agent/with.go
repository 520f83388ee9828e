package agent

import "slices"

// Given is the value last given to an option on the command line, and whether
// there is one.
func (in Invocation) Given(option string) (value string, given bool) {
	return in.value(option), in.has(option)
}

// With is the command line with args in front of the agent's own arguments, and
// without the options in drop. Everything else stays as it was given.
func (in Invocation) With(args []string, drop ...string) []string {
	out := slices.Concat(in.launch, args)
	for _, w := range in.words {
		if w.option == "" || !slices.Contains(drop, w.option) {
			out = append(out, w.raw...)
		}
	}
	return out
}
