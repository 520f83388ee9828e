package signals

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// KeepIgnored has the signals ignored again that were when the process was started, for it
// and for those it starts, by a set with bit n-1 for signal n. Left out are those by which
// we are stopped and told of things (TERM, CHLD and job control), and those that the
// runtime leaves as they were (HUP, INT).
func KeepIgnored(set uint64) {
	for _, s := range kept(set) {
		signal.Ignore(s)
	}
}

// kept are the signals to ignore again.
func kept(set uint64) (all []os.Signal) {
	for _, s := range []syscall.Signal{unix.SIGPIPE, unix.SIGXFSZ, unix.SIGQUIT, unix.SIGALRM, unix.SIGUSR1, unix.SIGUSR2} {
		if set&(1<<(s-1)) != 0 {
			all = append(all, s)
		}
	}
	return all
}
