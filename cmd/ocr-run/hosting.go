package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

const (
	// hostLaunchTimeout bounds the host's part of a launch: every beat tries
	// again.
	hostLaunchTimeout = 300 * time.Millisecond
	// hostEndTimeout bounds each of the two looks at the host that the end of a
	// run takes. What cannot be read by then counts as unreadable.
	hostEndTimeout = 2 * time.Second
	// hostFinishTimeout bounds the host's own command that finishes a workflow.
	hostFinishTimeout = 30 * time.Second
)

// hosting is a run in the project of a host, which keeps the workflow: our row in
// the host's database, and the look at the workflow at the end. Nothing of it can
// fail the run.
type hosting struct {
	host ocrdb.Host
	uid  string
	// row is our row; nil for a run whose uid came from the host's dashboard,
	// which has its own.
	row   *ocrdb.Row
	agent bool // an agent runs, not just anything
	every time.Duration
	clock clock.Clock
	log   zerolog.Logger
	// broken is why there is something like a host that cannot be looked at; nil
	// when it can.
	broken error
	// finish, when it is not nil, lets the host finish a complete workflow.
	finish func(ctx context.Context, id string) error

	mu        sync.Mutex
	announced bool
}

// adopts says whether the run is the one that the host's dashboard has a row for
// and set the uid of: the row is unfinished and not ours, and the ledger knows of
// no such run.
func (w *wrapping) adopts(ctx context.Context, host ocrdb.Host, uid string) bool {
	if uid == "" || uid == w.env.get(envRunUID) {
		return false
	}
	row, ok, err := host.Execution(ctx, uid)
	if err != nil || !ok || row.Ours || !row.Unfinished() {
		return false
	}
	l, err := w.journal.Ledger(ctx)
	if err != nil {
		return false
	}
	_, err = l.Execution(ctx, uid)
	return errors.Is(err, store.ErrNotFound)
}

// vendorName is an agent's name in the host's words; empty for one it does not
// know.
func vendorName(agent string) string {
	switch agent {
	case "claude", "opencode":
		return agent
	default:
		return ""
	}
}

// newHosting prepares the host's side of a run.
func (w *wrapping) newHosting(host ocrdb.Host, adopted bool) *hosting {
	threshold, err := host.Threshold()
	if err != nil {
		w.log.Warn().Err(err).Msg("host")
	}
	h := &hosting{
		host: host, uid: w.uid, agent: w.agent != "", clock: w.env.clock, log: w.log,
		// Looked at twice as often as it is renewed: a row that another program's
		// copy of the file has removed comes back soon.
		every: ocrdb.Interval(threshold) / 2,
	}
	if w.opts.autoFinish {
		h.finish = func(ctx context.Context, id string) error { return w.finishInHost(ctx, host, id) }
	}
	if !adopted {
		h.row = host.Row(ocrdb.Announcement{
			UID: w.uid, Command: w.command, Vendor: vendorName(w.agent), Name: w.opts.name,
			StartedMS: h.nowMS(), BeatEvery: ocrdb.Interval(threshold),
		})
	}
	return h
}

// nowMS is the wall clock in milliseconds.
func (h *hosting) nowMS() int64 { return h.clock.Now().Wall.UnixMilli() }

// announce writes our row before the command exists.
func (h *hosting) announce(ctx context.Context) {
	if h == nil || h.row == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hostLaunchTimeout)
	defer cancel()
	err := h.row.Announce(ctx, h.nowMS())
	if err != nil {
		h.log.Warn().Err(err).Msg("announce to host")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.announced = err == nil
}

// beat keeps our row standing and fresh until the context ends.
func (h *hosting) beat(ctx context.Context) {
	h.mu.Lock()
	wait := h.every
	if !h.announced {
		wait = time.Second
	}
	h.mu.Unlock()
	for clock.Wait(ctx, wait) == nil {
		wait = h.every
		answer, err := h.row.Beat(ctx, h.nowMS())
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, ocrdb.ErrTooNew), errors.Is(err, ocrdb.ErrTooOld), errors.Is(err, ocrdb.ErrForeign):
			h.log.Warn().Err(err).Msg("the host's database is only read")
			return
		case err != nil:
			h.log.Warn().Err(err).Msg("beat to host")
		case answer.Restored:
			h.log.Info().Msg("the row in the host's database had gone and was written anew")
		}
	}
}

