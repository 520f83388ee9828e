package main

import (
	"fmt"
	"syscall"
	"time"
)

// All of this program's dealings with time are in this file.

const (
	defaultLimit = 30 * time.Second
	// startLimit bounds what takes milliseconds on an idle machine.
	startLimit = 10 * time.Second
	// graceLimit is a stop's ladder: 5 s of grace, the kill, and a second for a loaded machine.
	graceLimit = 7 * time.Second
	pollEvery  = 3 * time.Millisecond
	idleSample = 100 * time.Millisecond
)

// stopwatch returns a function that tells the time since.
func stopwatch() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

func closesWithin(done <-chan struct{}, within time.Duration) bool {
	select {
	case <-done:
		return true
	case <-time.After(within):
		return false
	}
}

// holdsWithin polls until the condition holds.
func holdsWithin(within time.Duration, holds func() bool) bool {
	took := stopwatch()
	for !holds() {
		if took() > within {
			return false
		}
		time.Sleep(pollEvery)
	}
	return true
}

// until waits for a condition and fails the cell without it.
func (l *lab) until(within time.Duration, what string, holds func() bool) {
	if !holdsWithin(within, holds) {
		l.fatalf("no %s within %v", what, within)
	}
}

// gone waits until a process is dead, zombies included.
func (l *lab) gone(pid int, what string, within time.Duration) time.Duration {
	took := stopwatch()
	if !holdsWithin(within, func() bool { return !alive(pid) }) {
		l.fatalf("%s still alive after %v", what, within)
	}
	return took()
}

// stays fails if a process dies within the time: the one wait that must be waited out.
func (l *lab) stays(pid int, what string, during time.Duration) {
	took := stopwatch()
	if holdsWithin(during, func() bool { return !alive(pid) }) {
		l.fatalf("%s died after %v", what, took().Round(time.Millisecond))
	}
}

// idle waits until a process uses no processor time: it is blocked.
func (l *lab) idle(pid int) {
	last := cpuTicks(pid)
	l.until(startLimit, "standstill", func() bool {
		time.Sleep(idleSample)
		now := cpuTicks(pid)
		still := now == last
		last = now
		return still
	})
}

// forever does not return. It sleeps, because a program with nothing else to do may not block on a channel.
func forever() {
	for {
		time.Sleep(time.Hour)
	}
}

// throttle returns a reader's brake for a terminal of so many bytes a second.
func throttle(bytesPerSecond int) func(n int) {
	took, total := stopwatch(), 0
	return func(n int) {
		total += n
		due := time.Duration(total) * time.Second / time.Duration(bytesPerSecond)
		time.Sleep(due - took())
	}
}

// killAll kills what descends from this program or carries the cell's marker until nothing is left, and reaps it.
func (l *lab) killAll() error {
	var left []int
	clean := holdsWithin(startLimit, func() bool {
		left = l.strays()
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		reapAdopted(l.owns)
		return len(left) == 0
	})
	if !clean {
		return fmt.Errorf("cleanup: cannot kill %v", left)
	}
	return nil
}
