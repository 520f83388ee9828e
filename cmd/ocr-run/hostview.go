package main

import (
	"context"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// joinHosts brings the workflows that hosts keep up to date: a round that was not
// complete when its run ended may be by now.
func (e environment) joinHosts(ctx context.Context, rows []store.Execution) {
	for i := range rows {
		if asksHost(rows[i]) {
			rows[i].Workflow = workflowInHost(ctx, rows[i])
		}
	}
}

// asksHost says whether the host may know more of a run than its row: of a
// complete round it does not, nor of a run that ended, to its wrapper's knowledge,
// without a workflow.
func asksHost(e store.Execution) bool {
	switch {
	case e.Host == "":
		return false
	case e.Workflow != nil:
		return e.Workflow.Hosted && e.Workflow.Completeness != lifecycle.CompletenessComplete
	default:
		return !e.Process.End.Over() || e.Process.End == lifecycle.EndLost
	}
}

// workflowInHost reads the workflow of a run, in the round the run ended in. What
// cannot be read stays as it was, and is unreadable if nothing was known.
func workflowInHost(ctx context.Context, e store.Execution) *store.WorkflowView {
	host, ok, err := ocrdb.Find(e.Host)
	if err != nil || !ok || host.Root != e.Host {
		return knownOrNot(e)
	}
	if e.Workflow == nil || e.Workflow.ID == "" {
		w, ok, err := host.WorkflowOf(ctx, e.UID)
		switch {
		case err != nil:
			return knownOrNot(e)
		case !ok:
			return nil
		}
		return hostView(w)
	}
	all, err := host.Workflows(ctx, ocrdb.Ask{ID: e.Workflow.ID, Round: e.Workflow.Round, Except: e.UID})
	if err != nil || len(all) != 1 {
		return knownOrNot(e)
	}
	return hostView(all[0])
}

// knownOrNot is what the row says of the workflow, or that nobody knows.
func knownOrNot(e store.Execution) *store.WorkflowView {
	if e.Workflow != nil || !e.Process.End.Over() {
		return e.Workflow
	}
	return &store.WorkflowView{Completeness: lifecycle.CompletenessUnreadable, Hosted: true}
}

// foreignRuns are the executions of the host of dir that the ledger does not
// have, judged like our own, newest first.
func (c call) foreignRuns(ctx context.Context, dir string, sel ocrdb.Select, ours []render.Execution) ([]render.Execution, error) {
	host, ok, err := ocrdb.Find(dir)
	if err != nil || !ok {
		return nil, err
	}
	rows, err := host.Executions(ctx, sel)
	if err != nil {
		return nil, err
	}
	var all []render.Execution
	for _, row := range rows {
		known := slices.ContainsFunc(ours, func(e render.Execution) bool { return e.UID == row.UID })
		if !known && !row.Ours {
			all = append(all, foreignView(host, row))
		}
	}
	return all, nil
}

// foreignView is an execution of the host as the JSON contract shows it.
func foreignView(host ocrdb.Host, row ocrdb.Execution) render.Execution {
	v := lifecycle.Judge(row.Facts())
	liveness := heartbeat.LivenessEnded
	if row.Unfinished() {
		liveness = heartbeat.LivenessLate
	}
	var workflow *store.WorkflowView
	if row.WorkflowID != "" {
		workflow = &store.WorkflowView{
			ID: row.WorkflowID, Kind: row.WorkflowKind, Completeness: row.Completeness, Phase: row.Phase, Round: row.Round, Hosted: true,
		}
	}
	return render.Execution{
		SchemaVersion: render.SchemaVersion, UID: row.UID, Name: render.OrNull(row.Name), Source: sourceHost,
		Command: strings.Fields(row.Command), Workspace: render.OrNull(host.Root), Agent: render.OrNull(row.Vendor),
		AgentSessionID: render.OrNull(row.VendorSessionID),
		StartedAt:      render.TimeOrNull(row.StartedMS), EndedAt: render.TimeOrNull(row.FinishedMS),
		LastHeartbeatAt: render.TimeOrNull(row.HeartbeatMS), Liveness: string(liveness),
		Process: processView(row.Process), Workflow: workflowView(workflow), Turn: render.Turn{State: turnState("")},
		Outcome: string(v.Outcome), Cause: render.OrNull(string(v.Cause)), Evidence: []render.Evidence{},
		Leftovers: leftoversView(store.Leftovers{}), Recording: recording(false),
	}
}
