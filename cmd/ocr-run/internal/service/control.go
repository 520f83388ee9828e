package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Answer is what a program said, and how it exited.
type Answer struct {
	Out, Err string
	Code     int
}

// runner runs the command of a service manager.
type runner interface {
	// Run runs a program with arguments. The error says that there is none, or that
	// it cannot be run; what it thinks of the request is in the answer.
	Run(ctx context.Context, program string, args ...string) (Answer, error)
}

// ErrUnreachable says that no manager runs for the user, or that it cannot be
// asked.
var ErrUnreachable = errors.New("no service manager answers for this user")

// ErrSweep says that the service is in place, and that its first sweep failed.
var ErrSweep = errors.New("the first sweep failed")

// Control talks to the manager of a service.
type Control struct {
	Spec
	// Runner runs the manager's command.
	Runner runner
	// Wait waits in awake time.
	Wait func(ctx context.Context, d time.Duration) error
}

// State is what the manager says of a service.
type State struct {
	// Loaded: the manager knows it as it is on disk.
	Loaded bool
	// Stale: the manager knows an older text of it.
	Stale bool
	// Enabled: it starts by itself after the next login.
	Enabled bool
	// Active: it sweeps from time to time.
	Active bool
	// Ran: there has been a sweep since the manager started. Result says how the
	// last one ended, "success" or why not, and ExitCode is its exit code.
	Ran      bool
	Result   string
	ExitCode int
	// Last and Next are when the last sweep ended and when the next one is due;
	// zero when nobody says.
	Last, Next time.Time
}

// Command is the program that talks to the manager.
func (s Spec) Command() string {
	if s.Manager == Launchd {
		return "launchctl"
	}
	return "systemctl"
}

// Start has the manager take in the files and sweep from now on, and now. The error
// is ErrUnreachable when no manager is there to do so, and ErrSweep when it does
// and the first sweep failed.
func (c Control) Start(ctx context.Context) error {
	if c.Manager == Launchd {
		return c.bootstrap(ctx)
	}
	return c.startTimer(ctx)
}

// Stop has the manager sweep no more. Under systemd a sweep under way goes on to its
// end; launchd ends it. Whether the files are there does not matter. The error is ErrUnreachable when no manager is there to stop anything.
func (c Control) Stop(ctx context.Context) error {
	if c.Manager == Launchd {
		return c.bootout(ctx)
	}
	return c.stopTimer(ctx)
}

// Forget has the manager forget a service whose files are gone.
func (c Control) Forget(ctx context.Context) error {
	if c.Manager == Launchd {
		return nil // it did so when it was told to stop
	}
	return c.forgetUnits(ctx)
}

// State asks the manager. The error is ErrUnreachable when there is none to ask.
func (c Control) State(ctx context.Context) (State, error) {
	if c.Manager == Launchd {
		return c.launchdState(ctx)
	}
	return c.systemdState(ctx)
}

// refusal is the error of an answer that is no success.
func (a Answer) refusal(program string, args []string) error {
	why := firstLine(a.Err)
	if why == "" {
		why = firstLine(a.Out)
	}
	if why == "" {
		why = fmt.Sprintf("exit code %d", a.Code)
	}
	return fmt.Errorf("%s %s: %s", program, strings.Join(args, " "), why)
}

// firstLine is the first line of a text that has something in it.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
