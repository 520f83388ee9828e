package supervisor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
)

// fionread asks how many bytes a pipe holds.
const fionread = unix.TIOCINQ

// systemSignals lists the signals only this system has, the real-time ones among them.
func systemSignals() []os.Signal {
	all := []os.Signal{unix.SIGPWR, unix.SIGSTKFLT}
	for s := syscall.Signal(firstRealtime); s <= lastRealtime; s++ {
		all = append(all, s)
	}
	return all
}

// The real-time signals that programs may use: the C library keeps the first ones
// to itself. Source: signal(7).
const firstRealtime, lastRealtime = 35, 64

// lasting is a descriptor of the user's terminal that means the same in another session.
func lasting(t *terminal.TTY, _ [3]*os.File) int { return t.FD() }
