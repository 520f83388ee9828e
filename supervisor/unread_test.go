package supervisor

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// Our own write to a pipe without a reader is nobody's wish, and no concern of a
// command that writes no more.
func TestReaderThatLeavesHarmsNoBystander(t *testing.T) {
	b := newBench(t, "")
	b.order.Tap = filepath.Join(b.order.StateDir, "tapped")
	left := filepath.Join(b.order.StateDir, "left")
	b.order.Command[2] = "echo ready; until [ -e " + left + " ]; do sleep 0.05; done; echo more; sleep 0.5; exit 3"
	cmd := b.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readLine(t, out, "ready")
	_ = out.Close()
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, "code", codeOf(t, cmd.Wait()), 3)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByNobody)
}

// A SIGPIPE from outside is passed on as any other signal, while somebody reads.
func TestBrokenPipeFromOutsideIsPassedOn(t *testing.T) {
	b := newBench(t, "trap 'exit 4' PIPE; echo ready; while :; do sleep 0.05; done")
	b.order.Tap = filepath.Join(b.order.StateDir, "tapped")
	cmd, _ := b.ready()
	if err := cmd.Process.Signal(unix.SIGPIPE); err != nil {
		t.Fatal(err)
	}
	want(t, "code", codeOf(t, cmd.Wait()), 4)
}

// What writes on a terminal of its own is told as it would be by a pipe, and by nobody's
// wish.
func TestReaderThatLeavesEndsADivertedRun(t *testing.T) {
	b := newBench(t, "exec yes")
	b.order.PTY = PTYAlways
	cmd := b.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	readLine(t, out, "y")
	_ = out.Close()
	want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGPIPE))
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByNobody)
}

// A run that is asked to end does so, whoever does not read what it has written.
func TestDivertedRunEndsThoughNobodyReads(t *testing.T) {
	b := newBench(t, "echo ready; exec yes")
	b.order.PTY = PTYAlways
	cmd := b.command()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	b.eventually("it writes", func() bool {
		fds := []unix.PollFd{{Fd: int32(read.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 0)
		return err == nil && n > 0
	})
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	go func() { ended <- codeOf(t, cmd.Wait()) }()
	select {
	case code := <-ended:
		want(t, "code", code, 128+int(unix.SIGTERM))
	case <-time.After(patience / 2):
		_ = cmd.Process.Kill()
		t.Error("it waits for whoever does not read")
		<-ended
	}
}

// A leftover that is kept and never ceases to write is not waited for; what the command
// has written is handed over first, however slowly it is read.
func TestPassageEndsBeforeAKeptWriter(t *testing.T) {
	b := newBench(t, `head -c 60000 /dev/zero | tr '\0' x; (while :; do echo y; sleep 0.02; done) & exit 0`)
	b.order.Tap = filepath.Join(b.order.StateDir, "tapped")
	b.order.Leftovers = wire.LeftoversKeep
	cmd := b.command()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	got, ended := make(chan int), make(chan error)
	go func() {
		said, _ := io.ReadAll(out)
		got <- strings.Count(string(said), "x")
	}()
	go func() {
		_, err := cmd.Process.Wait()
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience / 2):
		t.Error("it waits for a leftover that writes")
		_ = cmd.Process.Kill()
		<-ended
	}
	want(t, "handed over", <-got, 60000)
}
