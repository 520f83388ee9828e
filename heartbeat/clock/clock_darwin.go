package clock

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// awake is the time since boot without sleep.
func awake() time.Duration { return read(unix.CLOCK_UPTIME_RAW) }

// sinceBoot is the time since boot with sleep.
func sinceBoot() time.Duration { return read(unix.CLOCK_MONOTONIC_RAW) }

// read cannot fail: both clocks exist in every macOS Go runs on.
func read(id int32) time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(id, &ts)
	return time.Duration(ts.Nano())
}

// BootID names this boot of the machine. It does not change when the machine
// sleeps or a clock is set, unlike the boot time.
func BootID() (string, error) {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return "", fmt.Errorf("read kern.bootsessionuuid: %w", err)
	}
	return strings.ToLower(strings.TrimSpace(id)), nil
}

// MachineID is always empty here: macOS tells its hardware id only through
// IOKit, and the kernel's own uuid is that of the build.
func MachineID() (string, error) { return "", nil }
