package signals

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// systemSignals are those only this system has, but for the first two real-time ones,
// which the C library keeps to itself.
func systemSignals() []os.Signal {
	all := []os.Signal{unix.SIGPWR, unix.SIGSTKFLT}
	for s := syscall.Signal(35); s < signalsEnd; s++ {
		all = append(all, s)
	}
	return all
}
