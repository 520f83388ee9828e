package supervisor

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
)

// fionread asks how many bytes a pipe holds. Source: sys/filio.h.
const fionread = 0x4004667f

// systemSignals lists the signals only this system has.
func systemSignals() []os.Signal { return []os.Signal{unix.SIGEMT, unix.SIGINFO} }

// lasting is a descriptor of the user's terminal that means the same in another session.
// What was opened as /dev/tty is, for each process that uses it, the terminal of its own
// session; a standard descriptor is the device itself.
// Source: the kernel's bsd/kern/tty_tty.c, which asks for the terminal of the caller.
func lasting(t *terminal.TTY, standard [3]*os.File) int {
	for _, f := range standard {
		if fd := int(f.Fd()); terminal.IsControlling(fd) {
			return fd
		}
	}
	return t.FD()
}
