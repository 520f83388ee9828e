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
// (powers of 1024, with or without iB) or KB, MB, GB (powers of 1000).
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "KMGiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit, ok := sizeUnit(s[len(digits):])
	if err != nil || !ok || n <= 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is no size: want a positive number of bytes, as in 500000, 64K or 10MiB", s)
	}
	return n * unit, nil
}

// sizeUnit is how many bytes a unit stands for.
func sizeUnit(unit string) (int64, bool) {
	switch unit {
	case "", "B":
		return 1, true
	case "K", "KiB":
		return 1 << 10, true
	case "M", "MiB":
		return 1 << 20, true
	case "G", "GiB":
		return 1 << 30, true
	case "KB":
		return 1e3, true
	case "MB":
		return 1e6, true
	case "GB":
		return 1e9, true
	default:
		return 0, false
	}
}
