package supervisor

import (
	"bufio"
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unloadProgram lets go of the pages of the program file in memory: most were of
// use for the start only, and the rest come back, without reading the disk, as
// they are used again.
func unloadProgram() {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	for _, m := range unchanged(maps) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
	}
}

// mapping is a range of addresses.
type mapping struct{ from, to uintptr }

// unchanged picks out of a memory map what is the same in the file: read-only
// now, and without a page that was written to before it became so, as a loader
// does. Source: proc_pid_smaps(5).
func unchanged(smaps []byte) (all []mapping) {
	var m mapping
	readOnly := false
	for lines := bufio.NewScanner(bytes.NewReader(smaps)); lines.Scan(); {
		var next mapping
		var mode, offset, device string
		var inode, anonymous uint64
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %d", &next.from, &next.to, &mode, &offset, &device, &inode); n == 6 {
			m, readOnly = next, inode != 0 && len(mode) == 4 && mode[1] == '-' && mode[3] == 'p'
		} else if n, _ := fmt.Sscanf(lines.Text(), "Anonymous: %d kB", &anonymous); n == 1 && readOnly && anonymous == 0 {
			all = append(all, m)
		}
	}
	return all
}
