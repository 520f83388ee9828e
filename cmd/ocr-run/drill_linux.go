package main

import (
	"os"
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// tick is the unit of the kernel's start times.
const tick = 10 * time.Millisecond

// began is when a process began, by the wall clock as it goes now.
func began(p proc.Process, now clock.Reading) time.Time {
	boot := now.Wall.Add(-now.Awake - now.Suspended)
	return boot.Add(time.Duration(p.Start) * tick)
}

// ownMounts has a process see mounts of its own, which vanish with it.
func ownMounts() (*syscall.SysProcAttr, error) {
	attr := ownGroup()
	if os.Geteuid() == 0 {
		attr.Unshareflags = syscall.CLONE_NEWNS
		return attr, nil
	}
	attr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	return attr, nil
}
