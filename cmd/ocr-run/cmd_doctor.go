package main

import (
	"context"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/doctor"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
)

// doctorVerb looks whether everything is fit for runs.
func doctorVerb() verb {
	return verb{
		name:  "doctor",
		brief: "look whether this machine is fit for runs, and say how to mend what is not",
		about: `Looks at everything that runs depend on: PATH and HOME, the state directory and the
ledger in it, the terminal, clocks, what the kernel allows, limits, the agents that
are installed and their hooks. It says what it looked at and what it found, and
names the command that mends it. Nothing is changed and no ledger is made; the
agents are asked for their --version, for five seconds at most.`,
		flags: []flagSpec{jsonSpec()},
		exits: []exitLine{
			{exitOK, "nothing is wrong; there may be notes"},
			{exitError, "the answer cannot be written"},
			{exitUsage, "usage error"},
			{exitWarnings, "there are warnings"},
			{exitErrors, "there are errors"},
		},
		examples: []string{"ocr-run doctor", `ocr-run doctor --json | jq -r '.checks[] | select(.severity == "error") | .mend'`},
		run:      runDoctor,
	}
}

// runDoctor looks and tells.
func runDoctor(ctx context.Context, c call) error {
	view := doctorView(doctor.Judge(c.machineFacts(ctx)))
	err := c.printEither(func() string { return render.DoctorText(c.style(), view) }, func() ([]byte, error) { return render.DoctorJSON(view) })
	if err != nil {
		return err
	}
	return bySeverity(view.Errors, view.Warnings)
}

// doctorView is findings as the JSON contract shows them.
func doctorView(found []doctor.Finding) render.Doctor {
	var view render.Doctor
	for _, f := range found {
		switch f.Severity {
		case doctor.Error:
			view.Errors++
		case doctor.Warn:
			view.Warnings++
		case doctor.Note:
			view.Notes++
		case doctor.OK:
		}
		view.Checks = append(view.Checks, render.DoctorCheck{
			Check: string(f.Check), Severity: string(f.Severity), LookedAt: f.Looked, Found: f.Found, Mend: render.OrNull(f.Mend),
		})
	}
	return view
}
