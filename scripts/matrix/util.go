package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

func sscan(text, format string, into ...any) (int, error) {
	return fmt.Sscanf(strings.Join(strings.Fields(text), " "), format, into...)
}

func hasProc() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// wrapperMemory is the resident memory, in KB, of the wrapper and its helpers: what descends from the wrapper and runs its binary.
// It is 0 where there is no /proc, and for a bare command.
func (s *session) wrapperMemory() int {
	if s.l.w.bare() {
		return 0
	}
	root := s.wrapper()
	total := 0
	for _, p := range append(descendants(root), stat{pid: root}) {
		if exe, err := os.Readlink("/proc/" + itoa(p.pid) + "/exe"); err == nil && exe != s.l.self {
			total += residentKB(p.pid)
		}
	}
	return total
}

func residentKB(pid int) int {
	f, err := os.Open("/proc/" + itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kb int
		if n, _ := sscan(lines.Text(), "VmRSS: %d", &kb); n == 1 {
			return kb
		}
	}
	return 0
}
