package supervisor

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// A descriptor that the command was given and has closed is nobody's any more: whoever
// waits for it sees its end while the command runs.
func TestDescriptorTheCommandClosesIsClosed(t *testing.T) {
	for name, change := range map[string]func(*order){
		"as it is": func(*order) {},
		"tapped":   func(o *order) { o.Tap = filepath.Join(o.StateDir, "tapped") },
		"direct":   func(o *order) { o.NoMonitor = true },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, `echo up >&3; exec 3>&-; exec sleep 100`)
			change(&b.order)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			cmd := b.command()
			cmd.ExtraFiles = []*os.File{write}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = write.Close()
			if err := read.SetReadDeadline(time.Now().Add(patience / 2)); err != nil {
				t.Fatal(err)
			}
			said, err := io.ReadAll(read)
			if err != nil {
				t.Error(err)
			}
			want(t, "said", string(said), "up\n")
			if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			want(t, "code", codeOf(t, cmd.Wait()), 128+int(unix.SIGTERM))
		})
	}
}

// deaf starts the wrapper with interrupts ignored, and waits for its command to say text.
func (b *bench) deaf(text string) *exec.Cmd {
	b.t.Helper()
	cmd := b.command()
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" INT; exec "$0"`, self(b.t)}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	readLine(b.t, out, text)
	return cmd
}

// What a script starts behind itself ignores interrupts, until it asks for them. Then they
// are its user's stop.
func TestAnIgnoredInterruptReachesWhoHeedsIt(t *testing.T) {
	b := newBench(t, "")
	b.order.Command = []string{self(t), heedArg}
	cmd := b.deaf("ignored: true")
	_ = cmd.Process.Signal(unix.SIGINT)
	want(t, "code", codeOf(t, cmd.Wait()), 0)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
}

// One that goes on ignoring them is not ended by many of them either.
func TestAnIgnoredInterruptIsNoWish(t *testing.T) {
	b := newBench(t, `trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done`)
	cmd := b.deaf("ready")
	for _, s := range []os.Signal{unix.SIGINT, unix.SIGINT, unix.SIGUSR1} {
		_ = cmd.Process.Signal(s)
	}
	want(t, "code", codeOf(t, cmd.Wait()), 5)
	want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByNobody)
}
