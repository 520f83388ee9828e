package monitor

import (
	"context"
	"encoding/json"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/terminal"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
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
		m.report = wire.ExitReport{Code: ws.ExitStatus(), Killed: m.report.Killed}
		m.end()
	case ws.Signaled():
		m.report = wire.ExitReport{Code: -1, Signal: ws.Signal(), Core: ws.CoreDump(), Killed: m.report.Killed}
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
	m.tell(wire.MsgSuspended, wire.PackNum(int64(sig)))
}

// continued notes that the run goes on. When it was not our doing, the wrapper
// may well be stopped itself and must be woken to hear of it.
func (m *monitor) continued() {
	if m.resuming || !m.suspended {
		m.resuming = false
		return
	}
	m.suspended = false
	m.tell(wire.MsgResumed, nil)
	m.wake()
}

// rouseTime is how long the wrapper may take to stop after the run did.
const rouseTime = 200 * time.Millisecond

// wake has the wrapper go on if it is stopped, and once more if it is only about to.
func (m *monitor) wake() {
	if m.leads && !m.orphaned {
		_ = unix.Kill(os.Getppid(), unix.SIGCONT)
		m.roused = time.After(rouseTime) //nolint:forbidigo // as in beginStop
	}
}

// rouse has a wrapper go on that stopped with the run when the run no longer was.
func (m *monitor) rouse() {
	m.roused = nil
	wrapper := os.Getppid()
	if p, err := proc.Read(wrapper); err == nil && p.Stopped() && !m.suspended && !m.orphaned {
		_ = unix.Kill(wrapper, unix.SIGCONT)
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
	m.report.Clean = m.inherits && proc.Childless()
	m.tell(wire.MsgExited, m.report.Pack())
	if m.suspended || m.roused != nil {
		m.suspended = false
		m.wake()
	}
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
func (m *monitor) finish(ctx context.Context, orders <-chan wire.Message) {
	if m.pid == 0 {
		return
	}
	m.record()
	if !m.report.Clean {
		m.left = m.settleLeftovers(ctx, orders)
	}
	m.addTools()
	if m.report.Clean {
		return
	}
	body, err := json.Marshal(m.left)
	if err != nil || m.left.None() {
		body = nil
	}
	m.tell(wire.MsgDone, body)
}

// settle deals with the run's file. A wrapper that is done with it says so; one that
// has vanished, or could not write the end down, leaves it to whoever settles the run,
// who is to learn what became of what the run left behind, too.
func (m *monitor) settle() {
	switch {
	case m.forget:
		_ = os.Remove(m.recorded.RunFile)
	case m.recorded.RunFile != "" && !m.left.None():
		_ = runfile.WriteLeftovers(m.recorded.RunFile, m.recorded.Generation, m.left)
	}
}

// record writes how the run ended where it survives everything: the wrapper may
// be dead, the ledger locked and the disk full.
func (m *monitor) record() {
	if m.recorded.RunFile == "" {
		return
	}
	boot, err := clock.BootID()
	if err != nil {
		boot = ""
	}
	now := clock.System().Now()
	rec := runfile.ExitRecord{
		UID: m.order.UID, Generation: m.recorded.Generation, StoppedBy: m.stop.By,
		At: lifecycle.Instant{WallMS: now.Wall.UnixMilli(), AwakeMS: now.Awake.Milliseconds(), BootID: boot},
	}
	rec.End, rec.ExitCode, rec.Signal = m.report.End()
	rec.CoreDumped = m.report.Core
	if m.report.Lost {
		return // not seen: the absence of a record says so
	}
	if m.orphaned {
		rec.Note = "the wrapper vanished; its monitor ended the run"
	}
	_ = runfile.WriteExit(m.recorded.RunFile, rec, m.orphaned)
}
