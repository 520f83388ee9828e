package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Kind says what a message between wrapper and monitor is about.
type Kind byte

// Messages from the wrapper to the monitor.
const (
	// MsgLaunch makes the run ready, up to its first instruction; payload
	// LaunchOrder.
	MsgLaunch Kind = iota + 1
	// MsgGo lets it run: it is recorded; payload GoOrder.
	MsgGo
	// MsgSignal sends a signal to the run's group; payload its number.
	MsgSignal
	// MsgTell sends a signal to the command alone; payload its number.
	MsgTell
	// MsgContinue resumes a suspended run; payload 1 for the foreground.
	MsgContinue
	// MsgStop begins or sharpens a stop; payload StopOrder.
	MsgStop
	// MsgForget: the end is written; the run file is of no more use.
	MsgForget
	// MsgSettle: the run is a long one; be small.
	MsgSettle
	// MsgTerminal says how to give the user's terminal back; payload tty state.
	MsgTerminal
)

// Messages from the monitor to the wrapper.
const (
	// MsgStarted: the run exists; payload ChildReport. It comes before MsgGo
	// where the system can hold a process at its start, else after.
	MsgStarted Kind = iota + 64
	// MsgFailed: it could not be started; payload errno.
	MsgFailed
	// MsgSuspended: job control stopped it; payload the signal.
	MsgSuspended
	// MsgResumed: somebody else continued it.
	MsgResumed
	// MsgExited: it ended; payload ExitReport.
	MsgExited
	// MsgDone: nothing of it is left to look after; payload leftovers as JSON.
	// The monitor is about to end.
	MsgDone
)

// Message is one frame: a kind and its payload.
type Message struct {
	Kind Kind
	Body []byte
}

// bodyMost bounds one payload in bytes: the kernel's limit on arguments and
// environment together is a quarter of it at most.
const bodyMost = 64 << 20

// errTooLarge is a frame that cannot be ours.
var errTooLarge = errors.New("message too large")

// Conn is one end of the socket between wrapper and monitor. Sending is safe
// from any goroutine; one goroutine receives.
type Conn struct {
	f  *os.File
	fd int // of f, whose own method would make it blocking
	mu sync.Mutex
}

// New takes over a non-blocking socket.
func New(fd int) *Conn { return &Conn{f: os.NewFile(uintptr(fd), "wire"), fd: fd} }

// Pair makes the two ends, non-blocking and closed on exec.
func Pair() (ours, theirs int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, -1, fmt.Errorf("make socket pair: %w", err)
	}
	for _, fd := range fds {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return -1, -1, errors.Join(fmt.Errorf("make socket non-blocking: %w", err), unix.Close(fds[0]), unix.Close(fds[1]))
		}
	}
	return fds[0], fds[1], nil
}

// Await blocks the calling thread until there is something to receive, for at
// most ms milliseconds or, if that is negative, for as long as it takes. It says
// whether there is. Where the answer comes at once this is faster than the
// scheduler, which wakes one thread to wake another.
func (w *Conn) Await(ms int) bool {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, ms)
		if err != unix.EINTR {
			return n > 0 || err != nil
		}
	}
}

// Send writes one message.
func (w *Conn) Send(kind Kind, body []byte) error {
	frame := make([]byte, headSize, headSize+len(body))
	frame[0] = byte(kind)
	binary.LittleEndian.PutUint32(frame[1:], uint32(len(body)))
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.f.Write(append(frame, body...)); err != nil {
		return fmt.Errorf("send message %d: %w", kind, err)
	}
	return nil
}

// headSize is the size of what comes before a payload: kind and length.
const headSize = 5

// Receive waits for one message. io.EOF means that the other side is gone.
func (w *Conn) Receive() (Message, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(w.f, head[:]); err != nil {
		return Message{}, err
	}
	size := binary.LittleEndian.Uint32(head[1:])
	if size > bodyMost {
		return Message{}, errTooLarge
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(w.f, body); err != nil {
		return Message{}, err
	}
	return Message{Kind: Kind(head[0]), Body: body}, nil
}

// ReceiveAll passes messages on until the other side is gone or done is closed,
// then closes the channel.
func (w *Conn) ReceiveAll(to chan<- Message, done <-chan struct{}) {
	defer close(to)
	for {
		m, err := w.Receive()
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

// Finish has nothing more to send: the other side reads io.EOF.
func (w *Conn) Finish() { _ = unix.Shutdown(w.fd, unix.SHUT_WR) }

// Finished says whether the other side is gone, too, within so many milliseconds; again
// as many where a signal comes in between.
func (w *Conn) Finished(ms int) bool {
	for {
		fds := []unix.PollFd{{Fd: int32(w.fd)}} // a hang-up is told unasked
		n, err := unix.Poll(fds, ms)
		if err != unix.EINTR {
			return n > 0 && fds[0].Revents&unix.POLLHUP != 0
		}
	}
}

// Close ends the conversation; the other side reads io.EOF.
func (w *Conn) Close() { _ = w.f.Close() }

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
