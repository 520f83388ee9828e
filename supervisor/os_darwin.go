package supervisor

import (
	"os"

	"golang.org/x/sys/unix"
)

// fionread asks how many bytes a pipe holds. Source: sys/filio.h.
const fionread = 0x4004667f

// systemSignals lists the signals only this system has.
func systemSignals() []os.Signal { return []os.Signal{unix.SIGEMT, unix.SIGINFO} }

// realtimeSignals are none: this system has no real-time signals.
func realtimeSignals() []os.Signal { return nil }
