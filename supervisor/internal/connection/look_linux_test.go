package connection

import (
	"encoding/binary"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// proofInTest is long enough for three tries.
const proofInTest = time.Second

func TestTakeSeesBothEnds(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		agent, peer := pair(t, address)
		if _, err := agent.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		sees := func(j Judged) bool { return j.Standing == Quiet && j.Acked >= 5 }
		j := until(t, os.Getpid(), agent.LocalAddr(), proofInTest, sees)
		if j.State != Established || j.PID != os.Getpid() || j.Peer.Port() != uint16(peer.LocalAddr().(*net.TCPAddr).Port) {
			t.Errorf("%s: %+v", address, j)
		}
		if other := of(t, look(t, os.Getpid()), peer.LocalAddr()); other.Unread != 5 || other.Received != 5 || other.Cookie == j.Cookie {
			t.Errorf("%s: the other end: %+v", address, other)
		}
	}
}

// A socket that several processes have, or one process twice, is one connection.
func TestTakeNamesASharedSocketOnce(t *testing.T) {
	t.Parallel()
	agent, _ := pair(t, "127.0.0.1:0")
	twin, err := agent.File()
	if err != nil {
		t.Fatal(err)
	}
	defer twin.Close()
	l, err := Take([]int{os.Getpid(), os.Getpid(), 1 << 30}, awake())
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, s := range l.Sockets {
		if s.Cookie == of(t, l, agent.LocalAddr()).Cookie {
			seen++
		}
	}
	if seen != 1 || l.Hidden != 0 {
		t.Errorf("seen %d times, %d hidden", seen, l.Hidden)
	}
}

func TestTakeCountsTheHidden(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("nothing is hidden from root")
	}
	pair(t, "127.0.0.1:0")
	if l := look(t, 1); l.Hidden != 1 || len(l.Sockets) != 0 {
		t.Errorf("Take() = %+v", l)
	}
}

func TestSilenceIsDeath(t *testing.T) {
	t.Parallel()
	agent, peer := pair(t, "127.0.0.1:0")
	vanish(t, peer)
	if _, err := agent.Write([]byte("are you there?")); err != nil {
		t.Fatal(err)
	}
	j := until(t, os.Getpid(), agent.LocalAddr(), proofInTest, is(Dead))
	if j.Unacked != 14 || j.Retransmits < proofTries || j.For < proofInTest || j.LastAck < proofInTest {
		t.Errorf("dead: %+v", j)
	}
}

// A peer that reads nothing is no dead one, for however long: its system answers.
func TestFullReceiverLives(t *testing.T) {
	t.Parallel()
	agent, _ := pair(t, "127.0.0.1:0")
	fill(t, agent)
	began := awake()
	// Long enough to be dead, had nothing been answered.
	until(t, os.Getpid(), agent.LocalAddr(), proofInTest, func(j Judged) bool {
		if j.Standing == Dead {
			t.Fatalf("a full receiver is dead: %+v", j)
		}
		return j.Standing == Blocked && awake()-began > 3*proofInTest
	})
}

// A stopped process is no dead peer either, nor is one that says nothing.
func TestStoppedPeerLives(t *testing.T) {
	t.Parallel()
	pid, _, server := spawn(t)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("a token")); err != nil {
		t.Fatal(err)
	}
	until(t, os.Getpid(), server.LocalAddr(), 0, is(Quiet))
	if s := of(t, look(t, pid), server.RemoteAddr()); s.Unread != 7 {
		t.Errorf("the stopped process: %+v", s)
	}
}

// Somebody who is not there cannot be connected to; the kernel asks again after a
// second.
func TestConnecting(t *testing.T) {
	t.Parallel()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	to := full(t)
	if err := unix.Connect(fd, &to); err != unix.EINPROGRESS {
		t.Fatalf("connect: %v", err)
	}
	name, _ := unix.Getsockname(fd)
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}
	j := until(t, os.Getpid(), from, proofInTest, func(j Judged) bool { return j.Retransmits > 0 })
	if j.State != Connecting || j.Standing != Retrying {
		t.Errorf("connecting: %+v", j)
	}
}

// full is the address of a listener that has no room for another connection.
func full(t *testing.T) unix.SockaddrInet4 {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	at := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(fd, &at); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	at = *name.(*unix.SockaddrInet4)
	conn, err := net.Dial("tcp", (&net.TCPAddr{IP: at.Addr[:], Port: at.Port}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return at
}

func TestParseRefusesNonsense(t *testing.T) {
	t.Parallel()
	head := func(size int, kind uint16) []byte {
		b := make([]byte, max(size, unix.NLMSG_HDRLEN))
		binary.NativeEndian.PutUint32(b, uint32(size))
		binary.NativeEndian.PutUint16(b[4:], kind)
		return b
	}
	whole := head(unix.NLMSG_HDRLEN+messageLen, unix.SOCK_DIAG_BY_FAMILY)
	for name, b := range map[string][]byte{
		"a size below its own":   head(3, unix.NLMSG_DONE),
		"a size beyond the end":  whole[:len(whole)-1],
		"a socket cut off":       head(unix.NLMSG_HDRLEN+messageLen-4, unix.SOCK_DIAG_BY_FAMILY),
		"an attribute too large": append(head(unix.NLMSG_HDRLEN+messageLen+4, unix.SOCK_DIAG_BY_FAMILY)[:len(whole)], 0xff, 0, 2, 0),
		"an error cut off":       head(unix.NLMSG_HDRLEN, unix.NLMSG_ERROR),
		"an error":               append(head(unix.NLMSG_HDRLEN+4, unix.NLMSG_ERROR)[:unix.NLMSG_HDRLEN], 0xff, 0xff, 0xff, 0xff),
	} {
		if _, done, err := parse(b); err == nil || !done {
			t.Errorf("%s: done %v, %v", name, done, err)
		}
	}
	if all, done, err := parse(append(whole, head(unix.NLMSG_HDRLEN, unix.NLMSG_DONE)...)); len(all) != 1 || !done || err != nil {
		t.Errorf("parse() = %+v, %v, %v", all, done, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, b []byte) { _, _, _ = parse(b) })
}

// BenchmarkTake costs one look at this process.
func BenchmarkTake(b *testing.B) {
	for b.Loop() {
		if _, err := Take([]int{os.Getpid()}, 0); err != nil {
			b.Fatal(err)
		}
	}
}
