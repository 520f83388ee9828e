package reaper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	// SeverityWarning is something a sweep will mend, or that a person should
	// know.
	SeverityWarning Severity = "warn"
	// SeverityError is something that is wrong and costs somebody something.
	SeverityError Severity = "error"
)

// Code is one word of the audit's closed vocabulary.
type Code string

// The codes.
const (
	// CodeStaleQueued is a run that was announced and never launched.
	CodeStaleQueued Code = "stale_queued"
	// CodeStaleRunning is a run whose wrapper lives and has stopped beating.
	CodeStaleRunning Code = "stale_running"
	// CodeLost is an open row whose wrapper is dead.
	CodeLost Code = "lost"
	// CodeDeliveryFailed is an end that a host has not been told of.
	CodeDeliveryFailed Code = "delivery_failed"
	// CodeMissingCleanup is the file of a run that has ended and has nothing left.
	CodeMissingCleanup Code = "missing_cleanup"
	// CodeInconsistentTimestamps is a row that speaks of the future.
	CodeInconsistentTimestamps Code = "inconsistent_timestamps"
	// CodeCancelStuck is a request to end that came to nothing.
	CodeCancelStuck Code = "cancel_stuck"
	// CodeStaleWorkflow is an open review or map that nobody works on any more.
	CodeStaleWorkflow Code = "stale_workflow"
	// CodeStaleBlocked is a flow that has been blocked for long.
	CodeStaleBlocked Code = "stale_blocked"
	// CodeMissingLinkedTasks is a flow that runs without any run in it.
	CodeMissingLinkedTasks Code = "missing_linked_tasks"
	// CodeOrphan is a process of a run that has ended, proved to be.
	CodeOrphan Code = "orphan"
	// CodeOrphanUnverified is a process that may be one.
	CodeOrphanUnverified Code = "orphan_unverified"
	// CodeSpoolWaiting is facts the ledger has not taken in yet.
	CodeSpoolWaiting Code = "spool_waiting"
	// CodeSpoolRejected is facts no ledger will take.
	CodeSpoolRejected Code = "spool_rejected"
)

// Codes lists the vocabulary.
func Codes() []Code {
	return []Code{
		CodeStaleQueued, CodeStaleRunning, CodeLost, CodeDeliveryFailed, CodeMissingCleanup, CodeInconsistentTimestamps,
		CodeCancelStuck, CodeStaleWorkflow, CodeStaleBlocked, CodeMissingLinkedTasks, CodeOrphan, CodeOrphanUnverified,
		CodeSpoolWaiting, CodeSpoolRejected,
	}
}

// Ages from which something is worth a finding. The ages of wrappers are awake
// time.
const (
	// queuedLong: a launch takes milliseconds, and a machine under load seconds.
	queuedLong = 10 * time.Minute
	// stalledLong: a wrapper that has stood still for so long will not go on by
	// itself.
	stalledLong = 30 * time.Minute
	// cancelLong outlasts the longest way from a wish to an end: a beat, a grace,
	// a kill, with ten times that to spare.
	cancelLong = 5 * time.Minute
	// blockedLong: whoever a flow waits for has had the time to look.
	blockedLong = 30 * time.Minute
	// aheadLong is how far clocks may differ before a row speaks of the future.
	aheadLong = time.Minute
	// deliverySoon is left to a wrapper to tell a host of its end itself.
	deliverySoon = time.Minute
	// deliveryLate is how long ends are still brought to a host.
	deliveryLate = 7 * 24 * time.Hour
)

// Finding is one thing that is wrong.
type Finding struct {
	Code     Code
	Severity Severity
	// UID, WorkflowID and PID say what it is about; those that do not apply are
	// zero.
	UID, WorkflowID string
	PID             int
	// Detail says what is wrong, for a person.
	Detail string
}

