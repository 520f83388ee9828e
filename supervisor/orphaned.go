package supervisor

import (
	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// orphanedGroup says whether nobody could set our process group going again if
// it stopped: no parent of it in this session, such as a shell with job control.
// The kernel keeps such a group from being stopped by a key; we must not do it
// by hand.
func orphanedGroup() bool {
	group, session := unix.Getpgrp(), sessionOf(0)
	for pid := unix.Getppid(); pid > 0; {
		pgid, err := unix.Getpgid(pid)
		if err != nil {
			return true
		}
		if pgid != group {
			return sessionOf(pid) != session
		}
		// A script: what matters is who watches over the script.
		p, err := proc.Read(pid)
		if err != nil {
			return true
		}
		pid = p.PPID
	}
	return true
}

// sessionOf is the session of a process, 0 for ourselves; -1 when unknown.
func sessionOf(pid int) int {
	sid, err := unix.Getsid(pid)
	if err != nil {
		return -1
	}
	return sid
}
