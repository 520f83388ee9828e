package ocrdb

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// DefaultThreshold is how long a row may stay without a heartbeat before the
// product calls it stalled, when its configuration says nothing else.
const DefaultThreshold = 60 * time.Second

// longestInterval is the longest time between two heartbeats we ever write.
const longestInterval = 20 * time.Second

// Threshold is the project's own value for how old a heartbeat may grow, from
// .ocr/config.yaml. It always returns a usable value; the error only says why
// the default had to serve, and is nil when the file or the key is absent.
func (h Host) Threshold() (time.Duration, error) {
	path := filepath.Join(h.Root, productDir, "config.yaml")
	text, err := os.ReadFile(path)
	switch {
	case absent(err):
		return DefaultThreshold, nil
	case err != nil:
		return DefaultThreshold, fmt.Errorf("read heartbeat threshold: %w", err)
	}
	value := thresholdIn(string(text))
	if value == "" {
		return DefaultThreshold, nil
	}
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds <= 0 || seconds > 1<<30 {
		return DefaultThreshold, fmt.Errorf("read heartbeat threshold in %s: agent_heartbeat_seconds %q is no positive integer, using %s", path, value, DefaultThreshold)
	}
	return time.Duration(seconds) * time.Second, nil
}

// Interval is how old a heartbeat of ours may get under a threshold: well
// inside it, so that one late write harms nothing.
func Interval(threshold time.Duration) time.Duration {
	return min(max(threshold/3, time.Second), longestInterval)
}

// thresholdIn finds the value as it is written. The product reads this one key
// by pattern too, in block and in inline form, and so nothing more is understood
// here than there.
func thresholdIn(yaml string) string {
	for _, pattern := range [...]string{
		`(?m)^runtime:[ \t]*(?:#[^\n]*)?\r?\n(?:(?:[ \t]+[^\n]*|[ \t]*)\n)*?[ \t]+agent_heartbeat_seconds:[ \t]*["']?([^\s#"']+)`,
		`(?m)^runtime:[ \t]*\{[^}]*\bagent_heartbeat_seconds:[ \t]*["']?([^\s,}"']+)`,
	} {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(yaml); m != nil {
			return m[1]
		}
	}
	return ""
}
