package terminal

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Sizes of the loop, in bytes and rounds.
const (
	// chunkSize holds several of the kernel's reads of at most 4,095 bytes each;
	// larger buffers were measured to buy nothing.
	chunkSize = 32 << 10
	// inputMost bounds what is read ahead of a run that does not take it.
	inputMost = 64 << 10
	// burst is how many chunks pass before the other descriptors are looked at
	// again: 16 of 4 KB are half a millisecond, which keeps ^C prompt.
	burst = 16
)

// fullRead is a read after which there is probably more.
const fullRead = 2048

// Places of the descriptors in the poll set.
const (
	atWake = iota
	atUser
	atMaster
	atDivert
)

// loop is the state of a relay's goroutine, and touched by nothing else.
type loop struct {
	r        *Relay
	fds      [4]unix.PollFd
	buf      []byte
	toUser   []byte // read from the master, not yet taken by the user or whoever reads instead
	toRun    []byte // read from the user, not yet taken by the run
	lines    lineEnds
	input    bool
	begun    bool // RelayConfig.First was called
	flowing  bool // output has just passed
	single   bool // there is one processor, which others want as well
	parked   bool
	draining bool
	parking  chan struct{} // closed when parked; nil when nobody asks for it
	budget   int           // bytes left to read while draining
	patience int           // rounds left until parked in any case
	gone     bool          // the user's terminal
	unread   bool          // nobody reads what is diverted
	ended    bool          // the inner terminal
	over     bool
}

// newLoop prepares the loop of r.
func newLoop(r *Relay) *loop {
	return &loop{r: r, begun: r.cfg.First == nil, gone: r.cfg.User < 0, buf: make([]byte, chunkSize), single: runtime.GOMAXPROCS(0) == 1}
}

// begin makes the first call there is to make.
func (l *loop) begin() {
	if !l.begun {
		l.begun = true
		l.uncook(l.r.cfg.First())
	}
}

// run moves bytes until the relay is over.
func (l *loop) run() {
	defer close(l.r.done)
	defer func() {
		if !l.r.left.Load() {
			l.write(l.lines.set(false))
		}
	}()
	for !l.over {
		l.prepare()
		n, err := l.wait()
		if err != nil {
			return
		}
		if n == 0 {
			l.silence()
			continue
		}
		l.commands()
		if l.parked || l.over {
			continue
		}
		l.fromUser()
		l.fromMaster()
		l.settle()
	}
}

// wait waits until there is something to do, first briefly if something has just
// passed: then more is on its way.
func (l *loop) wait() (n int, err error) {
	more := l.flowing && !l.single
	l.flowing = false
	if more {
		n = pollBriefly(l.fds[:])
	}
	if n == 0 {
		n, err = pollWait(l.fds[:], l.timeout())
	}
	return n, err
}

// prepare says what the next wait is for. A descriptor of -1 is left out.
func (l *loop) prepare() {
	l.fds[atWake] = unix.PollFd{Fd: int32(l.r.wakeR), Events: wantRead}
	l.fds[atUser] = unix.PollFd{Fd: -1}
	l.fds[atMaster] = unix.PollFd{Fd: -1}
	l.fds[atDivert] = unix.PollFd{Fd: -1}
	if l.parked {
		return
	}
	if l.diverts() && len(l.toUser) > 0 {
		l.fds[atDivert] = unix.PollFd{Fd: int32(l.r.cfg.Divert), Events: wantWrite}
	}
	if !l.gone {
		l.fds[atUser] = unix.PollFd{Fd: int32(l.r.cfg.User), Events: l.userEvents()}
	}
	// Left out while nothing is wanted of it: a hang-up is reported unasked, again
	// and again, and the loop would spin until the user takes the output.
	if ev := l.masterEvents(); !l.ended && ev != 0 {
		l.fds[atMaster] = unix.PollFd{Fd: int32(l.r.cfg.Master), Events: ev}
	}
}

// userEvents asks for input only while there is room for it, and for room only
// while there is output: that is the whole back-pressure.
func (l *loop) userEvents() int16 {
	ev := int16(0)
	if l.input && len(l.toRun) < inputMost {
		ev |= wantRead
	}
	if len(l.toUser) > 0 && !l.diverts() {
		ev |= wantWrite
	}
	return ev
}

// diverts says whether output goes elsewhere than to the user's terminal.
func (l *loop) diverts() bool { return l.r.cfg.Divert != 0 }

// masterEvents is userEvents seen from the other side.
func (l *loop) masterEvents() int16 {
	ev := int16(0)
	if len(l.toUser) == 0 {
		ev |= wantRead
	}
	if len(l.toRun) > 0 {
		ev |= wantWrite
	}
	return ev
}

// timeout bounds the wait while the relay drains: for the quiet that ends the
// output, or for a user's terminal that takes none.
func (l *loop) timeout() int {
	switch {
	case l.parking != nil:
		return parkQuietMS
	case !l.draining || l.parked || l.diverts() && len(l.toUser) > 0:
		return -1
	case len(l.toUser) > 0:
		return stallMS
	default:
		return quietMS
	}
}

// silence ends a draining relay, and parks one that is to be: either the output
// is over or nobody takes it.
func (l *loop) silence() {
	if l.parking != nil {
		l.park()
	} else if l.draining {
		l.r.stalled.Store(len(l.toUser) > 0)
		l.over = true
	}
}

