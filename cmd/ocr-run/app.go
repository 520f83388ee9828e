package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
)

// program is the name in messages, whatever the binary is called.
const program = "ocr-run"

// run is the whole program: it returns the exit code.
func run(ctx context.Context, env environment) int {
	line := split(env.args, takesValue(wrapFlags()), isVerb)
	if line.verb != "" {
		return runVerb(ctx, env, line)
	}
	return runWrap(ctx, env, line)
}

// runWrap reads the wrap flags and wraps the command. Without a command it
// answers --help and --version; everything else is a usage error.
func runWrap(ctx context.Context, env environment, line commandLine) int {
	c, err := parseFlags(ctx, program, wrapFlags(), line.flags)
	switch {
	case errors.Is(err, errHelp):
		return printed(env, rootHelp())
	case err != nil:
		return wrapRefused(env, err)
	case c.Bool("version"):
		return printed(env, program+" "+version+"\n")
	case len(line.command) == 0 && len(env.args) == 0:
		_, _ = io.WriteString(env.stderr, shortHelp())
		return exitNotLaunched
	case len(line.command) == 0:
		return wrapRefused(env, errNoCommand)
	}
	opts, err := parseOptions(c, env.dir)
	if err != nil {
		return wrapRefused(env, err)
	}
	return wrap(ctx, env, opts, line.command)
}

// errNoCommand says that there were flags and nothing to run.
var errNoCommand = errors.New("no command to run")

// wrapRefused reports a usage error of a wrapped run. Its code is not that of
// other usage errors: a wrapped command may well exit 2 itself.
func wrapRefused(env environment, err error) int {
	try := cmp.Or(nextStep(err), program+" --help")
	_, _ = fmt.Fprintf(env.stderr, "%s: %s\nTry: %s\n", program, err, try)
	return exitNotLaunched
}

// printed writes an answer to stdout and returns the exit code.
func printed(env environment, text string) int {
	if _, err := io.WriteString(env.stdout, text); err != nil && !readerGone(err) {
		return report(env, &verbError{thing: "output", err: err})
	}
	return exitOK
}
