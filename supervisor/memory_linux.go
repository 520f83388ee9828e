package supervisor

import (
	"bytes"
	"os"
	"strconv"
)

// memoryKills is how many processes the kernel has killed for want of memory since
// it was started, whatever their limits; -1 when it does not say. Source:
// the field oom_kill of proc_vmstat(5), Linux 4.13.
func memoryKills() int64 {
	vmstat, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return -1
	}
	return killsIn(vmstat)
}

// killsIn picks that count out of the file.
func killsIn(vmstat []byte) int64 {
	_, after, found := bytes.Cut(vmstat, []byte("\noom_kill "))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	kills, err := strconv.ParseInt(string(line), 10, 64)
	if !found || err != nil {
		return -1
	}
	return kills
}
