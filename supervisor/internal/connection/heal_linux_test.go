package connection

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestShutIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	pid, says, server := spawn(t)
	act, err := Shut(of(t, look(t, pid), server.RemoteAddr()))
	skipUnlessAllowed(t, err)
	if err != nil || !says.Scan() {
		t.Fatalf("Shut() = %s, %v", act, err)
	}
	want := map[Act]string{Reset: "reset", ShutDown: "ended 0 <nil>", Destroyed: "aborted"}[act]
	if said := says.Text(); said != want {
		t.Errorf("%s, and the client says %q", act, said)
	}
}

// skipUnlessAllowed gives up where a sandbox keeps processes apart.
func skipUnlessAllowed(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("this system does not let a parent at its child's sockets: %v", err)
	}
}

// Whatever has the number of the descriptor now, only the socket itself is touched.
func TestShutTouchesNoOther(t *testing.T) {
	t.Parallel()
	agent, peer := pair(t, "127.0.0.1:0")
	right := of(t, look(t, os.Getpid()), agent.LocalAddr())
	for name, wrong := range map[string]Socket{
		"another name":    {PID: right.PID, FD: right.FD, Cookie: right.Cookie + 1<<40},
		"no socket":       {PID: right.PID, FD: 0, Cookie: right.Cookie},
		"no descriptor":   {PID: right.PID, FD: 1 << 20, Cookie: right.Cookie},
		"another process": {PID: 1 << 30, FD: right.FD, Cookie: right.Cookie},
	} {
		act, err := Shut(wrong)
		skipUnlessAllowed(t, err)
		if act != Nothing || !errors.Is(err, ErrGone) {
			t.Errorf("%s: %s, %v", name, act, err)
		}
	}
	if _, err := agent.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := peer.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Errorf("the connection was harmed: %d, %v", n, err)
	}
}

// A socket that was given another number since is found again, and one that was
// closed is gone.
func TestShutFollowsTheSocket(t *testing.T) {
	t.Parallel()
	agent, _ := pair(t, "127.0.0.1:0")
	s := of(t, look(t, os.Getpid()), agent.LocalAddr())
	twin, err := agent.File()
	if err != nil {
		t.Fatal(err)
	}
	agent.Close()
	_, err = Shut(s)
	skipUnlessAllowed(t, err)
	if err != nil {
		t.Errorf("after a new number: %v", err)
	}
	twin.Close()
	if act, err := Shut(s); act != Nothing || !errors.Is(err, ErrGone) {
		t.Errorf("after closing: %s, %v", act, err)
	}
}

func TestDestroyByRoot(t *testing.T) {
	t.Parallel()
	agent, _ := pair(t, "127.0.0.1:0")
	err := destroy(of(t, look(t, os.Getpid()), agent.LocalAddr()))
	switch {
	case err == unix.EPERM:
		t.Skip("only an administrator of the network may")
	case err == unix.EOPNOTSUPP:
		t.Skip("this kernel cannot")
	case err != nil:
		t.Fatal(err)
	}
	if _, err := agent.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNABORTED) {
		t.Errorf("then reading says %v", err)
	}
}

// An idle connection to nobody looks like any other, until somebody asks.
func TestAskFindsTheDead(t *testing.T) {
	t.Parallel()
	pid, _, server := spawn(t)
	end := server.RemoteAddr()
	until(t, pid, end, proofInTest, is(Quiet))
	vanish(t, server)
	_, err := Ask(of(t, look(t, pid), end))
	skipUnlessAllowed(t, err)
	if err != nil {
		t.Fatal(err)
	}
	// The first look is to have seen a question without an answer.
	until(t, pid, end, proofInTest, func(j Judged) bool { return j.Probes > 0 })
	until(t, pid, end, proofInTest, is(Dead))
}

func TestAskLeavesTheLivingAlone(t *testing.T) {
	t.Parallel()
	agent, _ := pair(t, "127.0.0.1:0")
	before := settings(t, agent)
	end := agent.LocalAddr()
	undo, err := Ask(of(t, look(t, os.Getpid()), end))
	skipUnlessAllowed(t, err)
	if err != nil {
		t.Fatal(err)
	}
	if settings(t, agent) == before {
		t.Fatal("nothing was asked")
	}
	// An answer that came after the question.
	began := awake()
	until(t, os.Getpid(), end, proofInTest, func(j Judged) bool {
		if j.Standing > Blocked {
			t.Fatalf("a living peer is %s", j.Standing)
		}
		return j.LastAck < 500*time.Millisecond && awake()-began > askAfter*time.Second
	})
	if err := undo(); err != nil || settings(t, agent) != before {
		t.Errorf("put back %v of %v, %v", settings(t, agent), before, err)
	}
	agent.Close()
	if err := undo(); !errors.Is(err, ErrGone) {
		t.Errorf("after closing: %v", err)
	}
}

// settings reads what Ask changes.
func settings(t *testing.T, conn *net.TCPConn) (all [4]int) {
	t.Helper()
	control(t, conn, func(fd int) (err error) {
		for i, o := range keepalive() {
			if all[i], err = unix.GetsockoptInt(fd, o.level, o.name); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}
