package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// cpuName is the model the kernel prints.
func cpuName() string {
	name, err := unix.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return "unknown CPU"
	}
	return name
}

// filesystemName names the file system dir is on.
func filesystemName(dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return "an unknown file system"
	}
	return unix.ByteSliceToString(fs.Fstypename[:])
}

// loadAverage is the last minute's: three fixed-point numbers and their scale.
func loadAverage() string {
	raw, err := unix.SysctlRaw("vm.loadavg")
	if err != nil || len(raw) < 24 {
		return "unknown"
	}
	load, scale := raw[0:4], raw[16:20]
	return fmt.Sprintf("%.2f", float64(littleEndian(load))/float64(max(littleEndian(scale), 1)))
}

func littleEndian(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// cpuTimes is not to be had without cgo: nothing waits for an idle machine.
func cpuTimes() (ticks, bool) { return ticks{}, false }

// availableMB is what is installed: no figure for what is free without cgo.
func availableMB() float64 {
	bytes, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return float64(bytes) / (1 << 20)
}

// memoryFile is an unlinked file in dir: the nearest thing there is.
func memoryFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "flood-")
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}
