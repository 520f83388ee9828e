package proc

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxHeld bounds how many descriptors are looked at: a terminal that was inherited
// is among the first.
const maxHeld = 256

// HoldsDeadTerminal says whether a process has a terminal open that was called name
// and that nobody is at the other end of any more. While it is open, the number in
// the name is given to no other terminal.
func HoldsDeadTerminal(pid int, name string) bool {
	if !strings.HasPrefix(name, "/dev/pts/") {
		return false
	}
	fds, err := numbersIn(procPath(pid, "fd"))
	if err != nil {
		return false
	}
	var buf [128]byte
	for _, fd := range fds[:min(len(fds), maxHeld)] {
		n, err := unix.Readlink(procPath(pid, "fd/"+strconv.Itoa(fd)), buf[:])
		// The name goes with the other end.
		if err == nil && string(buf[:n]) == name+" (deleted)" {
			return true
		}
	}
	return false
}
