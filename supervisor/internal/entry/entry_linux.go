package entry

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Written by entry before there is a runtime, and by nobody after it but Inherit.
//
//nolint:gochecknoglobals,unused // see above
var (
	noted  uint64    // the set of ignored signals, with bit n-1 for signal n
	answer [4]uint64 // room for one answer of the kernel
	slack  uint64    // in ns, what it was; 0 when it was left alone
)

// ourSlack is the slack we run with, in ns; entry knows it too. With twice as much a start
// takes longer again: what waits for that thread of the runtime does so too long.
const ourSlack = 200_000

// entry is where the program begins. Nothing calls it.
//
//nolint:unused // see above
func entry()

// ignoredAtStart is the set of signals that were ignored then.
func ignoredAtStart() uint64 { return noted }

// Found is the slack to restore for others, in ns; 0 for none.
func Found() int { return int(slack) } //nolint:gosec // it is below ours

// Inherit tells what another process has found, which has started this one with its own
// and not with that. It comes before the first AsFound.
func Inherit(found int) {
	if slack == 0 {
		slack = uint64(max(found, 0)) //nolint:gosec // it is positive
	}
}

// AsFound runs start, which starts another program, or becomes it, with the timer slack
// that this process was started with: it is the thread's, and is inherited. A caller who is
// bound to his thread says so: to bind him again would cost a thread of the runtime's.
func AsFound(bound bool, start func() error) error {
	if slack == 0 {
		return start()
	}
	if !bound {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0)
	defer unix.Prctl(unix.PR_SET_TIMERSLACK, ourSlack, 0, 0, 0) //nolint:errcheck // it is allowed
	return start()
}
