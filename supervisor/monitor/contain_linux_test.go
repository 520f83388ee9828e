package monitor

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// A group that is gone by the time the run is to be born in it costs the group alone.
func TestAGroupThatIsGone(t *testing.T) {
	t.Parallel()
	const uid = "01a20166-4e11-7a97-a83c-a8b7892805c9"
	g, err := proc.MakeGroup(uid, false)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = g.Remove() })
	m := &monitor{group: g}
	pid, err := m.forkContained(func(_ string, _ []string, attr *syscall.ProcAttr) (int, error) {
		if attr.Sys.UseCgroupFD {
			return 0, unix.ENOENT
		}
		return 7, nil
	}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{}})
	if pid != 7 || err != nil || m.group.Path() != "" {
		t.Errorf("pid %d, %v, group %q", pid, err, m.group.Path())
	}
}
