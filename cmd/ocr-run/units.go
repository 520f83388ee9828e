package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads a length of time that is not negative: what
// time.ParseDuration reads, and whole or broken days as in 2d.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err == nil && n >= 0 && n <= 36500 {
			return time.Duration(n * 24 * float64(time.Hour)), nil
		}
		return 0, fmt.Errorf("%q is no duration", s)
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration: want a number with a unit, as in 90s, 5m, 2h or 3d", s)
	}
	return d, nil
}

// parseSize reads a positive number of bytes: plain, or with K, M or G
// (powers of 1024, with or without iB) or KB, MB, GB (powers of 1000), in any case.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "KMGIBkmgib")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit, ok := sizeUnit(strings.ToLower(s[len(digits):]))
	if err != nil || !ok || n <= 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is no size: want a positive number of bytes, as in 500000, 64K or 10MiB", s)
	}
	return n * unit, nil
}

// sizeUnit is how many bytes a unit stands for, by its name in small letters.
func sizeUnit(unit string) (int64, bool) {
	switch unit {
	case "", "b":
		return 1, true
	case "k", "kib":
		return 1 << 10, true
	case "m", "mib":
		return 1 << 20, true
	case "g", "gib":
		return 1 << 30, true
	case "kb":
		return 1e3, true
	case "mb":
		return 1e6, true
	case "gb":
		return 1e9, true
	default:
		return 0, false
	}
}
