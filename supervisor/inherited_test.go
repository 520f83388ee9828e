package supervisor

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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
