package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// A command that stands at its start, while its run waits to be written down, does not run
// any more when somebody has asked for the end, and nothing of it stays.
func TestALaunchThatWaitsForTheLedgerIsCalledOff(t *testing.T) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGHUP} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			b := newBench(t, `touch "$0/ran"`)
			b.order.Command = append(b.order.Command, b.order.StateDir)
			b.order.Hold = filepath.Join(b.order.StateDir, "written")
			cmd := b.command()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ready := func() bool { return slices.ContainsFunc(b.marked(), proc.Process.Stopped) }
			b.eventually("the command is ready", ready)
			_ = cmd.Process.Signal(sig)
			b.eventually("it is gone", func() bool { return !ready() })
			if err := os.WriteFile(b.order.Hold, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			want(t, "code", codeOf(t, cmd.Wait()), 128+int(sig))
			want(t, "stopped by", b.ending().StoppedBy, lifecycle.StoppedByUser)
			if _, err := os.Stat(filepath.Join(b.order.StateDir, "ran")); err == nil {
				t.Error("it has run")
			}
			_, there := proc.GroupAt(proc.GroupPath(b.order.UID))
			want(t, "its control group is there", there, false)
		})
	}
}
