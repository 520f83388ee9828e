package connection

import (
	"errors"
	"net/netip"
	"time"
)

// ErrGone says that the process no longer has that socket: it was closed, or the
// process ended.
var ErrGone = errors.New("connection gone")

// State is how far a connection has got, as far as it matters here.
type State uint8

const (
	// Other is a connection that is being closed, or a socket without one.
	Other State = iota
	// Connecting has asked for a connection and has no answer yet.
	Connecting
	// Established is open in both directions.
	Established
	// CloseWait has heard the peer's end and may still send.
	CloseWait
)

// Socket is one TCP connection as the kernel saw it during a look. The zero value
// is none.
type Socket struct {
	// PID and FD say where it is. It may be elsewhere, too: a child inherits it.
	PID, FD int
	// Cookie is the kernel's name for it, unique within a boot.
	Cookie uint64
	// Local and Peer are its ends. IPv4 is shown as IPv4 on any kind of socket.
	Local, Peer netip.AddrPort
	// State is how far it has got.
	State State
	// Unacked is how many bytes the process has written that the peer's system has
	// not acknowledged, whether or not they were sent.
	Unacked int64
	// Unread is how many received bytes the process has not read.
	Unread int64
	// Retransmits counts how often, in a row, the oldest byte was sent again.
	Retransmits int
	// Probes counts the kernel's own questions, in a row, that got no answer: about a
	// closed window, or whether the peer is still there.
	Probes int
	// WindowClosed says that the peer has asked for nothing more for now.
	WindowClosed bool
	// Acked and Received count bytes since the connection began.
	Acked, Received int64
	// LastSent, LastReceived and LastAck are the awake time since data was sent (again),
	// data came, and the peer acknowledged anything, were it for a second time. They
	// mean nothing while Connecting.
	LastSent, LastReceived, LastAck time.Duration

	// kernel is what the kernel calls it.
	kernel names
}

// unanswered is how often in a row the peer was spoken to in vain.
func (s Socket) unanswered() int { return s.Retransmits + s.Probes }

// Look is one look at the connections of some processes. The zero value is no look.
type Look struct {
	// At is the awake time of the look, as it was given to Take.
	At time.Duration
	// Sockets lists every connection once, also one that several processes share, by
	// PID and FD.
	Sockets []Socket
	// Hidden counts processes whose descriptors may not be seen: those of another
	// user, or that do not let themselves be watched.
	Hidden int
}

// find looks a socket up by its name.
func (l Look) find(cookie uint64) (Socket, bool) {
	for _, s := range l.Sockets {
		if s.Cookie == cookie {
			return s, true
		}
	}
	return Socket{}, false
}

// Act is what was done to a connection.
type Act uint8

const (
	// Nothing was done.
	Nothing Act = iota
	// Reset means that whoever reads or writes next gets ECONNRESET.
	Reset
	// ShutDown means that whoever reads next sees the end of the stream, a writer EPIPE.
	ShutDown
	// Destroyed is the system administrator's way: readers and writers get ECONNABORTED.
	Destroyed
)

// String is the word for people.
func (a Act) String() string {
	return [...]string{"nothing", "reset", "shut down", "destroyed"}[a]
}
