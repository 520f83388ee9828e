package service

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// startTimer takes in the units, starts the timer anew, and sweeps once: what does
// not work is seen now, and not in five minutes.
func (c Control) startTimer(ctx context.Context) error {
	if err := c.reachable(ctx); err != nil {
		return err
	}
	for _, args := range [][]string{{"daemon-reload"}, {"restart", c.Name() + ".timer"}} {
		if err := c.systemctl(ctx, args...); err != nil {
			return err
		}
	}
	if err := c.systemctl(ctx, "start", c.Name()+".service"); err != nil {
		return fmt.Errorf("%w: %w", ErrSweep, err)
	}
	return nil
}

// stopTimer stops the timer and forgets when it last fired.
func (c Control) stopTimer(ctx context.Context) error {
	if err := c.reachable(ctx); err != nil {
		return err
	}
	timer := c.Name() + ".timer"
	known, err := c.show(ctx, timer, "LoadState")
	if err != nil || known["LoadState"] == "not-found" {
		return err
	}
	if err := c.systemctl(ctx, "stop", timer); err != nil {
		return err
	}
	// Older managers cannot, and then a file with a date in its name is left.
	_ = c.systemctl(ctx, "clean", "--what=state", timer)
	return nil
}

// forgetUnits has the manager see that the units are gone.
func (c Control) forgetUnits(ctx context.Context) error {
	if err := c.reachable(ctx); err != nil {
		return err
	}
	// Of units that did not fail there is nothing to forget.
	_ = c.systemctl(ctx, "reset-failed", c.Name()+".timer", c.Name()+".service")
	return c.systemctl(ctx, "daemon-reload")
}

// systemctl asks for something to be done, and is an error when it is not.
func (c Control) systemctl(ctx context.Context, args ...string) error {
	args = append([]string{"--user"}, args...)
	a, err := c.Runner.Run(ctx, c.Command(), args...)
	if err == nil && a.Code != 0 {
		err = a.refusal(c.Command(), args)
	}
	return err
}

// reachable says whether a manager runs for the user. Its state does not matter:
// with any unit failed it is "degraded".
func (c Control) reachable(ctx context.Context) error {
	args := []string{"--user", "is-system-running"}
	a, err := c.Runner.Run(ctx, c.Command(), args...)
	if err != nil {
		return err
	}
	switch strings.TrimSpace(a.Out) {
	case "running", "degraded", "starting", "initializing", "maintenance", "stopping":
		return nil
	default:
		return fmt.Errorf("%w: %w", ErrUnreachable, a.refusal(c.Command(), args))
	}
}

// show is some properties of a unit.
func (c Control) show(ctx context.Context, unit string, properties ...string) (map[string]string, error) {
	args := []string{"--user", "show", "--property=" + strings.Join(properties, ","), unit}
	a, err := c.Runner.Run(ctx, c.Command(), args...)
	if err == nil && a.Code != 0 {
		err = a.refusal(c.Command(), args)
	}
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for line := range strings.Lines(a.Out) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && slices.Contains(properties, key) {
			values[key] = value
		}
	}
	return values, nil
}

// systemdState puts together what the manager says of the timer and the service.
func (c Control) systemdState(ctx context.Context) (State, error) {
	var s State
	if err := c.reachable(ctx); err != nil {
		return s, err
	}
	timer, err := c.show(ctx, c.Name()+".timer", "LoadState", "ActiveState", "UnitFileState", "NeedDaemonReload", "NextElapseUSecRealtime")
	if err != nil {
		return s, err
	}
	sweep, err := c.show(ctx, c.Name()+".service", "NeedDaemonReload", "Result", "ExecMainStatus", "ExecMainExitTimestamp")
	if err != nil {
		return s, err
	}
	s.Loaded = timer["LoadState"] == "loaded"
	s.Stale = timer["NeedDaemonReload"] == "yes" || sweep["NeedDaemonReload"] == "yes"
	s.Enabled = timer["UnitFileState"] == "enabled"
	s.Active = timer["ActiveState"] == "active"
	s.Last, s.Next = instant(sweep["ExecMainExitTimestamp"]), instant(timer["NextElapseUSecRealtime"])
	if s.Ran = !s.Last.IsZero(); s.Ran {
		s.Result = sweep["Result"]
		s.ExitCode, _ = strconv.Atoi(sweep["ExecMainStatus"]) // 0 when it is no number
	}
	return s, nil
}

// instant is a time as systemctl writes it where TZ is UTC; zero when it writes none.
func instant(text string) time.Time {
	t, err := time.Parse("Mon 2006-01-02 15:04:05 MST", text)
	if err != nil {
		return time.Time{}
	}
	return t
}
