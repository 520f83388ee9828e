package service

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Exit codes of launchctl.
const (
	// noSuchProcess and notFound say that a service is not loaded.
	noSuchProcess = 3
	notFound      = 113
	// noSuchDomain and noDomain say that nobody is logged in at the screen.
	noSuchDomain = 112
	noDomain     = 125
)

const (
	// goneWithin is how long a service that was told to leave may take: a sweep
	// that is under way is stopped with it.
	goneWithin = 10 * time.Second
	// gonePause lies between two looks whether it has left.
	gonePause = 200 * time.Millisecond
)

// domain is where the user's agents live.
func (s Spec) domain() string { return "gui/" + strconv.Itoa(s.UID) }

// target is the service in its domain.
func (s Spec) target() string { return s.domain() + "/" + s.Label() }

// bootstrap loads the property list, which also starts a sweep. What is loaded
// already goes first, for launchd reads a file only then. A service that was
// switched off by hand is switched on.
func (c Control) bootstrap(ctx context.Context) error {
	if err := c.bootout(ctx); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"enable", c.target()},
		{"bootstrap", c.domain(), c.agentFile(c.Label())},
	} {
		a, err := c.Runner.Run(ctx, c.Command(), args...)
		switch {
		case err != nil:
			return err
		case a.Code == noDomain:
			return fmt.Errorf("%w: %w", ErrUnreachable, a.refusal(c.Command(), args))
		case a.Code != 0:
			return a.refusal(c.Command(), args)
		}
	}
	return nil
}

// bootout unloads the service and waits until it is gone: launchd answers first.
func (c Control) bootout(ctx context.Context) error {
	for waited := time.Duration(0); ; waited += gonePause {
		loaded, _, err := c.printed(ctx)
		if err != nil || !loaded {
			return err
		}
		if waited == 0 {
			a, err := c.Runner.Run(ctx, c.Command(), "bootout", c.target())
			if err != nil {
				return err
			}
			if a.Code != 0 && a.Code != noSuchProcess && a.Code != notFound && !strings.Contains(a.Err, "in progress") {
				return a.refusal(c.Command(), []string{"bootout", c.target()})
			}
		}
		if waited >= goneWithin {
			return fmt.Errorf("unload %s: it is still there after %s", c.target(), goneWithin)
		}
		if err := c.Wait(ctx, gonePause); err != nil {
			return err
		}
	}
}

// printed is what launchd says of the service, if it is loaded.
func (c Control) printed(ctx context.Context) (loaded bool, text string, err error) {
	a, err := c.Runner.Run(ctx, c.Command(), "print", c.target())
	switch {
	case err != nil:
		return false, "", err
	case a.Code == 0:
		return true, a.Out, nil
	case a.Code == noSuchDomain || a.Code == noDomain || strings.Contains(a.Err, "Could not find domain"):
		return false, "", fmt.Errorf("%w: %w", ErrUnreachable, a.refusal(c.Command(), []string{"print", c.target()}))
	case a.Code == notFound || strings.Contains(a.Err, "Could not find service"):
		return false, "", nil
	default:
		return false, "", a.refusal(c.Command(), []string{"print", c.target()})
	}
}

// launchdState reads what launchd says of the service, and whether somebody has
// switched it off.
func (c Control) launchdState(ctx context.Context) (State, error) {
	var s State
	loaded, text, err := c.printed(ctx)
	if err != nil {
		return s, err
	}
	off, err := c.Runner.Run(ctx, c.Command(), "print-disabled", c.domain())
	if err != nil {
		return s, err
	}
	s.Loaded, s.Active, s.Enabled = loaded, loaded, !switchedOff(off.Out, c.Label())
	code, err := lastExit(text)
	if s.Ran = err == nil; s.Ran {
		s.ExitCode, s.Result = code, "success"
	}
	// As in the unit for systemd, a sweep that found another under way did well.
	if s.Ran && code != 0 && code != busyCode {
		s.Result = "exit-code"
	}
	return s, nil
}

// busyCode is the exit code of a sweep that found another one under way.
const busyCode = 8

// errNeverRan: nothing is said about a last exit.
var errNeverRan = errors.New("never exited")

// lastExit is the last exit code in what "launchctl print" says; the first line
// about it is about the service itself, and "(never exited)" is no number.
func lastExit(text string) (int, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "last exit code = "); ok {
			number, _, _ := strings.Cut(value, ":")
			return strconv.Atoi(strings.TrimSpace(number))
		}
	}
	return 0, errNeverRan
}

// switchedOff says whether "launchctl print-disabled" lists a label as disabled,
// which is "true" on older systems.
func switchedOff(text, label string) bool {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), strconv.Quote(label)+" => "); ok {
			return value == "disabled" || value == "true"
		}
	}
	return false
}
