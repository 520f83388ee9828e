package supervisor

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// EnvUID names the execution in the environment of everything it starts.
const EnvUID = "OCR_RUN_UID"

// EnvLineage is root/parent/self, the uids of the executions a process is part
// of, so that nested runs can be told apart.
const EnvLineage = "OCR_RUN_LINEAGE"

// EnvHostUID is what Open Code Review reads to link a workflow to a row.
const EnvHostUID = "OCR_DASHBOARD_EXECUTION_UID"

// leftoverBound is how long a finished run may keep its user waiting for what it
// left behind: the grace, and as long again for what not even KILL ends.
const leftoverBound = 2*proc.LeftoverGrace + time.Second

// reportedMost bounds how many leftovers are named one by one.
const reportedMost = 100

// leftovers deals with what outlived the run, by the policy of its order.
// Everything below this process is the run's: as the subreaper it inherits
// whatever the run lets go of.
func (m *monitor) leftovers(ctx context.Context) store.Leftovers {
	cfg := proc.StopConfig{
		Census: m.below,
		Keep:   m.keep,
		Grace:  proc.LeftoverGrace,
		Bound:  leftoverBound,
		Now:    func() time.Duration { return clock.System().Now().Awake },
		Reap:   m.bury,
	}
	if m.group.Path() != "" {
		cfg.Groups = append(cfg.Groups, m.group)
	}
	m.bury()
	if m.order.leftovers == LeftoversKeep || m.order.leftovers == LeftoversReport {
		return m.listed()
	}
	return named(proc.StopUntilQuiet(context.WithoutCancel(ctx), cfg))
}

// below lists all processes of the run. A helper of the wrapper we are in is none.
func (m *monitor) below() ([]proc.Process, error) {
	all, err := proc.Descendants(os.Getpid())
	if m.helper == nil {
		return all, err
	}
	helper := int(m.helper.Load())
	return slices.DeleteFunc(all, func(p proc.Process) bool { return helper != 0 && p.PID == helper }), err
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

// keep spares a process that is meant to stay, and one that belongs to another
// execution whose wrapper lives: that is stopped through its own cancel, or not at
// all. A wrapper itself still carries the marker of the run it was started in, but
// its monitor, a child of its, carries its own, and the lease is in its hands.
func (m *monitor) keep(p proc.Process) (reason string, keep bool) {
	if reason, stays := proc.Stays(p, m.order.uid); stays {
		return reason, true
	}
	kids, _ := proc.Children(p.PID)
	for _, pid := range append([]int{p.PID}, kids...) {
		uid, ok, err := proc.LookupEnv(pid, EnvUID)
		if err == nil && ok && m.foreign(uid) {
			return "belongs to execution " + uid, true
		}
	}
	if uid, ok := m.nestedIn(p.PID); ok {
		return "belongs to execution " + uid, true
	}
	return "", false
}

// foreign says whether uid is another execution of this ledger with a living
// wrapper.
func (m *monitor) foreign(uid string) bool {
	if uid == m.order.uid || m.recorded.runFile == "" || uid == "" || strings.ContainsRune(uid, filepath.Separator) {
		return false
	}
	held, err := runfile.Held(filepath.Join(filepath.Dir(m.recorded.runFile), uid))
	return err == nil && held
}

// listed names what is left without touching it.
func (m *monitor) listed() store.Leftovers {
	all, err := m.below()
	var out store.Leftovers
	if err != nil {
		return out
	}
	for _, p := range all {
		if p.Dead() || len(out.Kept)+len(out.Remaining) == reportedMost {
			continue
		}
		l := leftover(p, commandOf(p))
		if m.order.leftovers == LeftoversKeep {
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

// named puts a stop's report into the words of the ledger.
func named(r proc.Report) store.Leftovers {
	var out store.Leftovers
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
func leftover(p proc.Process, command string) store.Leftover {
	return store.Leftover{PID: p.PID, StartTicks: p.Start, Command: command}
}

// none says whether nothing outlived the run.
func none(l store.Leftovers) bool {
	return len(l.Stopped) == 0 && len(l.Kept) == 0 && len(l.Remaining) == 0
}
