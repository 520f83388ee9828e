package ptytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	pollEvery   = 5 * time.Millisecond
	quietPasses = 2
	// closeLimit bounds Close; it outlasts the kernel tearing down some thousand processes.
	closeLimit = 10 * time.Second
)

// Process is one living process, as far as a message about it needs.
type Process struct {
	// Pid is its process id; it identifies the process only for as long as it lives.
	Pid int
	// Name is its short command name.
	Name string
}

func (p Process) String() string { return fmt.Sprintf("%d (%s)", p.Pid, p.Name) }

// Survivors lists the living processes that belong to the terminal, the command included. A zombie is not alive.
func (t *Terminal) Survivors() ([]Process, error) {
	return find(t.marker, t.Pid(), t.heldDevice())
}

// heldDevice is 0 once the terminal is hung up: the system may have given its number to another terminal by then.
func (t *Terminal) heldDevice() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.master == nil {
		return 0
	}
	return t.device
}

// Marked lists the living processes whose environment carries the marker's value, whatever terminal they are on.
func Marked(marker string) ([]Process, error) { return find(marker, -1, 0) }

// AwaitGone waits until nothing of the terminal lives any more; it fails with the names of what does.
func (t *Terminal) AwaitGone(within time.Duration) error {
	left, err := t.untilQuiet(within, func(Process) {})
	if err != nil {
		return fmt.Errorf("await the end of %s: %w", names(left), err)
	}
	return nil
}

// Close kills everything that belongs to the terminal, proves that nothing survives, and ends the terminal.
// It reports what it could not kill. It may be called again.
func (t *Terminal) Close() error {
	left, err := t.untilQuiet(closeLimit, t.kill)
	if err != nil {
		err = fmt.Errorf("close the terminal: kill %s: %w", names(left), err)
	}
	// First the kill, then the hangup: on macOS closing the master does not end a read that waits for a living holder.
	return errors.Join(err, t.Hangup(), t.awaitExited())
}

// untilQuiet looks until it sees no survivor, twice, and shows each it sees to act. Twice, because a process in the middle of an exec
// has no environment to be recognised by for a moment, and one that forks may be seen neither before nor after.
func (t *Terminal) untilQuiet(within time.Duration, act func(Process)) ([]Process, error) {
	var left []Process
	quiet := 0
	err := poll(within, func() (bool, error) {
		var err error
		if left, err = t.Survivors(); err != nil {
			return false, err
		}
		for _, p := range left {
			act(p)
		}
		if quiet++; len(left) > 0 {
			quiet = 0
		}
		return quiet == quietPasses, nil
	})
	return left, err
}

func (t *Terminal) awaitExited() error {
	_, err := t.Wait(closeLimit)
	return err
}

// kill looks again after it took hold of the process, so that a reused number harms nobody: on Linux the handle is a pidfd.
func (t *Terminal) kill(p Process) {
	handle, err := os.FindProcess(p.Pid)
	if err != nil {
		return
	}
	defer func() { _ = handle.Release() }()
	if belongs(p.Pid, t.marker, t.Pid(), t.heldDevice()) {
		_ = handle.Signal(syscall.SIGKILL)
	}
}

// poll calls done until it is true or fails, or the time is over. There is no event to wait for: the processes looked at are not
// this process's children.
func poll(within time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("not within %v", within)
		}
	}
}

func names(processes []Process) string {
	text := make([]string, len(processes))
	for i, p := range processes {
		text[i] = p.String()
	}
	return strings.Join(text, ", ")
}
