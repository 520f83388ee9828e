package supervisor

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// stopBy stops who is named as for kill(2) by sig, and calls until in the meantime: the
// kernel takes some time to stop us. The runtime does not let go of the signal of a key,
// which we catch: the others of our group get that one, and we the one nobody catches.
func stopBy(sig syscall.Signal, who int, until func()) {
	if sig == unix.SIGTSTP {
		if who != unix.Getpid() {
			signal.Ignore(sig)
			_ = unix.Kill(who, sig)
		}
		who, sig = unix.Getpid(), unix.SIGSTOP
	}
	_ = unix.Kill(who, sig)
	until()
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
