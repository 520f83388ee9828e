package signals

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// systemSignals are those only this system has.
func systemSignals() []os.Signal { return []os.Signal{unix.SIGEMT, unix.SIGINFO} }

// number is the number of a signal.
func number(s os.Signal) syscall.Signal {
	sig, _ := s.(syscall.Signal) // there is no other kind here
	return sig
}
