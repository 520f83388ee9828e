package main

import (
	"context"
	"slices"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

// hostWork is the question which workflow of a host a run worked on.
type hostWork struct {
	host ocrdb.Host
	uid  string
	// guess: look for one that the host has not linked to the run. It links a run
	// to the first workflow that it begins and to no other: not to one that it goes
	// on with, and up to schema 10 to none.
	guess bool
	// fromMS and toMS are when the run ran, in wall-clock milliseconds; toMS is 0
	// for up to now.
	fromMS, toMS int64
}

// find answers it: the workflow that is linked, else the one guessed, else nil.
func (k hostWork) find(ctx context.Context) (w *ocrdb.Workflow, guessed bool, err error) {
	linked, ok, err := k.host.WorkflowOf(ctx, k.uid)
	switch {
	case err != nil:
		return nil, false, err
	case ok:
		return &linked, false, nil
	case !k.guess:
		return nil, false, nil
	}
	w, err = k.unlinked(ctx)
	return w, w != nil, err
}

// unlinked is the worst of the workflows that moved while the run ran and that no
// other run was at: work an agent did must not pass for none. It is nil when there
// is none.
func (k hostWork) unlinked(ctx context.Context) (worst *ocrdb.Workflow, err error) {
	all, err := k.host.Workflows(ctx, ocrdb.Ask{SinceMS: wholeSecond(k.fromMS), Except: k.uid})
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		mine, err := k.workedOn(ctx, w.ID)
		if err != nil {
			return nil, err
		}
		if mine && (worst == nil || lifecycle.Worse(worst.Completeness, w.Completeness) != worst.Completeness) {
			worst = &w
		}
	}
	return worst, nil
}

// workedOn says whether a workflow moved while the run ran, and was in the hands of
// no other.
func (k hostWork) workedOn(ctx context.Context, id string) (bool, error) {
	events, err := k.host.Events(ctx, id)
	if err != nil || !slices.ContainsFunc(events, k.moved) {
		return false, err
	}
	rows, err := k.host.Executions(ctx, ocrdb.Select{WorkflowID: id})
	return !slices.ContainsFunc(rows, k.atIt), err
}

// moved says whether an event is a step of work, done while the run ran. That a
// workflow was given up, tidied up or taken in is none.
func (k hostWork) moved(e ocrdb.Event) bool {
	closing := e.Type == lifecycle.EventSessionClosed || slices.Contains(lifecycle.CloseReasons(), e.Type)
	return !closing && e.AtMS >= wholeSecond(k.fromMS) && (k.toMS == 0 || e.AtMS <= k.toMS)
}

// atIt says whether an execution is another one that drove its workflow while the
// run ran, as far as anybody knows: what shows no sign of life any more did not.
func (k hostWork) atIt(e ocrdb.Execution) bool {
	last := e.FinishedMS
	if e.Unfinished() {
		last = e.HeartbeatMS + ocrdb.DefaultThreshold.Milliseconds()
	}
	return e.UID != k.uid && e.Role == ocrdb.RoleSupervisor && last >= k.fromMS && (k.toMS == 0 || e.StartedMS <= k.toMS)
}

// wholeSecond is when the host says that something happened at ms: it does not
// keep more.
func wholeSecond(ms int64) int64 { return ms / 1000 * 1000 }

// hostView is a workflow of the host as an execution sees it.
func hostView(w ocrdb.Workflow) *store.WorkflowView {
	return &store.WorkflowView{ID: w.ID, Kind: w.Kind, Completeness: w.Completeness, Phase: w.Phase, Round: w.Round, Hosted: true}
}
