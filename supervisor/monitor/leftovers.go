package monitor

import (
	"context"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// leftoverBound is how long a finished run may keep its user waiting for what it
// left behind: the grace, and as long again for what not even KILL ends.
const leftoverBound = 2*proc.LeftoverGrace + time.Second

// reportedMost bounds how many leftovers are named one by one.
const reportedMost = 100

// settleLeftovers deals with what outlived the run, and kills at once what it is asking to
// leave when the wrapper says so meanwhile. That one's own end changes nothing: whoever
// finishes the run hears of it next.
func (m *monitor) settleLeftovers(ctx context.Context, orders <-chan wire.Message) lifecycle.Leftovers {
	ctx, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	left := make(chan lifecycle.Leftovers, 1)
	go func() { left <- m.leftovers(ctx) }()
	for {
		select {
		case l := <-left:
			return l
		case o, ok := <-orders:
			switch {
			case !ok:
				orders = nil
			case kills(o):
				kill()
			default:
				m.obeyLate(o)
			}
		}
	}
}

// kills says whether an order is to end everything at once.
func kills(o wire.Message) bool {
	s, err := wire.UnpackStop(o.Body)
	return o.Kind == wire.MsgStop && err == nil && s.First == unix.SIGKILL
}

// leftovers deals with what outlived the run, by the policy of its order; when ctx ends,
// without any more asking. Everything below this process is the run's: as the subreaper it
// inherits whatever the run lets go of.
func (m *monitor) leftovers(ctx context.Context) lifecycle.Leftovers {
	cfg := proc.StopConfig{
		Census: m.kin().Below,
		Keep:   m.kin().Keep,
		Grace:  proc.LeftoverGrace,
		Bound:  leftoverBound,
		Now:    func() time.Duration { return clock.System().Now().Awake },
		Reap:   m.bury,
	}
	if m.group.Path() != "" {
		cfg.Groups = append(cfg.Groups, m.group)
	}
	m.bury()
	if m.order.Leftovers == wire.LeftoversKeep || m.order.Leftovers == wire.LeftoversReport {
		return m.listed()
	}
	return Named(proc.StopUntilQuiet(ctx, cfg))
}

// noteTool remembers whom a stop reaches outside the run's group, once the wrapper has
// vanished: who obeys at once is gone before anybody looks for leftovers, and with
// nobody to have asked for the stop is to be named like these.
func (m *monitor) noteTool(p proc.Process, sig syscall.Signal) {
	if m.orphaned && len(m.tools) < reportedMost {
		l := leftover(p, commandOf(p))
		l.Signal = unix.SignalName(sig)
		m.tools = append(m.tools, l)
	}
}

// addTools names those as stopped that were reached and of whom nothing else is known.
func (m *monitor) addTools() {
	for _, l := range m.tools {
		if !slices.ContainsFunc(slices.Concat(m.left.Stopped, m.left.Kept, m.left.Remaining), l.Same) {
			m.left.Stopped = append(m.left.Stopped, l)
		}
	}
}

// kin is what the run has below us.
func (m *monitor) kin() Kin {
	return Kin{UID: m.order.UID, RunFile: m.recorded.RunFile, Helper: m.helper}
}

// bury takes in the exits of adopted orphans.
func (m *monitor) bury() {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if err != unix.EINTR && (err != nil || pid <= 0) {
			return
		}
	}
}

// listed names what is left without touching it.
func (m *monitor) listed() lifecycle.Leftovers {
	all, err := m.kin().Below()
	var out lifecycle.Leftovers
	if err != nil {
		return out
	}
	for _, p := range all {
		if p.Dead() || len(out.Kept)+len(out.Remaining) == reportedMost {
			continue
		}
		l := leftover(p, commandOf(p))
		if m.order.Leftovers == wire.LeftoversKeep {
			l.Reason = "kept as asked"
			out.Kept = append(out.Kept, l)
		} else {
			l.Reason = "left alone as asked"
			out.Remaining = append(out.Remaining, l)
		}
	}
	return out
}

// commandOf is a process's command line, or its short name where that cannot
// be read.
func commandOf(p proc.Process) string {
	if line, err := proc.CommandLine(p.PID); err == nil && line != "" {
		return line
	}
	return p.Name
}

// Named puts a stop's report into the words of the ledger.
func Named(r proc.Report) lifecycle.Leftovers {
	var out lifecycle.Leftovers
	for _, s := range r.Stopped[:min(len(r.Stopped), reportedMost)] {
		l := leftover(s.Process, s.Command)
		l.Signal = unix.SignalName(s.Signal)
		out.Stopped = append(out.Stopped, l)
	}
	for _, k := range r.Kept[:min(len(r.Kept), reportedMost)] {
		l := leftover(k.Process, k.Command)
		l.Reason = k.Reason
		out.Kept = append(out.Kept, l)
	}
	for _, s := range r.Remaining[:min(len(r.Remaining), reportedMost)] {
		l := leftover(s.Process, s.Command)
		l.Reason = s.Reason
		out.Remaining = append(out.Remaining, l)
	}
	return out
}

// leftover names one process.
func leftover(p proc.Process, command string) lifecycle.Leftover {
	return lifecycle.Leftover{PID: p.PID, StartTicks: p.Start, Command: command}
}
