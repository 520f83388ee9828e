package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// messageKind says what a message between wrapper and monitor is about.
type messageKind byte

// Messages from the wrapper to the monitor.
const (
	// msgLaunch makes the run ready, up to its first instruction; payload
	// launchOrder.
	msgLaunch messageKind = iota + 1
	// msgGo lets it run: it is recorded; payload goOrder.
	msgGo
	// msgSignal sends a signal to the run's group; payload its number.
	msgSignal
	// msgContinue resumes a suspended run; payload 1 for the foreground.
	msgContinue
	// msgStop begins or sharpens a stop; payload stopOrder.
	msgStop
	// msgForget: the end is written; the run file is of no more use.
	msgForget
	// msgSettle: the run is a long one; be small.
	msgSettle
	// msgTerminal says how to give the user's terminal back; payload tty state.
	msgTerminal
)

// Messages from the monitor to the wrapper.
const (
	// msgStarted: the run exists; payload childReport. It comes before msgGo
	// where the system can hold a process at its start, else after.
	msgStarted messageKind = iota + 64
	// msgFailed: it could not be started; payload errno.
	msgFailed
	// msgSuspended: job control stopped it; payload the signal.
	msgSuspended
	// msgResumed: somebody else continued it.
	msgResumed
	// msgExited: it ended; payload exitReport.
	msgExited
	// msgDone: nothing of it is left to look after; payload leftovers as JSON.
	// The monitor is about to end.
	msgDone
)

// message is one frame: a kind and its payload.
type message struct {
	kind messageKind
	body []byte
}

// bodyMost bounds one payload in bytes: the kernel's limit on arguments and
// environment together is a quarter of it at most.
const bodyMost = 64 << 20

// errTooLarge is a frame that cannot be ours.
var errTooLarge = errors.New("message too large")

// wire is one end of the socket between wrapper and monitor. Sending is safe
// from any goroutine; one goroutine receives.
type wire struct {
	f  *os.File
	fd int // of f, whose own method would make it blocking
	mu sync.Mutex
}

// newWire takes over a non-blocking socket.
func newWire(fd int) *wire { return &wire{f: os.NewFile(uintptr(fd), "wire"), fd: fd} }

// await blocks the calling thread until there is something to receive, for at
// most ms milliseconds or, if that is negative, for as long as it takes. It says
// whether there is. Where the answer comes at once this is faster than the
// scheduler, which wakes one thread to wake another.
func (w *wire) await(ms int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, ms)
		if err != unix.EINTR {
			return n > 0 || err != nil
		}
	}
}

// send writes one message.
func (w *wire) send(kind messageKind, body []byte) error {
	frame := make([]byte, 5, 5+len(body))
	frame[0] = byte(kind)
	binary.LittleEndian.PutUint32(frame[1:], uint32(len(body)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.f.Write(append(frame, body...)); err != nil {
		return fmt.Errorf("send message %d: %w", kind, err)
	}
	return nil
}

// receive waits for one message. io.EOF means that the other side is gone.
func (w *wire) receive() (message, error) {
	var head [5]byte
	if _, err := io.ReadFull(w.f, head[:]); err != nil {
		return message{}, err
	}
	size := binary.LittleEndian.Uint32(head[1:])
	if size > bodyMost {
		return message{}, errTooLarge
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(w.f, body); err != nil {
		return message{}, err
	}
	return message{kind: messageKind(head[0]), body: body}, nil
}

// receiveAll passes messages on until the other side is gone or done is closed,
// then closes the channel.
func (w *wire) receiveAll(to chan<- message, done <-chan struct{}) {
	defer close(to)
	for {
		m, err := w.receive()
		if err != nil {
			return
		}
		select {
		case to <- m:
		case <-done:
			return
		}
	}
}

// close ends the conversation; the other side reads io.EOF.
func (w *wire) close() { _ = w.f.Close() }

// packer builds a payload out of numbers and strings.
type packer struct{ b []byte }

func (p *packer) num(v int64) { p.b = binary.AppendVarint(p.b, v) }

func (p *packer) flag(v bool) {
	if v {
		p.num(1)
	} else {
		p.num(0)
	}
}

func (p *packer) str(s string) {
	p.num(int64(len(s)))
	p.b = append(p.b, s...)
}

func (p *packer) strs(all []string) {
	p.num(int64(len(all)))
	for _, s := range all {
		p.str(s)
	}
}

// unpacker reads what a packer built. After the first thing that does not fit
// everything reads as zero.
type unpacker struct {
	b   []byte
	bad bool
}

func (u *unpacker) num() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.bad = true
		u.b = nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) flag() bool { return u.num() != 0 }

func (u *unpacker) str() string {
	n := u.num()
	if n < 0 || n > int64(len(u.b)) {
		u.bad = true
		u.b = nil
		return ""
	}
	s := string(u.b[:n])
	u.b = u.b[n:]
	return s
}

func (u *unpacker) strs() []string {
	n := u.num()
	if n < 0 || n > int64(len(u.b)) {
		u.bad = true
		return nil
	}
	all := make([]string, n)
	for i := range all {
		all[i] = u.str()
	}
	return all
}
