package proc

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// LeftoverGrace is how long a leftover may take to leave by itself. A finished
// run is expected back within two seconds even if it left something that
// ignores every polite signal; this is half of it.
const LeftoverGrace = time.Second

// StopBound ends every attempt, where none is given. It outlasts the grace a
// run has by default as long again, for the killing itself: a process the kernel
// cannot end by then sits in a device and will not end by waiting.
const StopBound = 10 * time.Second

// Waits between two looks grow from the first to the last: most processes obey
// within a millisecond, and those that do not are in no hurry.
const (
	firstLook = time.Millisecond
	lastLook  = 50 * time.Millisecond
)

// killMargin is how long before the bound the grace ends at the latest, so that
// there is always time to kill and to see that it worked.
const killMargin = time.Second

// maxFailures is how many censuses in a row may fail. A process table that
// cannot be read will not become readable by waiting.
const maxFailures = 3

// maxCommands bounds how many command lines are read: a storm has the same one
// over and over, and reading it lets the storm go on.
const maxCommands = 256

// freezePasses bounds how often a census is repeated to stop newborns before
// all are killed. Each pass halts every process it sees, so only what was born
// during the last one can bear more.
const freezePasses = 16

// StopConfig says whom to stop and how. Census and Now are required.
type StopConfig struct {
	// Census lists the candidates, parents before their children. It may list
	// zombies. On an error nobody is taken for dead.
	Census func() ([]Process, error)
	// Keep spares a process and everything below it; nil spares nobody. It is
	// asked again before each signal, as a process may have become another
	// program since.
	Keep func(Process) (reason string, keep bool)
	// First is the polite signal; 0 means SIGTERM. SIGKILL skips the grace.
	First syscall.Signal
	// Grace is how long the polite signal may take; 0 kills at once.
	Grace time.Duration
	// Bound is when to give up, grace included; 0 means StopBound. The grace
	// ends a second before it at the latest.
	Bound time.Duration
	// Now is awake time: a sleep of the machine is nobody's fault.
	Now func() time.Duration
	// Wait returns after d or with an error when ctx ends; nil uses a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Send signals one process and returns ErrGone when it has ended; nil uses
	// Signal.
	Send func(Process, syscall.Signal) error
	// Reap takes in the exits of the caller's own children before each census;
	// nil when there is nothing to take in.
	Reap func()
	// Groups are control groups of the runs that are stopped. One whose members
	// are all to be killed is killed at one stroke, which no storm outruns.
	Groups []Group
	// Restless names, after a census, the groups in which somebody changes faster than
	// it looks: they are halted while it looks once more. Nil names none.
	Restless func() []Group
}

// group is a control group, as [Group] is one.
type group interface {
	// Members lists the pids in it and below it.
	Members() ([]int, error)
	// Freeze halts all of them, or lets them go on.
	Freeze(on bool) error
	// Kill kills all of them.
	Kill() error
}

// StopUntilQuiet stops every process the census lists, and whatever these
// start meanwhile, until two censuses in a row find nobody left to stop or the
// bound is reached. When ctx ends the grace is over and the rest is killed at
// once. It never signals pid 1, the caller or the caller's ancestors.
//
// A first census without a single process, not even a dead one, ends it at
// once: where the census walks down from the caller there is then nobody who
// could have moved while it looked.
func StopUntilQuiet(ctx context.Context, cfg StopConfig) Report {
	s := newStop(cfg)
	if s.census(); s.err == nil && s.seen == 0 {
		return Report{}
	}
	if !s.grace(ctx) {
		s.kill(context.WithoutCancel(ctx))
	}
	return s.report()
}

// newStop fills in the defaults.
func newStop(cfg StopConfig) *stop {
	if cfg.First == 0 {
		cfg.First = unix.SIGTERM
	}
	if cfg.Bound == 0 {
		cfg.Bound = StopBound
	}
	if cfg.Wait == nil {
		cfg.Wait = wait
	}
	if cfg.Send == nil {
		cfg.Send = func(p Process, sig syscall.Signal) error { return Signal(p.PID, p.Start, sig) }
	}
	restless := func() []group { return nil }
	if cfg.Restless != nil {
		restless = func() []group { return groupsOf(cfg.Restless()) }
	}
	return &stop{
		StopConfig: cfg,
		groups:     groupsOf(cfg.Groups),
		restless:   restless,
		halted:     map[group]bool{},
		deadline:   cfg.Now() + cfg.Bound,
		protected:  Protected,
		command:    commandOf,
		known:      map[identity]*target{},
	}
}

// groupsOf are groups as a stop sees them.
func groupsOf(all []Group) []group {
	groups := make([]group, 0, len(all))
	for _, g := range all {
		groups = append(groups, g)
	}
	return groups
}

// Protected is who must never be signalled: the first process, the caller and its
// ancestors, by pid.
func Protected() map[int]bool {
	own := map[int]bool{0: true, 1: true, os.Getpid(): true}
	for _, pid := range Ancestors(os.Getpid()) {
		own[pid] = true
	}
	return own
}

// commandOf names a process for the report.
func commandOf(p Process) string {
	line, err := CommandLine(p.PID)
	if err != nil {
		return bracketed(p)
	}
	return line
}

// wait is the default Wait.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refused says whether an error means that no later attempt will succeed.
func refused(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES)
}
