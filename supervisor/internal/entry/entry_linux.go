package entry

import (
	"runtime"
	"syscall"
)

// Written by entry before there is a runtime, and by nobody after it but Inherit.
//
//nolint:gochecknoglobals,unused // see above
var (
	ignored uint64    // the set of ignored signals, with bit n-1 for signal n
	answer  [4]uint64 // room for one answer of the kernel
	slack   uint64    // in ns, what it was; 0 when it was left alone
	closed  [3]bool   // which of 0, 1 and 2 were
)

// ourSlack is the slack the runtime is begun with, in ns; entry knows it too. A start takes
// as long with twice as much, and longer again beyond: some of what it waits for then waits
// for that thread.
const ourSlack = 200_000

// entry is where the program begins. Nothing calls it.
//
//nolint:unused // see above
func entry()

// This is among the first packages to be set up: the thread that looks after the others is
// there by then, and hardly any other that is begun by this one.
var _ = func() bool { restore(); keepClosed(); return true }()

// restore gives this thread the slack that was found.
func restore() {
	if slack != 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, uintptr(slack), 0)
	}
}

// keepClosed has whoever this process becomes find closed what was. Who is started gets what
// the starter says, see Given.
func keepClosed() {
	for fd, was := range closed {
		if was {
			syscall.CloseOnExec(fd)
		}
	}
}

// setTimerSlack is PR_SET_TIMERSLACK. Source: the kernel's linux/prctl.h; the package that
// has it is set up too late.
const setTimerSlack = 29

// Ignored is the set of signals that were ignored, with bit n-1 for signal n.
func Ignored() uint64 { return ignored }

// Found is the slack to restore for others, in ns; 0 for none.
func Found() int { return int(slack) }

// Inherit tells what another process has found, which has started this one on whichever
// thread. It comes before the first AsFound.
func Inherit(found int) {
	if slack == 0 {
		slack = uint64(max(found, 0))
	}
}

// Given is what to start a program with as descriptor fd of ours, as in syscall.ProcAttr:
// nothing where it was closed, and is /dev/null for us alone.
func Given(fd uintptr) uintptr {
	if fd < uintptr(len(closed)) && closed[fd] {
		return ^uintptr(0)
	}
	return fd
}

// AsFound runs start, which starts another program, or becomes it, with the timer slack
// that this process was started with: it is the thread's, and is inherited. A caller who is
// bound to his thread says so: to bind him again would cost a thread of the runtime's.
func AsFound(bound bool, start func() error) error {
	if slack != 0 && !bound {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	restore()
	return start()
}
