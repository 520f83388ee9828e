package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// becomeSubreaper makes this program the parent of every orphan below it, so that nothing a cell started can get lost.
func becomeSubreaper() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// reapAdopted collects dead children, except those that a goroutine of this program waits for itself.
func reapAdopted(own func(pid int) bool) {
	for _, s := range descendants(os.Getpid()) {
		if s.ppid == os.Getpid() && s.state == 'Z' && !own(s.pid) {
			_, _ = syscall.Wait4(s.pid, nil, syscall.WNOHANG, nil)
		}
	}
}
