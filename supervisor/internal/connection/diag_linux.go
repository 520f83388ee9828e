package connection

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel's socket list is made of. Source: sock_diag(7), linux/inet_diag.h.
const (
	requestLen    = 56
	messageLen    = 72
	idLen         = 48
	attributeInfo = 2
	timerProbe    = 4

	tcpEstablished = 1
	tcpSynSent     = 2
	tcpCloseWait   = 8
)

// names is how the kernel names a socket: to those who list it, and in the link
// that a descriptor is.
type names struct {
	family byte
	id     [idLen]byte
	inode  uint32
}

// answerWithin bounds how long the kernel may take for one part of its answer. It
// answers in microseconds; a broken sandbox may not answer at all.
const answerWithin = time.Second

// maxListed bounds how many sockets of the whole machine are gone through.
const maxListed = 1 << 16

// dump lists the TCP sockets of this network namespace that have somebody at the
// other end, or are about to.
func dump() ([]Socket, error) {
	fd, err := netlink()
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	var all []Socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		req := request(family, unix.SOCK_DIAG_BY_FAMILY, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		req[unix.NLMSG_HDRLEN+2] = 1 << (attributeInfo - 1)
		binary.NativeEndian.PutUint32(req[unix.NLMSG_HDRLEN+4:], 1<<tcpEstablished|1<<tcpSynSent|1<<tcpCloseWait)
		if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return nil, fmt.Errorf("list connections: %w", err)
		}
		if all, err = receive(fd, all); err != nil {
			return nil, fmt.Errorf("list connections: %w", err)
		}
	}
	return all, nil
}

// netlink opens the kernel's socket list.
func netlink() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return -1, fmt.Errorf("open the socket list: %w", err)
	}
	tv := unix.NsecToTimeval(int64(answerWithin))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		unix.Close(fd) //nolint:errcheck,gosec // nothing was written
		return -1, fmt.Errorf("open the socket list: %w", err)
	}
	return fd, nil
}

// request begins a message about TCP sockets of a family; the rest is zero.
func request(family byte, kind, flags uint16) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+requestLen)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint16(b[6:], flags)
	b[unix.NLMSG_HDRLEN], b[unix.NLMSG_HDRLEN+1] = family, unix.IPPROTO_TCP
	return b
}

// receive takes in the answer to one request.
func receive(fd int, all []Socket) ([]Socket, error) {
	buf := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return all, err
		}
		more, done, err := parse(buf[:n])
		all = append(all, more...)
		if done || err != nil {
			return all, err
		}
		if len(all) > maxListed {
			return all, fmt.Errorf("more than %d connections on this machine", maxListed)
		}
	}
}

// errShort says that a message ends before its own end.
var errShort = errors.New("short message")

// parse reads one datagram of the kernel's answer.
func parse(b []byte) (all []Socket, done bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.NLMSG_HDRLEN || size > len(b) {
			return all, true, errShort
		}
		body := b[unix.NLMSG_HDRLEN:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return all, true, nil
		case unix.NLMSG_ERROR:
			return all, true, kernelError(body)
		case unix.SOCK_DIAG_BY_FAMILY:
			s, ok := parseSocket(body)
			if !ok {
				return all, true, errShort
			}
			all = append(all, s)
		}
		b = b[min(aligned(size), len(b)):]
	}
	return all, false, nil
}

// kernelError is the error a message carries; nil for an acknowledgement.
func kernelError(body []byte) error {
	if len(body) < 4 {
		return errShort
	}
	if errno := -int32(binary.NativeEndian.Uint32(body)); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}

// aligned rounds up to where the next message or attribute begins.
func aligned(n int) int { return (n + 3) &^ 3 }

// parseSocket reads one socket: the kernel's struct inet_diag_msg and its attributes.
func parseSocket(b []byte) (Socket, bool) {
	if len(b) < messageLen {
		return Socket{}, false
	}
	word := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	s := Socket{
		State:        state(b[1]),
		WindowClosed: b[2] == timerProbe,
		Local:        address(b[0], b[8:24], b[4:6]),
		Peer:         address(b[0], b[24:40], b[6:8]),
		// Two halves, the lower first.
		Cookie: uint64(word(44)) | uint64(word(48))<<32,
		Unread: int64(word(56)), Unacked: int64(word(60)),
		kernel: names{family: b[0], id: [idLen]byte(b[4:]), inode: word(68)},
	}
	for rest := b[messageLen:]; len(rest) >= 4; {
		size := int(binary.NativeEndian.Uint16(rest))
		if size < 4 || size > len(rest) {
			return s, false
		}
		if binary.NativeEndian.Uint16(rest[2:]) == attributeInfo {
			addInfo(&s, rest[4:size])
		}
		rest = rest[min(aligned(size), len(rest)):]
	}
	return s, true
}

// addInfo adds what struct tcp_info says. An older kernel's is shorter, and what
// it does not have stays zero.
func addInfo(s *Socket, b []byte) {
	var info unix.TCPInfo
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&info)), unsafe.Sizeof(info)), b) //nolint:gosec // the kernel's own layout
	const ms = time.Millisecond
	s.Retransmits, s.Probes = int(info.Retransmits), int(info.Probes)
	s.Acked, s.Received = int64(info.Bytes_acked), int64(info.Bytes_received)
	s.LastSent = time.Duration(info.Last_data_sent) * ms
	s.LastReceived = time.Duration(info.Last_data_recv) * ms
	s.LastAck = time.Duration(info.Last_ack_recv) * ms
}

// state keeps of the kernel's states the ones that matter.
func state(b byte) State {
	switch b {
	case tcpEstablished:
		return Established
	case tcpSynSent:
		return Connecting
	case tcpCloseWait:
		return CloseWait
	default:
		return Other
	}
}

// address reads one end of a connection, whose bytes are in network order.
func address(family byte, ip, port []byte) netip.AddrPort {
	a := netip.AddrFrom4([4]byte(ip[:4]))
	if family == unix.AF_INET6 {
		a = netip.AddrFrom16([16]byte(ip[:16])).Unmap()
	}
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
}
