package signals

import (
	"encoding/binary"
	"math"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// routes is where the caught signals of this process go, nil where there is no pipe to be
// had: what becomes of a signal is a matter of the whole process.
//
//nolint:gochecknoglobals // see above
var routes = sync.OnceValue(newRouter)

// router passes on what the handler has written to the pipe.
type router struct {
	pipe *os.File
	ours action // with our handler

	mu   sync.Mutex
	to   [signalsEnd][]chan<- os.Signal // by number
	from [signalsEnd]int                // by number, who sent the last one
}

// signalsEnd is beyond the last signal. Source: signal(7).
const signalsEnd = 65

// newRouter makes the pipe and begins to read it.
func newRouter() *router {
	// The runtime catches this one in every process: what else it asks of the kernel is
	// what a handler on its threads needs, a stack of its own above all.
	theirs, err := swapAction(unix.SIGURG, nil)
	if err != nil {
		return nil
	}
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return nil
	}
	r := &router{pipe: os.NewFile(uintptr(fds[0]), "signals"), ours: theirs}
	if r.pipe.SetReadDeadline(time.Time{}) != nil {
		_ = r.pipe.Close()
		_ = unix.Close(fds[1])
		return nil // reading would not wait for anything
	}
	self, link, beyond = int32(unix.Getpid()), int32(fds[1]), theirs.handler
	r.ours.handler = handler()
	go r.serve()
	return r
}

// serve sends on what comes: of each signal its number and the pid of who sent it, 0 for
// the kernel, in 32 bits each.
func (r *router) serve() {
	const each = 8 // bytes, in one write
	var came [64 * each]byte
	for {
		n, err := r.pipe.Read(came[:])
		if err != nil {
			return
		}
		for one := range slices.Chunk(came[:n], each) {
			r.send(syscall.Signal(binary.NativeEndian.Uint32(one)), int(binary.NativeEndian.Uint32(one[4:])))
		}
	}
}

// send tells all who have asked for a signal and have room for it.
func (r *router) send(sig syscall.Signal, pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from[sig] = pid
	for _, c := range r.to[sig] {
		select {
		case c <- sig:
		default:
		}
	}
}

// sender is who sent the last signal of a kind.
func sender(s os.Signal) int {
	r, sig := routes(), number(s)
	if r == nil || sig <= 0 || sig >= signalsEnd {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from[sig]
}

// isIgnored says whether a signal is, by the kernel: to the runtime a signal of ours may
// look so, see take.
func isIgnored(s os.Signal) bool {
	now, err := swapAction(number(s), nil)
	return err == nil && now.handler == ignore
}

// notify sends the signals to c.
func notify(c chan<- os.Signal, sigs []os.Signal) {
	r, blocked := routes(), blockedSignals()
	for _, s := range sigs {
		if r == nil || !r.take(c, number(s), blocked) {
			signal.Notify(c, s)
		}
	}
}

// take sends one to c. It is false when that is not for us to do.
func (r *router) take(c chan<- os.Signal, sig syscall.Signal, blocked uint64) bool {
	if sig <= 0 || sig >= signalsEnd || blocked&(1<<(sig-1)) != 0 {
		return false
	}
	if sig == unix.SIGPIPE {
		// The runtime would end us for it, whoever handles it, when a write to the
		// standard output or error fails. No child is to be born while it is ignored.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		signal.Ignore(sig)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := swapAction(sig, &r.ours); err != nil {
		return false
	}
	if !slices.Contains(r.to[sig], c) {
		r.to[sig] = append(r.to[sig], c)
	}
	return true
}

// number is the number of a signal.
func number(s os.Signal) syscall.Signal {
	sig, _ := s.(syscall.Signal) // there is no other kind here
	return sig
}

// blockedSignals are those that this thread, and so all of them, do not take, with bit n-1
// for signal n: whoever started the process has blocked them. All, where nobody knows.
func blockedSignals() (set uint64) {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, 0,
		uintptr(unsafe.Pointer(&set)), unsafe.Sizeof(set), 0, 0) //nolint:gosec // for the kernel to write
	if errno != 0 {
		return math.MaxUint64
	}
	return set
}