// Audit looks for what is wrong, the worst first. It changes nothing.
func Audit(ctx context.Context, c Config) ([]Finding, error) {
	at := c.Observe()
	s, err := sceneOf(ctx, c.Ledger, c.StateDir, at, c.system())
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, uid := range s.order {
		found = append(found, auditRun(s.runs[uid], at)...)
	}
	for _, step := range s.processes() {
		found = append(found, auditProcess(step)...)
	}
	var failures []error
	for _, look := range []func(context.Context, heartbeat.Observer) ([]Finding, error){
		c.auditRequests, c.auditWorkflows, c.auditHosts, c.auditFiles,
	} {
		more, err := look(ctx, at)
		found, failures = append(found, more...), append(failures, err)
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	return found, errors.Join(failures...)
}

// auditRun looks at one row.
func auditRun(r *run, at heartbeat.Observer) (found []Finding) {
	add := func(code Code, severity Severity, format string, args ...any) {
		found = append(found, Finding{Code: code, Severity: severity, UID: r.UID, Detail: fmt.Sprintf(format, args...)})
	}
	latest := max(r.At.WallMS, r.EndedAtMS, r.LastBeat.WallMS)
	if ahead := latest - at.Now.WallMS; ahead > aheadLong.Milliseconds() {
		add(CodeInconsistentTimestamps, SeverityWarning, "its row speaks of a moment that is %s from now", span(ahead))
	}
	if r.Process.End.Over() {
		return found
	}
	silent := at.Now.AwakeMS - r.LastBeat.AwakeMS
	switch liveness := Look(r.Execution, at); {
	case abandoned(r.Execution, at):
		add(CodeLost, SeverityWarning, "its wrapper is dead and its row is open; a sweep settles it")
	case liveness == heartbeat.LivenessLate && r.LastBeat.BootID == at.Now.BootID && silent >= stalledLong.Milliseconds():
		add(CodeStaleRunning, SeverityError, "its wrapper lives and has not been heard of for %s of awake time", span(silent))
	case liveness == heartbeat.LivenessLate:
		add(CodeStaleRunning, SeverityWarning, "its wrapper lives and is late")
	case r.StartedAtMS == 0 && r.Process.End != lifecycle.EndQueued && at.Now.WallMS >= r.NotBeforeMS+queuedLong.Milliseconds() && r.At.BootID == at.Now.BootID && silent >= queuedLong.Milliseconds():
		add(CodeStaleQueued, SeverityWarning, "it was announced %s ago and has not been launched", span(at.Now.AwakeMS-r.At.AwakeMS))
	}
	return found
}

// auditProcess turns what a sweep would do about a process into a finding.
func auditProcess(step ProcessStep) []Finding {
	f := Finding{UID: step.UID, PID: step.Process.PID}
	switch step.Verdict {
	case VerdictStop:
		f.Code, f.Severity, f.Detail = CodeOrphan, SeverityError, step.Command+": "+step.Reason+", and it lives on"
	case VerdictReport:
		f.Code, f.Severity, f.Detail = CodeOrphanUnverified, SeverityWarning, step.Command+": "+step.Reason
	case VerdictKeep, VerdictNone:
		return nil
	}
	return []Finding{f}
}

// auditRequests looks for requests to end that came to nothing.
func (c Config) auditRequests(ctx context.Context, at heartbeat.Observer) (found []Finding, err error) {
	stuck, err := c.Ledger.StuckRequests(ctx, at.Now.WallMS-cancelLong.Milliseconds())
	for _, s := range stuck {
		by := ""
		if s.By != lifecycle.StoppedByNobody {
			by = " (" + string(s.By) + ")"
		}
		found = append(found, Finding{
			Code: CodeCancelStuck, Severity: SeverityWarning, UID: s.UID, WorkflowID: s.WorkflowID,
			Detail: fmt.Sprintf("it was asked to end %s ago%s and has not", span(at.Now.WallMS-s.SinceMS), by),
		})
	}
	return found, err
}

// auditWorkflows looks at the workflows that are open.
func (c Config) auditWorkflows(ctx context.Context, at heartbeat.Observer) (found []Finding, err error) {
	open, err := c.Ledger.OpenHistories(ctx)
	for _, h := range open {
		if f, ok := auditWorkflow(h, at.Now); ok {
			f.WorkflowID = h.ID
			found = append(found, f)
		}
	}
	return found, err
}

// auditWorkflow looks at one open workflow. A flow that waits is somebody's to
// answer, however long it takes.
func auditWorkflow(h store.WorkflowHistory, now store.Instant) (Finding, bool) {
	quiet := now.WallMS - h.LastEventMS
	switch {
	case h.Stale(now):
		return Finding{
			Code: CodeStaleWorkflow, Severity: SeverityWarning,
			Detail: fmt.Sprintf("nothing has happened for %s and no run is at work on it; a sweep closes it", span(quiet)),
		}, true
	case h.Kind != lifecycle.KindFlow || quiet < blockedLong.Milliseconds():
		return Finding{}, false
	case h.Status == lifecycle.WorkflowBlocked:
		return Finding{
			Code: CodeStaleBlocked, Severity: SeverityWarning, Detail: fmt.Sprintf("it has been blocked for %s", span(quiet)),
		}, true
	case h.Status == lifecycle.WorkflowRunning && h.InFlight == 0:
		return Finding{
			Code: CodeMissingLinkedTasks, Severity: SeverityError,
			Detail: fmt.Sprintf("it is running, has no run in it, and nothing has happened for %s", span(quiet)),
		}, true
	default:
		return Finding{}, false
	}
}

// auditHosts looks for ends that a host has not been told of.
func (c Config) auditHosts(ctx context.Context, at heartbeat.Observer) (found []Finding, err error) {
	rows, err := c.Ledger.HostUnsettled(ctx, at.Now.WallMS-deliveryLate.Milliseconds(), at.Now.WallMS-deliverySoon.Milliseconds())
	for _, e := range rows {
		found = append(found, Finding{
			Code: CodeDeliveryFailed, Severity: SeverityWarning, UID: e.UID,
			Detail: "its end has not been written into the database of " + e.Host,
		})
	}
	return found, err
}

// auditFiles looks at what lies beside the ledger.
func (c Config) auditFiles(ctx context.Context, at heartbeat.Observer) (found []Finding, err error) {
	for _, uid := range filedUIDs(c.StateDir) {
		e, err := c.Ledger.Execution(ctx, uid)
		if err != nil || !c.finishedWith(e, at) {
			continue
		}
		found = append(found, Finding{
			Code: CodeMissingCleanup, Severity: SeverityWarning, UID: uid,
			Detail: "it has ended and left nothing, and its run file is still there; a sweep removes it",
		})
	}
	waiting, rejected, err := store.SpoolState(c.spoolDir())
	if waiting > 0 {
		found = append(found, Finding{
			Code: CodeSpoolWaiting, Severity: SeverityWarning,
			Detail: fmt.Sprintf("facts of %d runs wait in %s for the ledger to take them in", waiting, c.spoolDir()),
		})
	}
	if rejected > 0 {
		found = append(found, Finding{
			Code: CodeSpoolRejected, Severity: SeverityError,
			Detail: fmt.Sprintf("the ledger does not take facts of %d runs; they are in %s with the reasons", rejected, c.spoolDir()),
		})
	}
	return found, err
}

// finishedWith says whether a row's run file is of no more use.
func (c Config) finishedWith(e store.Execution, at heartbeat.Observer) bool {
	if !e.Process.End.Over() || standingOf(e, at) == StandingLive || len(survivors(e, at)) > 0 {
		return false
	}
	if occupied(groupOf(e)) {
		return false
	}
	_, err := os.Stat(runfile.Path(c.StateDir, e.UID))
	return err == nil
}

// occupied says whether somebody lives in a control group, be it one whom we cannot
// see: he has no number in our pid namespace.
func occupied(cgroup string) bool {
	return slices.ContainsFunc(membersOf(cgroup), func(pid int) bool { return pid == 0 || lives(pid) })
}

// lives says whether a pid is of a process that has not ended.
func lives(pid int) bool {
	p, err := proc.Read(pid)
	return err == nil && !p.Dead()
}

// span is a number of milliseconds for a person.
func span(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Truncate(time.Second).String()
}
