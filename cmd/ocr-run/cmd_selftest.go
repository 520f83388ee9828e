package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
)

// selftestVerb is the fault drill.
func selftestVerb() verb {
	return verb{
		name:  "selftest",
		brief: "try out on this machine that faults are borne, in a ledger of its own",
		about: `Runs real commands under this very program, in a directory and a ledger that are
made for it and removed afterwards, and lets go wrong what can: the wrapper is
stopped and killed, processes escape, the ledger is locked and damaged, the disk is
full, a pid is used again. Each step says what it has seen. Your own ledger and your
processes are left alone. It takes about ten seconds, and a minute at the most.`,
		flags: []flagSpec{
			jsonSpec(),
			{name: "keep", usage: "keep the directory, to look at what the steps left in it"},
		},
		exits: []exitLine{
			{exitOK, "no step failed; some may have been skipped, which says why"},
			{exitError, "a step failed, the drill was interrupted, or it could not be held"},
			{exitUsage, "usage error"},
		},
		examples: []string{"ocr-run selftest", "ocr-run selftest --json | jq -r '.steps[] | select(.verdict == \"failed\") | .detail'"},
		run:      runSelftest,
	}
}

// runSelftest holds the drill with the program it is part of.
func runSelftest(ctx context.Context, c call) error {
	self, err := ownProgram()
	if err != nil {
		return &verbError{thing: c.verb, err: err}
	}
	return c.selftest(ctx, self, drillSteps())
}

// selftest holds a drill with a program.
func (c call) selftest(ctx context.Context, tested string, steps []drillStep) error {
	heard := []os.Signal{os.Interrupt, unix.SIGTERM}
	if !signal.Ignored(unix.SIGHUP) {
		heard = append(heard, unix.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, heard...)
	defer stop()
	d, err := c.newDrill(tested)
	if err != nil {
		return &verbError{thing: c.verb, err: err, try: "export TMPDIR=/a/directory/that/can/be/written/to"}
	}
	began := c.clock.Now().Awake
	result, err := c.hold(ctx, d, steps)
	result.Complete = ctx.Err() == nil
	if !c.flags.Bool("keep") {
		err = errors.Join(err, d.remove())
	} else {
		result.Kept = &d.root
	}
	result.DurationMS = (c.clock.Now().Awake - began).Milliseconds()
	if err != nil {
		return &verbError{thing: c.verb, err: err, try: "ls " + d.root}
	}
	if err := c.printSelftest(result); err != nil {
		return err
	}
	if result.Failed > 0 || !result.Complete {
		return answered(exitError)
	}
	return nil
}

// hold goes through the steps, each of which is printed as it ends, for a person.
func (c call) hold(ctx context.Context, d *drill, steps []drillStep) (result render.Selftest, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, drillLimit, fmt.Errorf("the drill is to be over within %s", drillLimit))
	defer cancel()
	for _, s := range steps {
		if ctx.Err() != nil {
			return result, nil
		}
		step := d.perform(limited, s)
		if ctx.Err() != nil {
			return result, nil // what was interrupted proves nothing
		}
		switch step.Verdict {
		case stepPassed:
			result.Passed++
		case stepFailed:
			result.Failed++
		default:
			result.Skipped++
		}
		result.Steps = append(result.Steps, step)
		if !c.flags.Bool("json") {
			if err := c.printText(render.SelftestLine(c.style(), step)); err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

// printSelftest prints all as JSON, or the summary for a person.
func (c call) printSelftest(result render.Selftest) error {
	return c.printEither(func() string { return render.SelftestSummary(result) }, func() ([]byte, error) { return render.SelftestJSON(result) })
}

// ownGroup puts what is started into a process group of its own, so that the keys of
// the terminal reach only us.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
