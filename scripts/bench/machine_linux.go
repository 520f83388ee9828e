package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cpuName is the model the kernel prints.
func cpuName() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range bytes.Lines(info) {
		if key, value, found := strings.Cut(string(line), ":"); found && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}

// filesystemName names the file system dir is on.
func filesystemName(dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "an unknown file system"
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	default:
		return fmt.Sprintf("file system %#x", fs.Type)
	}
}

// loadAverage is the last minute's.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// cpuTimes reads the first line of /proc/stat; waiting for a disk is idle too.
func cpuTimes() (ticks, bool) {
	text, err := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	if err != nil || len(fields) < 9 {
		return ticks{}, false
	}
	var t ticks
	for i, word := range fields[1:9] { // guest time is inside user time
		v, _ := strconv.ParseFloat(word, 64)
		t.total += v
		if i == 3 || i == 4 {
			t.idle += v
		}
	}
	return t, true
}

// availableMB is the memory that can be had without swapping.
func availableMB() float64 {
	text, _ := os.ReadFile("/proc/meminfo")
	return field(text, "MemAvailable") / 1024
}

// memoryFile is a file that no disk slows down and no mount's size limits.
func memoryFile(string) (*os.File, error) {
	fd, err := unix.MemfdCreate("ocr-run-bench", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "memory"), nil
}
