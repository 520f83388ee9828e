package ptytest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TCGETS

// deviceOf returns the terminal's number as /proc/PID/stat prints it.
func deviceOf(slave *os.File) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(slave.Fd()), &stat); err != nil {
		return 0, fmt.Errorf("stat %s: %w", slave.Name(), err)
	}
	major, minor := uint64(unix.Major(stat.Rdev)), uint64(unix.Minor(stat.Rdev))
	return minor&0xff | major<<8 | (minor&^0xff)<<12, nil
}

// find lists the living processes that carry the marker, are in the session or have the device as controlling terminal; a session
// below zero and the device 0 match nothing.
func find(marker string, session int, device uint64) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() || !belongs(pid, marker, session, device) {
			continue
		}
		name, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "comm"))
		found = append(found, Process{Pid: pid, Name: strings.TrimSpace(string(name))})
	}
	return found, nil
}

func belongs(pid int, marker string, session int, device uint64) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return false
	}
	// The name in parentheses may hold anything; after it come: state ppid pgrp session tty_nr.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 5 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return false
	}
	if string(fields[3]) == strconv.Itoa(session) || device != 0 && string(fields[4]) == strconv.FormatUint(device, 10) {
		return true
	}
	environ, err := os.ReadFile(filepath.Join(dir, "environ"))
	return err == nil && carries(environ, marker)
}

func carries(environ []byte, marker string) bool {
	entry := []byte(MarkerName + "=" + marker)
	for variable := range bytes.SplitSeq(environ, []byte{0}) {
		if bytes.Equal(variable, entry) {
			return true
		}
	}
	return false
}
