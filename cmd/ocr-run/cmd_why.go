package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// whyVerb explains whose a process is.
func whyVerb() verb {
	return verb{
		name:     "why",
		operands: "PID",
		brief:    "explain whose a process is, and what the reaper would do about it",
		about: `Explains whose a process is: for each run that it may belong to, which proofs hold
and which do not, and what the reaper would do about the process and why. Its
exact identity, as the ledger recorded it, is proof enough alone; of the others
it takes two: the run's own control group, descent from a recorded process, a
session or group that the run made, the run's marker in its environment.
Nothing is changed.`,
		least: 1,
		most:  1,
		flags: []flagSpec{jsonSpec()},
		exits: []exitLine{
			{exitOK, "explained, also when the process is nobody's"},
			{exitError, "the ledger or the process table cannot be read"},
			{exitUsage, "usage error"},
			{exitNotFound, "there is no such process"},
			{exitBusy, "another process keeps the ledger locked"},
		},
		examples: []string{"ocr-run why 4711", "ocr-run why 4711 --json | jq -r .action"},
		run:      runWhy,
	}
}

// runWhy explains one process.
func runWhy(ctx context.Context, c call) error {
	pid, err := strconv.Atoi(c.words[0])
	if err != nil || pid < 1 {
		return c.usage("%q is no process id", c.words[0])
	}
	l, err := c.readLedger(ctx)
	if err != nil {
		return err
	}
	var x reaper.Explanation
	if l == nil {
		x, err = explainAlone(pid)
	} else {
		x, err = c.explain(ctx, l, pid)
		err = errors.Join(err, l.Close())
	}
	if errors.Is(err, proc.ErrGone) {
		return &verbError{thing: c.verb, err: fmt.Errorf("there is no process %d: %w", pid, store.ErrNotFound), try: "ps -e"}
	}
	if err != nil {
		return c.failed(err)
	}
	view := explanationView(x)
	return c.printEither(func() string { return render.Why(c.style(), view) }, func() ([]byte, error) { return render.ExplanationJSON(view) })
}

// explain asks the ledger.
func (c call) explain(ctx context.Context, l *store.Ledger, pid int) (reaper.Explanation, error) {
	cfg, err := c.reaping(l)
	if err != nil {
		return reaper.Explanation{}, err
	}
	return reaper.Explain(ctx, cfg, pid)
}

// explainAlone answers where nothing was ever run.
func explainAlone(pid int) (reaper.Explanation, error) {
	p, err := proc.Read(pid)
	if err != nil {
		return reaper.Explanation{}, err
	}
	line, _ := proc.CommandLine(pid) // it may have ended meanwhile
	return reaper.Explanation{
		Process: p, Command: line, Verdict: reaper.VerdictNone, Reason: "there is no ledger: nothing has been run yet",
	}, nil
}

// explanationView is an explanation as the JSON contract shows it.
func explanationView(x reaper.Explanation) render.Explanation {
	view := render.Explanation{
		PID: x.Process.PID, Command: x.Command, UID: render.OrNull(x.UID), Action: string(x.Verdict), Reason: x.Reason,
	}
	for _, c := range x.Claims {
		claim := render.Claim{UID: c.UID, Standing: string(c.Standing), Action: string(c.Verdict), Reason: c.Reason}
		for _, r := range c.Rungs {
			claim.Proofs = append(claim.Proofs, render.Rung{Proof: string(r.Proof), Holds: r.Holds, Detail: r.Detail})
		}
		view.Claims = append(view.Claims, claim)
	}
	return view
}
