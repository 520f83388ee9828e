package connection

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// networkArg makes the test binary watch a connection die in a network of its own.
const networkArg = "-connection-network"

// A network of its own, in which far is an address of this machine and everything
// else is sent over a cable to nobody.
const (
	near  = "10.78.0.1"
	far   = "10.77.0.1"
	build = "ip link set lo up && ip link add cable type veth peer name end && ip link set end up && " +
		"ip addr add " + near + "/24 dev cable && ip link set cable up && ip addr add " + far + "/32 dev lo && " +
		"ip neigh add 10.78.0.254 lladdr 02:00:00:00:00:01 dev cable && ip route add default via 10.78.0.254"
	losePeer  = "ip addr del " + far + "/32 dev lo"
	loseCable = losePeer + " && ip link set cable down"
)

// TestSilenceInANetwork loses a peer on a real path: once beyond a cable that still
// works, and once together with every way out, as when a laptop wakes up elsewhere.
func TestSilenceInANetwork(t *testing.T) {
	t.Parallel()
	for _, lose := range []string{losePeer, loseCable} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], networkArg, lose)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		said, why, skip := strings.Cut(strings.TrimSpace(string(out)), "cannot: ")
		if err != nil && len(out) == 0 || skip {
			t.Skipf("this system gives out no networks: %v %s", err, why)
		}
		if said != "dead" {
			t.Errorf("after %q: %s", lose, out)
		}
	}
}

// inNetwork is the body of the helper.
func inNetwork(lose string) (string, error) {
	if out, err := exec.Command("sh", "-c", build).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot: %w %s", err, out)
	}
	l, err := net.Listen("tcp", far+":0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(near)}}
	conn, err := from.Dial("tcp", l.Addr().String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	peer, err := l.Accept()
	if err != nil {
		return "", err
	}
	defer peer.Close()
	if out, err := exec.Command("sh", "-c", lose).CombinedOutput(); err != nil {
		return "", fmt.Errorf("lose the peer: %w %s", err, out)
	}
	if _, err := conn.Write([]byte("are you there?")); err != nil {
		return "", err
	}
	return waitForDeath()
}

// waitForDeath looks at this process until something is dead.
func waitForDeath() (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var first, now Look
	for range 500 {
		var err error
		if now, err = Take([]int{os.Getpid()}, awake()); err != nil {
			return "", err
		}
		if len(first.Sockets) == 0 {
			first = now
		}
		if worst, _ := Worst(Judge(first, now, proofInTest)); worst.Standing == Dead {
			return worst.Standing.String(), nil
		}
		<-tick.C
	}
	return "", fmt.Errorf("nothing died: %+v", now.Sockets)
}
