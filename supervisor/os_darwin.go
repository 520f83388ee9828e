package supervisor

import (
	"os"

	"golang.org/x/sys/unix"
)

// dup2 makes newfd a copy of oldfd.
func dup2(oldfd, newfd int) error { return unix.Dup2(oldfd, newfd) }

// systemSignals lists the signals only this system has.
func systemSignals() []os.Signal { return []os.Signal{unix.SIGEMT, unix.SIGINFO} }

// realtimeSignals are none: this system has no real-time signals.
func realtimeSignals() []os.Signal { return nil }

// nameSelf does nothing: the name is that of the executable.
func nameSelf(string) {}
