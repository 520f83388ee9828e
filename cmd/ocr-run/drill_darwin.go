package main

import (
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// began is when a process began, by the wall clock.
func began(p proc.Process, _ clock.Reading) time.Time {
	return time.UnixMicro(int64(p.Start)) //nolint:gosec // it is a time of this century
}

// ownMounts: here mounts are everybody's, and the drill changes nothing of those.
func ownMounts() (*syscall.SysProcAttr, error) {
	return nil, skipped("this system has no mounts of a process's own")
}
