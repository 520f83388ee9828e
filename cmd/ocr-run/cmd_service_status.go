package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/service"
)

// serviceStatusVerb says how the service is.
func serviceStatusVerb() verb {
	return verb{
		name:  "service status",
		brief: "tell whether the service is in place and at work",
		about: `Tells whether the service for the ledger that is used here is installed, enabled
and active, how its last sweep went and when the next one is due, and what is wrong
with it: files that this ocr-run would write otherwise, a program that is gone.`,
		flags: []flagSpec{jsonSpec()},
		exits: []exitLine{
			{exitOK, "it is in order"},
			{exitError, "its files cannot be read, or its manager does not make sense"},
			{exitUsage, "usage error"},
			{exitNotFound, "it is not installed"},
			{exitWarnings, "something is wrong with it"},
		},
		examples: []string{"ocr-run service status", "ocr-run service status --json | jq -r '.problems[]'"},
		run:      runServiceStatus,
	}
}

// runServiceStatus tells how the service is.
func runServiceStatus(ctx context.Context, c call) error {
	view, files, err := c.serviceNow(ctx)
	if err != nil {
		return err
	}
	if err := c.answer(view, render.ServiceStatusText(c.style(), view)); err != nil {
		return err
	}
	switch {
	case presentFiles(files) == 0 && len(view.Problems) == 0:
		return answered(exitNotFound)
	case len(view.Problems) > 0:
		return answered(exitWarnings)
	default:
		return nil
	}
}

// serviceNow is how the service is: it looks at the files and, where one is there,
// asks the manager.
func (c call) serviceNow(ctx context.Context) (view render.ServiceStatus, files []serviceFile, err error) {
	s, err := c.service()
	if err != nil {
		return view, nil, err
	}
	if files, err = c.serviceFiles(s); err != nil {
		return view, nil, err
	}
	view = serviceView(s, files)
	if presentFiles(files) > 0 {
		err = c.askManager(ctx, s, &view)
	}
	return view, files, err
}

// present says whether it is there, and ours.
func (f serviceFile) present() bool {
	return f.Standing == service.Same || f.Standing == service.Differs
}

// presentFiles counts the files of ours that are there.
func presentFiles(files []serviceFile) (n int) {
	for _, f := range files {
		if f.present() {
			n++
		}
	}
	return n
}

// serviceView is what the files say.
func serviceView(s service.Control, files []serviceFile) render.ServiceStatus {
	change := serviceChange(s, files, false)
	v := render.ServiceStatus{
		SchemaVersion: render.SchemaVersion, Manager: change.Manager, Name: change.Name, Ledger: change.Ledger,
		Installed: presentFiles(files) == len(files), Files: change.Files, Problems: []string{},
	}
	for _, f := range files {
		v.Problems = append(v.Problems, fileProblems(s, f, presentFiles(files) > 0)...)
	}
	return v
}

// fileProblems are what is wrong with a file. That one is missing is nothing when
// all are.
func fileProblems(s service.Control, f serviceFile, installed bool) (problems []string) {
	again := "; " + program + " service install"
	switch f.Standing {
	case service.Same:
	case service.Foreign:
		return []string{f.Path + " is not ours: " + f.Why}
	case service.Missing:
		if installed {
			return []string{f.Path + " is missing" + again}
		}
	case service.Differs:
		problem := f.Path + " is not what this " + program + " would write" + again
		if runs := service.Program(s.Manager, f.Before); runs != "" && runs != s.Binary {
			problem = f.Path + " runs " + runs + ", and this is " + s.Binary + again
		}
		problems = append(problems, problem)
	}
	if runs := service.Program(s.Manager, f.Before); runs != "" {
		if err := executable(runs, runs); err != nil {
			problems = append(problems, fmt.Sprintf("it cannot run %s%s", err, again))
		}
	}
	return problems
}

// askManager adds what the manager says.
func (c call) askManager(ctx context.Context, s service.Control, v *render.ServiceStatus) error {
	state, err := s.State(ctx)
	switch {
	case errors.Is(err, service.ErrUnreachable), errors.Is(err, errNotInstalled):
		v.Problems = append(v.Problems, err.Error())
		return nil
	case err != nil:
		return &verbError{thing: c.verb, err: err, try: program + " service install"}
	}
	v.Enabled, v.Active = new(state.Enabled), new(state.Active)
	v.NextAt = instantOrNull(state.Next)
	if on, known := service.Lingers(userName()); known {
		v.Lingers = new(on)
	}
	if state.Ran {
		v.Last = &render.ServiceSweep{Result: state.Result, ExitCode: state.ExitCode, EndedAt: instantOrNull(state.Last)}
	}
	v.Problems = append(v.Problems, stateProblems(s, state)...)
	return nil
}

// stateProblems are what is wrong in what the manager says.
func stateProblems(s service.Control, state service.State) (problems []string) {
	again := "; " + program + " service install"
	switch {
	case !state.Loaded:
		problems = append(problems, "its manager does not know it"+again)
	case !state.Active:
		problems = append(problems, "it is not active"+again)
	case state.Stale:
		problems = append(problems, "its manager has not read its files anew"+again)
	}
	if state.Loaded && !state.Enabled {
		problems = append(problems, "it will not start after the next login"+again)
	}
	if state.Ran && state.Result != "success" {
		where := "journalctl --user -u " + s.Name() + ".service"
		if s.Manager == service.Launchd {
			where = s.Log()
		}
		problems = append(problems, fmt.Sprintf("the last sweep failed (%s); %s says why", state.Result, where))
	}
	return problems
}

// instantOrNull is an instant as the JSON contract writes it, null for none.
func instantOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(render.Time(t.UnixMilli()))
}