// park stops the loop until it is unparked.
func (l *loop) park() {
	l.parked = true
	close(l.parking)
	l.parking = nil
}

// commands runs what other goroutines have asked for.
func (l *loop) commands() {
	if l.fds[atWake].Revents == 0 {
		return
	}
	_, _ = unix.Read(l.r.wakeR, l.buf[:64])
	for {
		select {
		case f := <-l.r.cmds:
			f(l)
		default:
			return
		}
	}
}

// fromUser takes what the user typed and gives the run what it will take.
func (l *loop) fromUser() {
	got := l.fds[atUser].Revents
	if !l.gone && l.input && got&readable != 0 && len(l.toRun) < inputMost {
		l.readUser()
	} else if !l.gone && got&(unix.POLLHUP|unix.POLLERR) != 0 && got&unix.POLLIN == 0 {
		l.lose()
	}
	l.writeMaster()
}

// readUser reads one chunk of input. An end of file here is a terminal that was
// closed: a typed ^D arrives as a byte.
func (l *loop) readUser() {
	room := min(len(l.buf), inputMost-len(l.toRun))
	n, err := readNow(l.r.cfg.User, l.buf[:room])
	switch {
	case n > 0:
		if l.r.cfg.Typed != nil {
			l.r.cfg.Typed(l.buf[:n])
		}
		l.toRun = append(l.toRun, l.buf[:n]...)
		l.r.input.Add(int64(n))
	case err == unix.EAGAIN || err == unix.EINTR:
	default:
		l.lose()
	}
}

// writeMaster gives the run what it takes of the input.
func (l *loop) writeMaster() {
	if len(l.toRun) == 0 || l.ended {
		return
	}
	n, err := writeNow(l.r.cfg.Master, l.toRun)
	if n > 0 {
		l.toRun = append(l.toRun[:0], l.toRun[n:]...)
	}
	if err != nil && err != unix.EAGAIN && err != unix.EINTR {
		l.toRun = l.toRun[:0]
	}
}

// fromMaster moves output, first what was left over, then up to a burst of what
// has come since.
func (l *loop) fromMaster() {
	if len(l.toUser) > 0 && (l.fds[atUser].Revents|l.fds[atDivert].Revents)&writable != 0 {
		l.flush()
	}
	if l.fds[atMaster].Revents&readable == 0 {
		return
	}
	for range burst {
		// Whoever has something to say is not kept waiting where each chunk takes long.
		if len(l.toUser) > 0 || len(l.r.cmds) > 0 || !l.readMaster() {
			return
		}
	}
}

// readMaster moves one chunk of output and says whether there may be more. An
// error is the end: Linux answers EIO once the last holder of the slave is gone
// and everything it wrote has been read.
func (l *loop) readMaster() bool {
	n, err := readNow(l.r.cfg.Master, l.buf)
	switch {
	case n > 0:
		l.flowing = true
		l.r.output.Add(int64(n))
		l.budget -= max(n, readCost)
		if !l.draining {
			l.begin()
		}
		if l.r.cfg.Tap != nil {
			l.r.cfg.Tap(l.buf[:n])
		}
		if l.r.left.Load() {
			l.over = true
			return false
		}
		if l.diverts() {
			l.divert(l.buf[:n])
		} else {
			l.write(l.lines.pass(l.buf[:n]))
		}
		// The kernel hands out at most 4,095 bytes at a time; less than that
		// means that there was no more.
		return n >= fullRead
	case err == unix.EAGAIN:
		return false
	case err == unix.EINTR:
		return true
	default:
		l.ended = true
		return false
	}
}

// write gives b to the user and keeps what was not taken.
func (l *loop) write(b []byte) {
	for len(b) > 0 && !l.gone {
		n, err := writeNow(l.r.cfg.User, b)
		b = b[max(n, 0):]
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			l.toUser = append(l.toUser, b...)
			return
		default:
			l.lose()
		}
	}
}

// divert gives b to whoever reads instead of the user, and keeps what was not taken.
func (l *loop) divert(b []byte) {
	for len(b) > 0 && !l.unread {
		n, err := writeNow(l.r.cfg.Divert, b)
		b = b[max(n, 0):]
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			l.toUser = append(l.toUser, b...)
			return
		default:
			l.unread = true
			if l.r.cfg.Unread != nil {
				l.r.cfg.Unread()
			}
		}
	}
}

// uncook switches the treatment of line ends, handing over what it held back.
func (l *loop) uncook(on bool) {
	l.toUser = append(l.toUser, l.lines.set(on)...)
}

// flush tries again what the user's terminal did not take.
func (l *loop) flush() {
	b := l.toUser
	l.toUser = nil
	if l.diverts() {
		l.divert(b)
	} else {
		l.write(b)
	}
}

// lose notes that the user's terminal is gone: nothing comes from it any more,
// and what the run says is dropped so that it never waits.
func (l *loop) lose() {
	if l.gone {
		return
	}
	l.gone = true
	if !l.diverts() {
		l.toUser = nil
	}
	if l.r.cfg.Gone != nil {
		l.r.cfg.Gone()
	}
}

// settle ends a draining relay whose output is over and handed over, and parks
// one that has been patient long enough.
func (l *loop) settle() {
	if l.parking != nil {
		if l.patience--; l.patience <= 0 {
			l.park()
		}
		return
	}
	if l.draining && (l.ended || l.budget <= 0) && len(l.toUser) == 0 {
		l.over = true
	}
}
