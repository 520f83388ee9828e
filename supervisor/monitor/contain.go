package monitor

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// forkContained starts the run in a control group of its own, where one is to be
// had: it is born there, so that nothing it ever does happened outside. A group
// that cannot be had costs the run nothing but the group.
func (m *monitor) forkContained(fork forker, attr *syscall.ProcAttr) (int, error) {
	if m.group.Path() == "" {
		m.group, _ = proc.MakeGroup(m.order.UID, m.order.Scope)
	}
	dir, err := m.group.Open()
	if err != nil {
		return fork(m.order.Path, m.order.Argv, attr)
	}
	defer unix.Close(dir) //nolint:errcheck // nothing was written
	sys := *attr.Sys
	into := *attr
	into.Sys = &sys
	bornIn(&sys, dir)
	pid, err := fork(m.order.Path, m.order.Argv, &into)
	if err == nil || err == unix.ENOEXEC || err == errNotHeld {
		return pid, err
	}
	// An old kernel, a sandbox, the end of another run that took our group with its own,
	// or the command's own fault: without the group it is known which.
	_ = m.group.Remove()
	m.group = proc.Group{}
	return fork(m.order.Path, m.order.Argv, attr)
}
