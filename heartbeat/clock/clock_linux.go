package clock

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// awake is the time since boot without sleep.
func awake() time.Duration { return read(unix.CLOCK_MONOTONIC) }

// sinceBoot is the time since boot with sleep.
func sinceBoot() time.Duration { return read(unix.CLOCK_BOOTTIME) }

// read cannot fail: both clocks exist in every kernel Go runs on.
func read(id int32) time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(id, &ts)
	return time.Duration(ts.Nano())
}

// BootID names this boot of the machine. It does not change when the machine
// sleeps or a clock is set, and containers share it with their host.
func BootID() (string, error) {
	const path = "/proc/sys/kernel/random/boot_id"
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// MachineID names this machine, or is empty when it has no name (many
// containers). The system's own id is confidential, so what is returned is a
// hash of it that is of no use to anybody else.
func MachineID() (string, error) {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read machine id: %w", err)
		}
		// "uninitialized" is what systemd leaves in images before first boot.
		if id := strings.TrimSpace(string(b)); id != "" && id != "uninitialized" {
			return hashID(id), nil
		}
	}
	return "", nil
}

// hashID keeps 128 bits, as many as the original has.
func hashID(id string) string {
	sum := sha256.Sum256([]byte("ocr-run machine " + id))
	return hex.EncodeToString(sum[:16])
}
