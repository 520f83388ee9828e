package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

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
	// The wall clock may have been set meanwhile, in either direction.
	from := min(h.startedMS, e.At.WallMS-max(e.AwakeMS, 0)-e.SuspendedMS)
	work := hostWork{host: h.host, uid: h.uid, guess: h.agent || h.unannounced(), fromMS: from}
	w, guessed, err := h.look(ctx, work)
	if err == nil && w != nil && h.finish != nil && !w.Closed && w.HasArtifact && w.InFlight == 0 {
		if err := h.finish(ctx, w.ID); err != nil {
			h.note(e, lifecycle.SourceOwnAct, "the host could not finish "+w.ID+": "+err.Error())
		}
		w, guessed, err = h.look(ctx, work)
	}
	switch {
	case err != nil:
		h.blind(e, err)
	case w != nil:
		e.HostWorkflow = hostView(*w)
	}
	if guessed {
		h.note(e, lifecycle.SourceLedger, fmt.Sprintf(
			"no workflow is linked to this run in %s; %s changed while it ran, and no other run was at it", h.host.Path, w.ID))
	}
}

// look finds the workflow of the run, within the time that an end may take.
func (h *hosting) look(ctx context.Context, work hostWork) (w *ocrdb.Workflow, guessed bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostVerdictTimeout)
	defer cancel()
	w, guessed, err = work.find(ctx)
	h.silent = errors.Is(err, ocrdb.ErrBusy) || err != nil && ctx.Err() != nil
	return w, guessed, err
}

// blind ends a run about whose workflow the host says nothing: there may be one.
func (h *hosting) blind(e *store.Ending, why error) {
	h.log.Warn().Err(why).Msg("read the host's workflow")
	e.HostWorkflow = &store.WorkflowView{Completeness: lifecycle.CompletenessUnreadable}
	h.note(e, lifecycle.SourceLedger, why.Error())
}

// note adds to the evidence of an end.
func (h *hosting) note(e *store.Ending, source lifecycle.EvidenceSource, detail string) {
	e.Evidence = append(e.Evidence, lifecycle.Evidence{Source: source, Detail: detail, AtMS: h.nowMS()})
}

// settle writes the end into our row, for people who look there. That it stands
// is seen to by a later sweep.
func (h *hosting) settle(ctx context.Context, e store.Execution, cause lifecycle.Cause) {
	if h == nil || h.row == nil {
		return
	}
	patience := hostEndTimeout
	if h.silent {
		patience = hostLaunchTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if _, err := h.row.Finish(ctx, hostEnding(e, cause)); err != nil {
		h.log.Warn().Err(err).Msg("write the end to the host")
	}
}

// hostEnding is the end of a row in the host's terms.
func hostEnding(e store.Execution, cause lifecycle.Cause) ocrdb.Ending {
	return ocrdb.Ending{Process: e.Process, Cause: cause, VendorSessionID: e.AgentSessionID, AtMS: e.EndedAtMS}
}

// finishInHost has the host's own command finish a workflow: we never do.
func (w *wrapping) finishInHost(ctx context.Context, host ocrdb.Host, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), hostFinishTimeout)
	defer cancel()
	path, err := hostCommand(host, w.env.environ)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, "state", hostVerb(path, "finish", "finish"), "--session-id", id)
	cmd.Dir, cmd.Env, cmd.WaitDelay = host.Root, w.childEnv(), hostFinishDelay
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %s", path, err, lastLine(string(out)))
	}
	return nil
}
