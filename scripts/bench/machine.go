package main

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine names where the numbers come from.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	// State is the file system the ledgers were on.
	State string `json:"state_filesystem"`
	// Load is the load average when the run began.
	Load string `json:"load"`
}

// describeMachine reads what identifies this machine; dir holds the ledgers.
func describeMachine(dir string) machine {
	return machine{CPU: cpuName(), Cores: runtime.NumCPU(), Kernel: kernelName(), State: filesystemName(dir), Load: loadAverage()}
}

// line is the machine in one sentence.
func (m machine) line() string {
	return fmt.Sprintf("%s, %d cores, %s, ledgers on %s, load %s at the start", m.CPU, m.Cores, m.Kernel, m.State, m.Load)
}

// kernelName is uname's system, release and machine.
func kernelName() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	parts := []string{unix.ByteSliceToString(name.Sysname[:]), unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:])}
	return strings.Join(parts, " ")
}

// ticks is how long the processors have been idle, and in total.
type ticks struct{ idle, total float64 }

// idleSince is the idle share between two readings.
func (t ticks) idleSince(before ticks) float64 {
	if t.total <= before.total {
		return 0
	}
	return (t.idle - before.idle) / (t.total - before.total)
}
