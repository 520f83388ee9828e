package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// hostLookTimeout bounds what hosts add to a verb that looks.
const hostLookTimeout = 2 * time.Second

// joinHosts brings the workflows that hosts keep up to date: a round that was not
// complete when its run ended may be by now. A host that does not answer is not
// asked again: its runs are shown as they were.
func (c call) joinHosts(ctx context.Context, rows []store.Execution) {
	ctx, cancel := context.WithTimeout(ctx, hostLookTimeout)
	defer cancel()
	silent := map[string]bool{}
	for i, row := range rows {
		if !asksHost(row) {
			continue
		}
		w, err := row.Workflow, error(nil)
		if !silent[row.Host] {
			w, err = workflowInHost(ctx, row)
		}
		if err != nil {
			silent[row.Host] = true
			c.note("runs in %s are shown without a look at their workflows: %s", row.Host, err)
		}
		if silent[row.Host] {
			w = knownOrNot(row)
		}
		rows[i].Workflow = w
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

// workflowInHost reads the workflow of a run, in the round the run ended in. That of
// a project that is gone stays as it was.
func workflowInHost(ctx context.Context, e store.Execution) (*store.WorkflowView, error) {
	host, ok, err := findHost(e.Host)
	switch {
	case err != nil:
		return nil, err
	case !ok || host.Root != e.Host:
		return knownOrNot(e), nil
	case e.Workflow == nil || e.Workflow.ID == "":
		return linkedInHost(ctx, host, e)
	}
	all, err := host.Workflows(ctx, ocrdb.Ask{ID: e.Workflow.ID, Round: e.Workflow.Round, Except: e.UID})
	if err != nil || len(all) != 1 {
		return knownOrNot(e), err
	}
	return hostView(all[0]), nil
}

// linkedInHost finds the workflow of a run whose wrapper could not: in the host's row
// of the run, or as the wrapper would have.
func linkedInHost(ctx context.Context, host ocrdb.Host, e store.Execution) (*store.WorkflowView, error) {
	row, _, err := host.Execution(ctx, e.UID)
	if err != nil || row.WorkflowID != "" {
		return rowView(row), err
	}
	if e.Agent == "" || e.Workflow == nil {
		return nil, nil //nolint:nilnil // no workflow is an answer, and not an error
	}
	w, err := hostWork{host: host, uid: e.UID, fromMS: e.At.WallMS, toMS: e.EndedAtMS}.unlinked(ctx)
	if err != nil || w == nil {
		return nil, err
	}
	return hostView(*w), nil
}

// rowView is the workflow that a row of the host is linked to.
func rowView(row ocrdb.Execution) *store.WorkflowView {
	return &store.WorkflowView{
		ID: row.WorkflowID, Kind: row.WorkflowKind, Completeness: row.Completeness, Phase: row.Phase, Round: row.Round, Hosted: true,
	}
}

// knownOrNot is what the row says of the workflow, or that nobody knows.
func knownOrNot(e store.Execution) *store.WorkflowView {
	if e.Workflow != nil || !e.Process.End.Over() {
		return e.Workflow
	}
	return &store.WorkflowView{Completeness: lifecycle.CompletenessUnreadable, Hosted: true}
}

// foreignRuns are the executions of the host of dir that the ledger does not
// have, judged like our own, newest first. A host that does not answer takes
// nothing away from what the ledger says: there are none then, and a note. Who asks
// for all of them waits for longer.
func (c call) foreignRuns(ctx context.Context, dir string, sel ocrdb.Select, ours []render.Execution) (all []render.Execution) {
	if sel.Limit > 0 {
		bounded, cancel := context.WithTimeout(ctx, hostLookTimeout)
		defer cancel()
		ctx = bounded
	}
	host, ok, err := findHost(dir)
	var rows []ocrdb.Execution
	if err == nil && ok {
		rows, err = host.Executions(ctx, sel)
	}
	if err != nil {
		c.note("executions of Open Code Review are not shown: %s", err)
		return nil
	}
	for _, row := range rows {
		known := slices.ContainsFunc(ours, func(e render.Execution) bool { return e.UID == row.UID })
		if !known && !row.Ours {
			all = append(all, c.foreignView(host, row))
		}
	}
	return all
}

// foreignNamed are the executions of the host of this directory that answer to a
// name.
func (c call) foreignNamed(ctx context.Context, name string) []render.Execution {
	return slices.DeleteFunc(c.foreignRuns(ctx, c.dir, ocrdb.Select{}, nil), func(e render.Execution) bool {
		return e.UID == "" || !named(e.UID, name)
	})
}

// foreignView is an execution of the host as the JSON contract shows it.
func (c call) foreignView(host ocrdb.Host, row ocrdb.Execution) render.Execution {
	v := lifecycle.Judge(row.Facts())
	var workflow *store.WorkflowView
	if row.WorkflowID != "" {
		workflow = rowView(row)
	}
	return render.Execution{
		SchemaVersion: render.SchemaVersion, UID: row.UID, Name: render.OrNull(row.Name), Source: sourceHost,
		Command: strings.Fields(row.Command), Workspace: render.OrNull(host.Root), Agent: render.OrNull(row.Vendor),
		AgentSessionID: render.OrNull(row.VendorSessionID),
		StartedAt:      render.TimeOrNull(row.StartedMS), EndedAt: render.TimeOrNull(row.FinishedMS),
		LastHeartbeatAt: render.TimeOrNull(row.HeartbeatMS), Liveness: string(c.foreignLiveness(host, row)),
		Process: processView(row.Process), Workflow: workflowView(workflow), Turn: render.Turn{State: turnState("")},
		Outcome: string(v.Outcome), Cause: render.OrNull(string(v.Cause)), Evidence: []render.Evidence{},
		Leftovers: leftoversView(store.Leftovers{}), Recording: recording(false),
	}
}

// foreignLiveness is how an execution of the host is doing, by the host's own rule:
// it has nothing to go by but the age of the heartbeat.
func (c call) foreignLiveness(host ocrdb.Host, row ocrdb.Execution) heartbeat.Liveness {
	if !row.Unfinished() {
		return heartbeat.LivenessEnded
	}
	threshold, _ := host.Threshold() // where it cannot be read, the host takes this one too
	if c.clock.Now().Wall.UnixMilli()-row.HeartbeatMS < threshold.Milliseconds() {
		return heartbeat.LivenessLive
	}
	return heartbeat.LivenessLate
}
