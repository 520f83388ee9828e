package agent

import (
	"slices"
	"strings"
)

// Environ is what the words before the agent's own leave of an environment, KEY=VALUE
// pairs, and put into it. It is false when they do not tell: another user's, for one.
func (in Invocation) Environ(environ []string) (left []string, known bool) {
	left, known = slices.Clone(environ), true
	for at := 0; known && at < len(in.argv); {
		next := launched(in.argv[at:])
		if next == 0 {
			break
		}
		switch args := in.argv[at+1 : at+next]; bare(in.argv[at]) {
		case "env":
			left, known = envLeaves(left, args)
		case "sudo", "doas":
			known = len(args) == 0 || len(args) == 2 && dirIn(args, []string{"-D", "--chdir"}) == args[1]
		}
		at += next
	}
	return left, known
}

// envLeaves is what env makes of an environment; false for an option that nobody knows
// here.
func envLeaves(environ, args []string) (left []string, known bool) {
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		switch {
		case oneOf(args[i], "-i", "-", "--ignore-environment"):
			environ = nil
		case oneOf(args[i], "-u", "--unset") && i+1 < len(args):
			i++
			environ = without(environ, args[i])
		case name == "--unset":
			environ = without(environ, value)
		case strings.HasPrefix(args[i], "-u"):
			environ = without(environ, args[i][2:])
		case oneOf(args[i], "-C", "--chdir"):
			i++
		case strings.HasPrefix(args[i], "-C"), oneOf(name, "--", "--chdir", "-v", "--debug", "-0", "--null"), strings.HasSuffix(name, "-signal"):
		case strings.HasPrefix(args[i], "-") || !joined:
			return nil, false
		default:
			environ = append(without(environ, name), args[i])
		}
	}
	return environ, true
}

// without is an environment without a variable.
func without(environ []string, name string) []string {
	return slices.DeleteFunc(environ, func(kv string) bool { return strings.HasPrefix(kv, name+"=") })
}
