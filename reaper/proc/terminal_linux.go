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
// and that nobody is at the other end of any more. The kernel marks the name as
// deleted with the other end, and gives the number in it away again once everybody has
// closed the terminal: as long as somebody holds it, nobody else gets it from the same
// mount. Another mount of terminals, as of a container, has the same numbers, so that
// this is one proof and not identity.
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
