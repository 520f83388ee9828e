package activity

import (
	"strconv"
	"strings"
	"time"
)

// parsePS reads lines of a pid, kilobytes of memory and processor time as ps writes
// them, and leaves out what it does not understand.
func parsePS(out string) map[int]usage {
	all := map[int]usage{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		pid, err1 := strconv.Atoi(f[0])
		kilobytes, err2 := strconv.ParseInt(f[1], 10, 64)
		cpu, ok := parseTime(f[2])
		if err1 == nil && err2 == nil && ok && pid > 0 {
			all[pid] = usage{cpu: cpu, resident: kilobytes << 10}
		}
	}
	return all
}

// parseTime reads [[days-]hours:]minutes:seconds[.hundredths].
func parseTime(s string) (time.Duration, bool) {
	days, rest, has := strings.Cut(s, "-")
	if !has {
		days, rest = "0", s
	}
	total, err := strconv.ParseFloat(days, 64)
	parts := strings.Split(rest, ":")
	if err != nil || len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	if len(parts) == 2 {
		parts = append([]string{"0"}, parts...)
	}
	for i, p := range parts {
		n, err := strconv.ParseFloat(p, 64)
		if err != nil || n < 0 {
			return 0, false
		}
		total = total*[...]float64{24, 60, 60}[i] + n
	}
	return time.Duration(total * float64(time.Second)).Round(10 * time.Millisecond), true
}
