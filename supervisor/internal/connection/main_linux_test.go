package connection

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helperArg makes the test binary a client: it connects to the address that follows,
// sends a line and tells what becomes of the connection.
const helperArg = "-connection-helper"

// TestMain turns the binary into a helper when asked to.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == helperArg {
		client(os.Args[2])
		return
	}
	if len(os.Args) > 2 && os.Args[1] == networkArg {
		said, err := inNetwork(os.Args[2])
		if err != nil {
			said = err.Error()
		}
		fmt.Println(said)
		return
	}
	os.Exit(m.Run())
}

// client waits for the peer as an agent waits for its model.
func client(address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(conn, "hello")
	fmt.Println("connected")
	n, err := io.Copy(io.Discard, conn)
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		fmt.Println("reset")
	case errors.Is(err, syscall.ECONNABORTED):
		fmt.Println("aborted")
	case errors.Is(err, syscall.ETIMEDOUT):
		fmt.Println("timed out")
	default:
		fmt.Println("ended", n, err)
	}
}

// spawn starts a client and returns its process, what it says, and the other end.
func spawn(t *testing.T) (pid int, says *bufio.Scanner, server *net.TCPConn) {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	cmd := exec.CommandContext(t.Context(), os.Args[0], helperArg, l.Addr().String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	server = accept(t, l)
	says = bufio.NewScanner(out)
	if line, err := bufio.NewReader(server).ReadString('\n'); line != "hello\n" || !says.Scan() {
		t.Fatalf("client says %q, %v", line, err)
	}
	return cmd.Process.Pid, says, server
}

// pair is a connection within the test: what an agent has, and its peer.
func pair(t *testing.T, address string) (agent, peer *net.TCPConn) {
	t.Helper()
	l := listen(t, address)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn), accept(t, l)
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("this machine has no such loopback: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) *net.TCPConn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// vanish makes the kernel drop whatever arrives for a connection before TCP sees it:
// to the other end it looks as if the cable had been cut. Most systems let anybody.
func vanish(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	control(t, conn, func(fd int) error {
		drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
		err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]})
		if err == unix.EPERM {
			t.Skip("this system lets only root filter what it receives")
		}
		return err
	})
}

// control runs f with the descriptor of a connection.
func control(t *testing.T, conn *net.TCPConn, f func(fd int) error) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil || inner != nil {
		t.Fatal(err, inner)
	}
}

// fill writes until the other end's system takes no more.
func fill(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	control(t, conn, func(fd int) error {
		for {
			if _, err := unix.Write(fd, make([]byte, 64<<10)); err != nil {
				return ignoreAgain(err)
			}
		}
	})
}

func ignoreAgain(err error) error {
	if err == unix.EAGAIN {
		return nil
	}
	return err
}

// awake is the clock that looks are taken by.
func awake() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}

// look takes a look at one process.
func look(t *testing.T, pid int) Look {
	t.Helper()
	l, err := Take([]int{pid}, awake())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// of picks this end of a connection out of a look.
func of(t *testing.T, l Look, end net.Addr) Socket {
	t.Helper()
	want := netip.MustParseAddrPort(end.String())
	for _, s := range l.Sockets {
		if s.Local == netip.AddrPortFrom(want.Addr().Unmap(), want.Port()) {
			return s
		}
	}
	t.Fatalf("no connection from %v in %+v", want, l)
	return Socket{}
}

// until looks at this end of a connection until a look, judged beside the first one,
// is what is wanted, and returns that.
func until(t *testing.T, pid int, end net.Addr, after time.Duration, holds func(Judged) bool) Judged {
	t.Helper()
	first := look(t, pid)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		now := look(t, pid)
		name := of(t, now, end).Cookie
		for _, j := range Judge(first, now, after) {
			if j.Cookie == name && holds(j) {
				return j
			}
		}
		<-tick.C
	}
	t.Fatalf("waited too long; now %+v", of(t, look(t, pid), end))
	return Judged{}
}

// is says whether a connection is judged so.
func is(want Standing) func(Judged) bool {
	return func(j Judged) bool { return j.Standing == want }
}
