package supervisor

import (
	"context"
	"encoding/json"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
)

// reap takes in every change of state there is: of the run, and of orphans it
// left to us, which nobody else will bury. SIGCHLDs coalesce, so one of them may
// stand for many.
func (m *monitor) reap() {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		switch {
		case pid == m.held && (ws.Exited() || ws.Signaled()):
			m.heldEnd = &ws
		case pid == m.pid && !m.exited:
			m.changed(ws)
		}
	}
}

// changed acts on one change of state of the run.
func (m *monitor) changed(ws unix.WaitStatus) {
	switch {
	case ws.Stopped():
		m.stopped(ws.StopSignal())
	case ws.Continued():
		m.continued()
	case ws.Exited():
		m.report = exitReport{code: ws.ExitStatus(), killed: m.report.killed}
		m.end()
	case ws.Signaled():
		m.report = exitReport{code: -1, signal: ws.Signal(), core: ws.CoreDump(), killed: m.report.killed}
		m.end()
	}
}

// stopped reports a suspension. A stop for touching the terminal that the run
// owns by now is a leftover of its start and is undone at once.
func (m *monitor) stopped(sig syscall.Signal) {
	owner := 0
	if m.inner >= 0 {
		owner, _ = unix.IoctlGetInt(m.inner, unix.TIOCGPGRP)
	}
	if (sig == unix.SIGTTIN || sig == unix.SIGTTOU) && owner == m.pid {
		m.signal(unix.SIGCONT)
		return
	}
	m.suspended, m.resuming = true, false
	m.inFront = owner
	m.tell(msgSuspended, packNum(int64(sig)))
}

// continued notes that the run goes on. When it was not our doing, the wrapper
// may well be stopped itself and must be woken to hear of it.
func (m *monitor) continued() {
	if m.resuming || !m.suspended {
		m.resuming = false
		return
	}
	m.suspended = false
	m.tell(msgResumed, nil)
	if m.leads && !m.orphaned {
		_ = unix.Kill(os.Getppid(), unix.SIGCONT)
	}
}

// end reports the end of the run. The terminal is taken back first, so that
// what the run left behind is not hung up with it, and then let go of, so that
// the wrapper sees the end of the output.
func (m *monitor) end() {
	m.exited = true
	m.grace, m.press, m.given = nil, nil, nil
	if m.inFrontNow() {
		_ = terminal.SetForeground(m.inner, unix.Getpgrp())
	}
	if m.inner >= 0 && m.leads {
		_ = unix.Close(m.inner)
		m.inner = -1
	}
	m.report.clean = m.inherits && proc.Childless()
	m.tell(msgExited, m.report.pack())
}

// inFrontNow says whether the foreground of the run's terminal is the run's to
// give back. On the user's own terminal it may be the shell's by now.
func (m *monitor) inFrontNow() bool {
	if m.inner < 0 || m.leads {
		return m.inner >= 0
	}
	owner, err := unix.IoctlGetInt(m.inner, unix.TIOCGPGRP)
	return err == nil && (owner == m.pid || owner == m.inFront)
}

// finish writes the exit record, deals with what the run left behind, and tells
// the wrapper. An orphaned monitor has one more reason to do both.
func (m *monitor) finish(ctx context.Context) {
	if m.pid == 0 {
		return
	}
	m.record()
	if m.report.clean {
		return
	}
	left := m.leftovers(ctx)
	body, err := json.Marshal(left)
	if err != nil || none(left) {
		body = nil
	}
	m.tell(msgDone, body)
}

// record writes how the run ended where it survives everything: the wrapper may
// be dead, the ledger locked and the disk full.
func (m *monitor) record() {
	if m.recorded.runFile == "" {
		return
	}
	boot, err := clock.BootID()
	if err != nil {
		boot = ""
	}
	now := clock.System().Now()
	rec := runfile.ExitRecord{
		UID: m.order.uid, Generation: m.recorded.generation, StoppedBy: m.stop.by,
		At: store.Instant{WallMS: now.Wall.UnixMilli(), AwakeMS: now.Awake.Milliseconds(), BootID: boot},
	}
	rec.End, rec.ExitCode, rec.Signal = processEnd(m.report)
	rec.CoreDumped = m.report.core
	if m.report.lost {
		return // not seen: the absence of a record says so
	}
	if m.orphaned {
		rec.Note = "the wrapper vanished; its monitor ended the run"
	}
	_ = runfile.WriteExit(m.recorded.runFile, rec, m.orphaned)
}

// processEnd puts a report into the words of the ledger.
func processEnd(r exitReport) (end lifecycle.ProcessEnd, code, sig *int) {
	if r.signal != 0 {
		return lifecycle.EndSignalled, nil, new(int(r.signal))
	}
	return lifecycle.EndExited, new(r.code), nil
}

// releaseStdio lets go of the run's own descriptors: a reader waits for the
// last writer, and a writer for the last reader, and neither is us.
func releaseStdio() {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	for fd := range 3 {
		_ = dup2(null, fd)
	}
	_ = unix.Close(null)
}
