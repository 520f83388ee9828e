package supervisor

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// byDefault runs f while the default action is in force for sig, as far as the
// runtime can be made to forget that it once caught it.
func byDefault(sig syscall.Signal, f func()) {
	signal.Reset(sig)
	f()
}

// DieOf ends this process by sig, as the run ended, without a core of our own; and
// together with its process group, if the signal was for all of it. The runtime does
// not let go of every signal, so it becomes a shell that does. It returns when that
// did not work.
func DieOf(sig syscall.Signal, group bool) {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	target := "$$"
	if group {
		target = "0"
	}
	_ = unix.Exec("/bin/sh", []string{"sh", "-c", "kill -" + strconv.Itoa(int(sig)) + " " + target}, os.Environ())
}
