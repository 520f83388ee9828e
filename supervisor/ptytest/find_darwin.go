package ptytest

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TIOCGETA
	// stateZombie is SZOMB of sys/proc.h.
	stateZombie = 5
)

// deviceOf returns the terminal's number as the process table holds it.
func deviceOf(slave *os.File) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(slave.Fd()), &stat); err != nil {
		return 0, fmt.Errorf("stat %s: %w", slave.Name(), err)
	}
	return uint64(uint32(stat.Rdev)), nil
}

// find lists the living processes that carry the marker, are in the session or have the device as controlling terminal; a session
// below zero and the device 0 match nothing.
func find(marker string, session int, device uint64) ([]Process, error) {
	table, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []Process
	for i := range table {
		pid := int(table[i].Proc.P_pid)
		if pid != os.Getpid() && owned(&table[i], marker, session, device) {
			found = append(found, Process{Pid: pid, Name: unix.ByteSliceToString(table[i].Proc.P_comm[:])})
		}
	}
	return found, nil
}

func belongs(pid int, marker string, session int, device uint64) bool {
	entry, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	return err == nil && owned(entry, marker, session, device)
}

func owned(entry *unix.KinfoProc, marker string, session int, device uint64) bool {
	if entry.Proc.P_stat == stateZombie {
		return false
	}
	pid := int(entry.Proc.P_pid)
	if sid, err := unix.Getsid(pid); err == nil && sid == session {
		return true
	}
	if device != 0 && uint64(uint32(entry.Eproc.Tdev)) == device {
		return true
	}
	// Arguments and environment in one block; the system hides it for other users and for its own binaries.
	block, err := unix.SysctlRaw("kern.procargs2", pid)
	return err == nil && bytes.Contains(block, []byte("\x00"+MarkerName+"="+marker+"\x00"))
}
