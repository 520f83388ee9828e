package main

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor"
)

// manyWords is more words than any command has.
const manyWords = 1 << 20

// keepVerb runs a command that outlives the run it is started in.
func keepVerb() verb {
	return verb{
		name:     "keep",
		operands: "-- CMD [ARG…]",
		brief:    "start something in a run that is to outlive it",
		about: `Runs CMD so that the run it is started in does not stop it at its end: a server
for later, say. The run's receipt lists it as kept, with everything CMD starts.
Runs that CMD wraps itself stop what is theirs as ever. Where its standard input
is not a terminal CMD gets a session of its own, so that the end of the run's
terminal does not reach it either. Outside of a run CMD is simply executed.`,
		least:   1,
		most:    manyWords,
		command: true,
		exits: []exitLine{
			{exitOK, "and any other code: the command's own"},
			{exitUsage, "usage error"},
			{supervisor.ExitNotExecutable, "the command was found and cannot be executed"},
			{supervisor.ExitNotFound, "the command was not found"},
		},
		examples: []string{"ocr-run keep -- npm run dev", "ocr-run keep -- sh -c 'exec ./server >server.log 2>&1' &"},
		run:      runKeep,
	}
}

// runKeep becomes the command.
func runKeep(_ context.Context, c call) error {
	path, err := findCommand(c.words[0], c.environ, c.dir)
	if err != nil {
		c.note("%s", render.Plain(briefly(err)))
		if errors.Is(err, fs.ErrNotExist) {
			return answered(supervisor.ExitNotFound)
		}
		return answered(supervisor.ExitNotExecutable)
	}
	environ := c.environ
	if kept := c.keptFrom(); kept != "" {
		dir, _ := c.stateDir() // without one there is nothing of ours in there
		environ = untold(overlay(environ, []string{proc.EnvKeep + "=" + kept}), dir, kept)
		if !term.IsTerminal(int(c.stdin.Fd())) {
			// The leader of a group cannot leave it, and need not: its group is its own.
			_, _ = unix.Setsid()
		}
	}
	err = supervisor.AsFound(func() error { return syscall.Exec(path, c.words, environ) })
	c.note("execute %s: %s", path, err)
	return answered(supervisor.ExitNotExecutable)
}

// keptFrom lists the runs that what is started here is to outlive: those it is
// part of, and those that were to be outlived already; empty outside of a run.
func (c call) keptFrom() string {
	lineage := c.get(supervisor.EnvLineage)
	if uid := c.get(supervisor.EnvUID); lineage == "" {
		lineage = uid
	}
	return joinKept(c.get(proc.EnvKeep), lineage)
}

// joinKept joins two lists of runs.
func joinKept(before, more string) string { return strings.Trim(before+"/"+more, "/") }
