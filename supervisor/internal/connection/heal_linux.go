package connection

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the kernel is told to ask an idle peer with: after one second, every two
// seconds, and to give the connection up after that many unanswered questions, which
// is well after [ProofAfter].
const (
	askAfter = 1
	askEvery = 2
	askMost  = 10
)

// Shut ends a connection from outside, so that the process that has it hears an
// error at once instead of waiting. It touches that very socket or none: ErrGone
// says the process does not have it any more, os.ErrPermission that the system
// does not let us at it. It says what it did, which is nothing when it errs.
func Shut(s Socket) (Act, error) {
	act := Nothing
	err := borrow(s, func(fd int) (err error) {
		act, err = shut(fd)
		return err
	})
	if err != nil && !errors.Is(err, ErrGone) && destroy(s) == nil {
		return Destroyed, nil
	}
	if err != nil {
		return Nothing, fmt.Errorf("shut connection to %s of process %d: %w", s.Peer, s.PID, err)
	}
	return act, nil
}

// shut resets a connection, for a stream that merely ends may look complete to its
// reader, and an error never does.
func shut(fd int) (Act, error) {
	// Connecting to no address at all is how a program drops a connection. Kernels of
	// 2023 refuse it while somebody waits on the socket.
	nobody := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nobody)), unsafe.Sizeof(nobody)) //nolint:gosec // the kernel's own layout
	if errno == 0 {
		return Reset, nil
	}
	if err := unix.Shutdown(fd, unix.SHUT_RDWR); err != nil && err != unix.ENOTCONN {
		return Nothing, err
	}
	return ShutDown, nil
}

// Ask makes the kernel ask the peer of an idle connection whether it is there. A
// living peer's system answers by itself and its program notices nothing; a dead
// one's silence shows in later looks, and in the end the kernel reports it to the
// process. The process's own settings are put back by undo, which returns ErrGone
// when there is nothing left to put back.
func Ask(s Socket) (undo func() error, err error) {
	var old [4]int
	err = borrow(s, func(fd int) (err error) {
		for i, o := range keepalive() {
			if old[i], err = unix.GetsockoptInt(fd, o.level, o.name); err != nil {
				return err
			}
		}
		return set(fd, [4]int{askAfter, askEvery, askMost, 1})
	})
	if err != nil {
		return nil, fmt.Errorf("ask %s for process %d: %w", s.Peer, s.PID, err)
	}
	return func() error {
		err := borrow(s, func(fd int) error { return set(fd, old) })
		if err != nil {
			return fmt.Errorf("put back settings of connection to %s of process %d: %w", s.Peer, s.PID, err)
		}
		return nil
	}, nil
}

// option is one setting of a socket.
type option struct{ level, name int }

// keepalive lists what Ask changes. The switch comes last, so that it starts with
// the right times.
func keepalive() [4]option {
	return [4]option{
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	}
}

// set changes all of them.
func set(fd int, to [4]int) error {
	for i, o := range keepalive() {
		if err := unix.SetsockoptInt(fd, o.level, o.name, to[i]); err != nil {
			return err
		}
	}
	return nil
}

// borrow runs f with a copy of the socket, having made sure that it is the one. The
// copy is closed at once, since while it is open the connection is, too.
func borrow(s Socket, f func(fd int) error) error {
	pidfd, err := unix.PidfdOpen(s.PID, 0)
	if err != nil {
		return explain(err)
	}
	defer unix.Close(pidfd) //nolint:errcheck // nothing was written
	err = borrowFrom(pidfd, s.FD, s.Cookie, f)
	if !errors.Is(err, ErrGone) {
		return err
	}
	// It may have been given another number meanwhile.
	budget := maxDescriptors
	now, _ := descriptors(s.PID, &budget)
	for _, d := range now {
		if d.inode == s.kernel.inode && errors.Is(err, ErrGone) {
			err = borrowFrom(pidfd, d.fd, s.Cookie, f)
		}
	}
	return err
}

// borrowFrom runs f with a copy of one descriptor, if it is the socket of that name.
func borrowFrom(pidfd, number int, cookie uint64, f func(fd int) error) error {
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if err != nil {
		return explain(err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	if name, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil || name != cookie {
		return ErrGone
	}
	return f(fd)
}

// explain puts the kernel's refusals into the words callers ask for.
func explain(err error) error {
	switch err {
	case unix.ESRCH, unix.EBADF:
		return ErrGone
	case unix.EPERM, unix.EACCES:
		return fmt.Errorf("borrow its socket: %w", os.ErrPermission)
	case unix.ENOSYS:
		return fmt.Errorf("borrow its socket: %w", errors.ErrUnsupported)
	default:
		return fmt.Errorf("borrow its socket: %w", err)
	}
}

// destroy asks the kernel to end a connection, which only an administrator of the
// network may.
func destroy(s Socket) error {
	fd, err := netlink()
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	req := request(s.kernel.family, unix.SOCK_DESTROY, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	copy(req[unix.NLMSG_HDRLEN+8:], s.kernel.id[:])
	if err := unix.Sendto(fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	_, err = receive(fd, nil)
	return err
}
