package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/service"
)

// serviceVerbs are the verbs about the service that reaps by itself.
func serviceVerbs() []verb {
	return []verb{serviceInstallVerb(), serviceUninstallVerb(), serviceStatusVerb(), servicePrintVerb()}
}

// serviceInstallVerb has the system reap.
func serviceInstallVerb() verb {
	return verb{
		name:  "service install",
		brief: "have the system reap every 5 minutes, and at wake",
		about: `Has the service manager of the user (systemd, or launchd on macOS) call
"ocr-run reap" every 5 minutes, and at once after a sleep of the machine, for the
ledger that is used here. The files are shown first, and written only when you
agree, or with --yes; then the manager takes them in and a first sweep is made.
Files of somebody else are never written over. Once more after an update or a
change it brings everything up to date.`,
		flags: serviceFlags(),
		exits: []exitLine{
			{exitOK, "the service is in place and at work"},
			{exitError, "it could not be installed or started, or you did not agree"},
			{exitUsage, "usage error, or nobody can be asked and there is no --yes"},
		},
		examples: []string{"ocr-run service install --dry-run", "ocr-run service install --yes"},
		run:      runServiceInstall,
	}
}

// serviceUninstallVerb takes it out again.
func serviceUninstallVerb() verb {
	return verb{
		name:  "service uninstall",
		brief: "undo service install",
		about: `Stops the service that reaps the ledger that is used here, and removes the files
that "ocr-run service install" wrote: those, and nothing else.`,
		flags: serviceFlags(),
		exits: []exitLine{
			{exitOK, "the service is gone, or was not there"},
			{exitError, "it could not be stopped or removed, or you did not agree"},
			{exitUsage, "usage error, or nobody can be asked and there is no --yes"},
		},
		examples: []string{"ocr-run service uninstall --yes"},
		run:      runServiceUninstall,
	}
}

// serviceExits are the exit codes of the service verbs.
func serviceExits() []exitLine {
	return []exitLine{
		{exitOK, "done; status: it is in order"},
		{exitError, "it could not be done, or you did not agree"},
		{exitUsage, "usage error, or nobody can be asked and there is no --yes"},
		{exitNotFound, "status: it is not installed"},
		{exitWarnings, "status: something is wrong with it"},
	}
}

func serviceFlags() []flagSpec {
	return []flagSpec{
		{name: "yes", short: "y", usage: "do not ask"},
		{name: "dry-run", usage: "show the change and do not make it"},
		jsonSpec(),
	}
}

// runServiceInstall writes the files and has the manager take them in. What is in
// order already is started anew all the same: that mends what was stopped by hand.
func runServiceInstall(ctx context.Context, c call) error {
	s, err := c.service()
	if err == nil {
		err = c.mayInstall(s)
	}
	if err != nil {
		return err
	}
	files, err := c.serviceFiles(s)
	if err != nil {
		return err
	}
	if err := foreignFile(files); err != nil {
		return err
	}
	agreed, err := c.agreedToService(s, files, false)
	if err != nil || !agreed {
		return err
	}
	for _, f := range files {
		if err := f.write(); err != nil {
			return &verbError{thing: f.Path, err: err, try: "put it right, then " + program + " " + c.verb}
		}
	}
	if err := s.Start(ctx); err != nil {
		return c.notStarted(s, err)
	}
	if !c.flags.Bool("json") {
		if err := c.printText(s.Name() + " is active, and its first sweep went well\n"); err != nil {
			return err
		}
	}
	if on, known := service.Lingers(userName()); known && !on {
		c.note("it sweeps while you are logged in; to have it sweep always: loginctl enable-linger %s", userName())
	}
	return nil
}

// mayInstall says why a service must not be made for this program or this user.
func (c call) mayInstall(s service.Control) error {
	if inGoBuild(s.Binary) {
		return &verbError{thing: s.Binary, err: errors.New("it is a file of go run, and gone in a moment"), try: "make install, then " + program + " " + c.verb}
	}
	if err := executable(s.Binary, s.Binary); err != nil {
		return &verbError{thing: c.verb, err: err, try: "install " + program + " anew"}
	}
	if owner, ours := ownerOf(s.Home); !ours {
		return &verbError{thing: c.verb, err: fmt.Errorf("HOME is %s, which is of user %d, and you are user %d", s.Home, owner, s.UID), try: "the same command as that user, without sudo"}
	}
	if _, err := findCommand(s.Command(), c.environ, c.dir); err != nil && !c.flags.Bool("dry-run") {
		return c.noManager(s, err)
	}
	return nil
}

// noManager is the error where there is no manager at all: others can do as well.
func (c call) noManager(s service.Control, err error) error {
	line := render.CommandLine([]string{"env", "XDG_STATE_HOME=" + s.StateHome, s.Binary, "reap", "--yes", "--quiet"})
	return &verbError{
		thing: c.verb, err: err,
		try: "crontab -e, with the line: */5 * * * * " + strings.ReplaceAll(line, "%", `\%`),
	}
}

// notStarted explains what is in place and what is missing.
func (c call) notStarted(s service.Control, err error) error {
	again := program + " " + c.verb
	e := &verbError{thing: c.verb, err: fmt.Errorf("the files are written, but: %w", err), try: "put it right, then " + again}
	switch {
	case errors.Is(err, service.ErrUnreachable) && s.Manager == service.Systemd:
		e.try = "log in as " + userName() + " and it starts by itself, or loginctl enable-linger " + userName() + ", then " + again
	case errors.Is(err, service.ErrUnreachable):
		e.try = "log in at the screen and it starts by itself"
	case errors.Is(err, service.ErrSweep):
		e.err = fmt.Errorf("the service is at work, but: %w", err)
		e.try = "journalctl --user -u " + s.Name() + ".service, and " + program + " reap"
	}
	return e
}

// runServiceUninstall stops the service and removes its files. Without a manager
// there is nothing to stop.
func runServiceUninstall(ctx context.Context, c call) error {
	s, err := c.service()
	if err != nil {
		return err
	}
	files, err := c.serviceFiles(s)
	if err != nil {
		return err
	}
	agreed, err := c.agreedToService(s, files, true)
	if err != nil || !agreed {
		return err
	}
	managed := true
	if err := s.Stop(ctx); errors.Is(err, service.ErrUnreachable) || errors.Is(err, errNotInstalled) {
		managed = false
	} else if err != nil {
		return &verbError{thing: c.verb, err: err, try: program + " " + c.verb + " once more"}
	}
	// What enables the service goes first, as it came last.
	for _, f := range slices.Backward(files) {
		if err := f.remove(); err != nil {
			return &verbError{thing: f.Path, err: err, try: "put it right, then " + program + " " + c.verb}
		}
	}
	if !managed {
		return nil
	}
	if err := s.Forget(ctx); err != nil {
		return &verbError{thing: c.verb, err: err, try: program + " " + c.verb + " once more"}
	}
	return nil
}