// ended puts the host's workflow into the end of the run, after the host has
// finished it if that was asked for and nothing but that is missing.
func (h *hosting) ended(ctx context.Context, e *store.Ending) {
	if h == nil || e.End == lifecycle.EndNotStarted {
		return
	}
	if h.broken != nil {
		h.blind(e, h.broken)
		return
	}
	from := e.At.WallMS - max(e.AwakeMS, 0) - e.SuspendedMS
	w, guessed, err := h.workflow(ctx, from)
	if err == nil && w != nil && h.finish != nil && !w.Closed && w.HasArtifact && w.InFlight == 0 {
		if err := h.finish(ctx, w.ID); err != nil {
			e.Evidence = append(e.Evidence, lifecycle.Evidence{Source: lifecycle.SourceOwnAct, Detail: "the host could not finish " + w.ID + ": " + err.Error(), AtMS: h.nowMS()})
		}
		w, guessed, err = h.workflow(ctx, from)
	}
	if err != nil {
		h.blind(e, err)
		return
	}
	if w == nil {
		return
	}
	e.HostWorkflow = hostView(*w)
	if guessed {
		e.Evidence = append(e.Evidence, lifecycle.Evidence{Source: lifecycle.SourceLedger, AtMS: h.nowMS(), Detail: fmt.Sprintf(
			"no workflow is linked to this run in %s; %s changed while it ran and is linked to no other", h.host.Path, w.ID)})
	}
}

// blind ends a run about whose workflow the host says nothing: there may be one.
func (h *hosting) blind(e *store.Ending, why error) {
	h.log.Warn().Err(why).Msg("read the host's workflow")
	e.HostWorkflow = &store.WorkflowView{Completeness: lifecycle.CompletenessUnreadable}
	e.Evidence = append(e.Evidence, lifecycle.Evidence{Source: lifecycle.SourceLedger, Detail: why.Error(), AtMS: h.nowMS()})
}

// workflow is the workflow of the run, nil for none. One that the host has not
// linked is guessed for an agent: work begun by it must not pass for none.
func (h *hosting) workflow(ctx context.Context, fromMS int64) (w *ocrdb.Workflow, guessed bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostEndTimeout)
	defer cancel()
	linked, ok, err := h.host.WorkflowOf(ctx, h.uid)
	if ok || err != nil {
		return &linked, false, err
	}
	if !h.agent {
		return nil, false, nil
	}
	w, err = h.unlinked(ctx, fromMS)
	return w, true, err
}

// unlinked is the worst of the workflows that changed since fromMS and that no
// execution is linked to; nil when there is none.
func (h *hosting) unlinked(ctx context.Context, fromMS int64) (worst *ocrdb.Workflow, err error) {
	// The host keeps whole seconds.
	all, err := h.host.Workflows(ctx, ocrdb.Ask{SinceMS: fromMS / 1000 * 1000, Except: h.uid})
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		linked, err := h.host.Executions(ctx, ocrdb.Select{WorkflowID: w.ID, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(linked) == 0 && (worst == nil || lifecycle.Worse(worst.Completeness, w.Completeness) != worst.Completeness) {
			worst = &w
		}
	}
	return worst, nil
}

// settle writes the end into our row, for people who look there. That it stands
// is seen to by a later sweep.
func (h *hosting) settle(ctx context.Context, e store.Execution, cause lifecycle.Cause) {
	if h == nil || h.row == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostEndTimeout)
	defer cancel()
	if _, err := h.row.Finish(ctx, hostEnding(e, cause)); err != nil {
		h.log.Warn().Err(err).Msg("write the end to the host")
	}
}

// hostEnding is the end of a row in the host's terms.
func hostEnding(e store.Execution, cause lifecycle.Cause) ocrdb.Ending {
	return ocrdb.Ending{Process: e.Process, Cause: cause, VendorSessionID: e.AgentSessionID, AtMS: e.EndedAtMS}
}

// hostView is a workflow of the host as an execution sees it.
func hostView(w ocrdb.Workflow) *store.WorkflowView {
	return &store.WorkflowView{ID: w.ID, Kind: w.Kind, Completeness: w.Completeness, Phase: w.Phase, Round: w.Round, Hosted: true}
}

// finishInHost has the host's own command finish a workflow: we never do.
func (w *wrapping) finishInHost(ctx context.Context, host ocrdb.Host, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostFinishTimeout)
	defer cancel()
	path, err := hostCommand(host, w.env.environ)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, "state", hostVerb(path, "finish"), "--session-id", id)
	cmd.Dir, cmd.Env = host.Root, w.childEnv()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", path, err, lastLine(string(out)))
	}
	return nil
}
