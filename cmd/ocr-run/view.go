package main

import (
	"fmt"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// sourceLedger is the source of everything our own ledger holds.
const sourceLedger = "ledger"

// sourceHost is the source of everything in the database of Open Code Review.
const sourceHost = "open-code-review"

// observer is where and when rows are looked at.
func (e environment) observer() heartbeat.Observer {
	boot, _ := e.bootID()    // without a boot id no age is judged, which is right
	name, _ := e.machineID() // a machine without a name is compared with none
	return heartbeat.Observer{MachineID: name, Now: heartbeat.InstantOf(e.clock.Now(), boot)}
}

// verdictOf judges a row by all that is known about it.
func verdictOf(e store.Execution) lifecycle.Verdict { return lifecycle.Judge(factsOf(e)) }

// factsOf is all that is known about a row.
func factsOf(e store.Execution) lifecycle.Facts {
	testifies, presumes := witnessed(e.Agent)
	f := lifecycle.Facts{Process: e.Process, Turn: e.Turn, Agent: testifies, Presumed: presumes, Evidence: e.Evidence}
	if e.Workflow != nil {
		f.Workflow = e.Workflow.Completeness
	}
	return f
}

// witnessed says whether an agent leaves evidence of its own, so that its silence
// means something, and whether what its hooks say of a completed turn does not. Of one
// nobody knows, neither is known.
func witnessed(name string) (testifies, presumes bool) {
	if a, known := agent.ByName(name); known {
		return a.Testifies, a.Presumes
	}
	return name != "", false
}

// executionView is a row as the JSON contract shows it.
func executionView(e store.Execution, liveness heartbeat.Liveness, now store.Instant) render.Execution {
	v := verdictOf(e)
	return render.Execution{
		SchemaVersion:   render.SchemaVersion,
		UID:             e.UID,
		ParentUID:       render.OrNull(e.ParentUID),
		FlowID:          render.OrNull(e.FlowID),
		ResumedFrom:     render.OrNull(e.ResumedFrom),
		AwaitsUserSince: render.TimeOrNull(awaitsUserMS(e)),
		WaitsFor:        render.OrNull(waitsFor(e, now)),
		WaitsUntil:      render.TimeOrNull(waitsUntilMS(e, now)),
		Name:            render.OrNull(e.Name),
		Source:          sourceLedger,
		Command:         e.Command,
		Workspace:       render.OrNull(e.Workspace),
		Agent:           render.OrNull(e.Agent),
		AgentSessionID:  render.OrNull(e.AgentSessionID),
		PID:             render.OrNull(e.Launch.Child.PID),
		StartedAt:       render.TimeOrNull(e.StartedAtMS),
		EndedAt:         render.TimeOrNull(e.EndedAtMS),
		AwakeMS:         awakeMS(e, now),
		SuspendedMS:     new(e.SuspendedMS),
		LastHeartbeatAt: render.TimeOrNull(e.LastBeat.WallMS),
		Liveness:        string(liveness),
		Process:         processView(e.Process),
		Workflow:        workflowView(e.Workflow),
		Turn:            render.Turn{State: turnState(factsOf(e).LastTurn())},
		Outcome:         string(v.Outcome),
		Cause:           render.OrNull(string(v.Cause)),
		Evidence:        evidenceView(e.Evidence),
		Leftovers:       leftoversView(e.Leftovers),
		Resume:          resumeView(resumeOf(e)),
		Recording:       recording(e.Degraded),
	}
}

// awaitsUserMS is since when an agent waits for its user, 0 when it does not. That it
// goes on no hook tells; its terminal does, to the precision of a beat or two.
func awaitsUserMS(e store.Execution) int64 {
	if e.LastActivityMS > e.AwaitsUserMS+2*e.BeatMS {
		return 0
	}
	return e.AwaitsUserMS
}

// waits says whether a run waits for its time: one that is queued waits for its turn
// from then on.
func waits(e store.Execution, now store.Instant) bool {
	return e.Waiting() && (e.Process.End != lifecycle.EndQueued || now.WallMS < e.NotBeforeMS)
}

// waitsFor is what a run waits for before its launch, empty when it does not wait.
func waitsFor(e store.Execution, now store.Instant) string {
	if !waits(e, now) {
		return ""
	}
	return string(e.WaitsFor)
}

// waitsUntilMS is when a run that waits is launched at the earliest, 0 when it does
// not wait.
func waitsUntilMS(e store.Execution, now store.Instant) int64 {
	if !waits(e, now) {
		return 0
	}
	return e.NotBeforeMS
}

// attemptsView are earlier runs, by how each ended.
func attemptsView(all []store.Execution) []render.Attempt {
	out := make([]render.Attempt, 0, len(all))
	for _, e := range all {
		v := verdictOf(e)
		out = append(out, render.Attempt{
			UID: e.UID, Outcome: string(v.Outcome), Cause: render.OrNull(string(v.Cause)), EndedAt: render.TimeOrNull(e.EndedAtMS),
		})
	}
	return out
}

// awakeMS is how long a run has been or was awake; nil when nobody knows. Of a
// run that has not ended it is known only within one boot.
func awakeMS(e store.Execution, now store.Instant) *int64 {
	from, until := e.Launch.At, now
	if from.BootID == "" {
		from = e.At
	}
	switch {
	case e.Process.End.Over() && e.AwakeMS >= 0:
		return new(e.AwakeMS)
	case e.Process.End.Over() || from.BootID == "" || from.BootID != until.BootID:
		return nil
	default:
		return new(max(until.AwakeMS-from.AwakeMS, 0))
	}
}

// processView is the first fact.
func processView(p lifecycle.Process) render.Process {
	return render.Process{
		End:        string(p.End),
		ExitCode:   p.ExitCode,
		Signal:     p.Signal,
		CoreDumped: p.CoreDumped,
		StoppedBy:  render.OrNull(string(p.StoppedBy)),
	}
}

// workflowView is the second fact, nil when no workflow is linked.
func workflowView(w *store.WorkflowView) *render.Workflow {
	if w == nil {
		return nil
	}
	source := sourceLedger
	if w.Hosted {
		source = sourceHost
	}
	return &render.Workflow{
		ID:           w.ID,
		Kind:         string(w.Kind),
		Source:       source,
		Completeness: string(w.Completeness),
		Phase:        render.OrNull(string(w.Phase)),
		Round:        render.OrNull(w.Round),
	}
}

// turnState is a turn's state, with a word for no turn.
func turnState(s lifecycle.TurnState) string {
	if s == "" {
		return string(lifecycle.TurnNone)
	}
	return string(s)
}

// evidenceView is the evidence in the order it is stored.
func evidenceView(all []lifecycle.Evidence) []render.Evidence {
	out := make([]render.Evidence, 0, len(all))
	for _, ev := range all {
		out = append(out, render.Evidence{Source: string(ev.Source), Detail: ev.Detail, At: render.TimeOrNull(ev.AtMS)})
	}
	return out
}

// leftoversView is the leftovers by what became of them.
func leftoversView(l store.Leftovers) render.Leftovers {
	return render.Leftovers{Stopped: leftoverList(l.Stopped), Kept: leftoverList(l.Kept), Remaining: leftoverList(l.Remaining)}
}

// leftoverList is one of the lists.
func leftoverList(all []store.Leftover) []render.Leftover {
	out := make([]render.Leftover, 0, len(all))
	for _, p := range all {
		out = append(out, render.Leftover{
			PID:     p.PID,
			Command: render.OrNull(p.Command),
			Signal:  render.OrNull(p.Signal),
			Reason:  render.OrNull(p.Reason),
		})
	}
	return out
}

// resumeOf is the command that continues a run: the one written down at its end, or
// the one that follows from the session its agent has told of. Only the wrapper writes
// one down: where it was killed, neither the monitor's exit record nor a sweep has any.
func resumeOf(e store.Execution) []string {
	ended := e.Process.End.Over() && e.Process.End != lifecycle.EndNotStarted
	if e.Resume != nil || e.AgentSessionID == "" || !ended {
		return e.Resume
	}
	a, _ := agent.ByName(e.Agent)
	return a.Resume(a.Read(e.Command, e.Launch.TTY != ""), e.AgentSessionID, "")
}

// resumeView is the command that continues the work, nil when there is none.
func resumeView(command []string) *render.Resume {
	if len(command) == 0 {
		return nil
	}
	return &render.Resume{Command: command}
}

// recording says whether the ledger could always be written.
func recording(degraded bool) string {
	if degraded {
		return "degraded"
	}
	return "ok"
}

// eventView is an event as the JSON contract shows it. The verdict is that of
// the run it ends; zero for all other events.
func eventView(e store.Event, v lifecycle.Verdict) render.Event {
	return render.Event{
		Seq:        e.Seq,
		At:         render.Time(e.AtMS),
		Type:       string(e.Type),
		UID:        render.OrNull(e.UID),
		WorkflowID: render.OrNull(e.WorkflowID),
		TurnID:     render.OrNull(e.TurnID),
		Phase:      render.OrNull(string(e.Phase)),
		Round:      render.OrNull(e.Round),
		Outcome:    render.OrNull(string(v.Outcome)),
		Cause:      render.OrNull(string(v.Cause)),
		Payload:    e.Payload,
	}
}

// sinceMS reads a moment in the past: a length of time before now, or an
// RFC 3339 instant.
func sinceMS(text string, nowMS int64) (int64, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UnixMilli(), nil
	}
	d, err := parseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a length of time, as in 90s, 2h or 3d, nor an RFC 3339 instant, as in 2026-03-01T12:00:00Z", text)
	}
	return nowMS - d.Milliseconds(), nil
}
