package monitor

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// windowSize is how many bytes of the program come back when one of them is used. Left to
// itself the kernel maps a whole piece of the page cache then, whose size depends on how the
// file came to be there: from 4 KB to 2 MB, and the memory of an idle wrapper with it
// (measured: 11 to 20 MB).
// Source: the kernel's mm/filemap.c and mm/memory.c, Linux 6.18.
const windowSize = 32 << 10

// UnloadProgram lets go of the pages of the program file in memory: most were of
// use for the start only, and the rest come back, without reading the disk, as
// they are used again.
func UnloadProgram() {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	window := uintptr(max(windowSize, os.Getpagesize()))
	for _, m := range unchanged(maps) {
		// No piece is mapped beyond what one mapping is, and neighbours that differ in
		// anything are two.
		for at := m.from &^ (2*window - 1); at < m.to; at += 2 * window {
			if w := (mapping{max(at, m.from), min(at+window, m.to)}); w.from < w.to {
				advise(w, unix.MADV_RANDOM)
			}
		}
		advise(m, unix.MADV_DONTNEED)
	}
}

// advise tells the kernel what becomes of a range. It may not heed it.
func advise(m mapping, advice uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, advice)
}

// mapping is a range of addresses.
type mapping struct{ from, to uintptr }

// unchanged picks out of a memory map what is the same in the file: read-only
// now, and without a page that was written to before it became so, as a loader
// does. Source: proc_pid_smaps(5).
func unchanged(smaps []byte) (all []mapping) {
	var m mapping
	readOnly := false
	for line := range bytes.Lines(smaps) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case line[0] < 'A' || line[0] > 'Z': // an address
			m, readOnly = readOnlyFile(string(line))
		case readOnly && string(name) == "Anonymous" && string(bytes.TrimSpace(value)) == "0 kB":
			all = append(all, m)
		}
	}
	return all
}

// readOnlyFile reads the first line about a range of addresses and says whether it
// is a file's, private and not to be written to.
func readOnlyFile(line string) (m mapping, is bool) {
	var mode, offset, device string
	var inode uint64
	n, _ := fmt.Sscanf(line, "%x-%x %s %s %s %d", &m.from, &m.to, &mode, &offset, &device, &inode)
	return m, n == 6 && inode != 0 && len(mode) == 4 && mode[1] == '-' && mode[3] == 'p'
}
