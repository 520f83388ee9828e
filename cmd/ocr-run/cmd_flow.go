package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// flowVerbs are the verbs of flows, in the order of a flow's life.
func flowVerbs() []verb {
	all := []verb{flowCreateVerb(), flowRunVerb()}
	all = append(all, flowMoveVerbs()...)
	return append(all, flowCancelVerb(), flowShowVerb(), flowListVerb(), flowWatchVerb())
}

// Flags of several flow verbs.
func ownerSpec() flagSpec {
	return flagSpec{name: "owner", value: "NAME", usage: "only if the flow belongs to NAME"}
}

func revisionSpec() flagSpec {
	return flagSpec{name: "expect-revision", value: "N", usage: "only if the flow is still at revision N"}
}

func reasonSpec() flagSpec {
	return flagSpec{name: "reason", value: "TEXT", usage: "say why, for people"}
}

// refusalExits are the exit codes of the verbs that ask something of a flow.
func refusalExits() []exitLine {
	return []exitLine{
		{exitError, "persist_failed: the ledger cannot be written"},
		{exitUsage, "usage error"},
		{exitAmbiguous, "several flows answer to FLOW; some of them are named"},
		{exitNotFound, "not_found: no flow answers to FLOW"},
		{exitTransition, "invalid_transition: no such step leads from the state it is in"},
		{exitInvariant, "not_managed, owner_mismatch, cancel_requested, terminal or revision_conflict"},
		{exitBusy, "persist_failed: another process keeps the ledger locked"},
	}
}

// flowExits are the exit codes of the flow verbs.
func flowExits() []exitLine {
	return slices.Concat([]exitLine{
		{exitOK, "done; run: this and any other code as of a wrapped run; watch: success"},
		{exitError, "persist_failed: the ledger cannot be written, or read; watch: failed"},
	}, refusalExits()[1:], []exitLine{
		{exitIncomplete, "watch: it was ended as done, and a run of it was no success"},
		{exitTimedOut, "cancel: the timeout was over before everything had ended"},
		{exitInterrupted, "run, cancel, watch: cut short by INT (HUP: 129, TERM: 143); watch: cancelled"},
	})
}

// flowAsk is under what conditions the flags ask something of a flow.
func (c call) flowAsk(p *flagReader) lifecycle.FlowAsk {
	return lifecycle.FlowAsk{Owner: p.label("owner"), Revision: int64(p.positive("expect-revision"))}
}

// flowUser is who a flow belongs to when nobody says it.
func (c call) flowUser() string {
	return cmp.Or(c.get("LOGNAME"), c.get("USER"), "uid "+strconv.Itoa(os.Getuid()))
}

// flowID finds the flow that is meant: the one named, else the one this run is part
// of.
func (c call) flowID(ctx context.Context, l *store.Ledger, name string) (string, error) {
	if name != "" {
		return c.resolveFlow(ctx, l, name)
	}
	uid := c.get(envRunUID)
	if uid == "" {
		return "", c.usage("needs FLOW: outside of a run there is none to go by")
	}
	id, err := l.FlowOf(ctx, uid)
	if errors.Is(err, store.ErrNotFound) {
		return "", &verbError{
			thing: c.verb, err: fmt.Errorf("run %s is part of no flow: %w", uid, store.ErrNotFound), try: program + " flow list",
		}
	}
	if err != nil {
		return "", c.failed(err)
	}
	return id, nil
}

// resolveFlow finds the one flow a name stands for. A workflow of another kind
// answers to its whole name: what is asked of it is refused for a better reason
// than that it is not there.
func (c call) resolveFlow(ctx context.Context, l *store.Ledger, name string) (string, error) {
	id, err := l.ResolveFlow(ctx, name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if _, other := l.Workflow(ctx, name); other == nil {
			return name, nil
		}
		return "", c.unknownFlow(name)
	case errors.Is(err, store.ErrAmbiguous):
		return "", &verbError{thing: c.verb, err: err, try: program + " " + c.verb + " with more of the id"}
	case err != nil:
		return "", c.failed(err)
	default:
		return id, nil
	}
}

// unknownFlow says that no flow answers to a name.
func (c call) unknownFlow(name string) error {
	return &verbError{
		thing: c.verb, err: fmt.Errorf("no flow answers to %q: %w", name, store.ErrNotFound), try: program + " flow list",
	}
}

// operand is the first word, empty without one.
func (c call) operand() string {
	if len(c.words) == 0 {
		return ""
	}
	return c.words[0]
}

// inFlow runs do on the ledger that must be there already, with the id of the flow
// named. missing answers in JSON that none is.
func (c call) inFlow(ctx context.Context, name string, missing any, do func(l *store.Ledger, id string) error) (err error) {
	l, err := c.openExisting(ctx)
	if err != nil {
		return err
	}
	var id string
	if l == nil {
		err = c.unknownFlow(name)
	} else {
		defer func() { err = errors.Join(err, l.Close()) }()
		id, err = c.flowID(ctx, l, name)
	}
	if errors.Is(err, store.ErrNotFound) && c.flags.Bool("json") {
		err = errors.Join(err, c.printJSON(missing))
	}
	if err != nil {
		return err
	}
	return do(l, id)
}

// notFoundReason is the reason in the answers of the verbs that found no flow.
func notFoundReason() *string { return new(string(lifecycle.FlowNotFound)) }

// flowRefused is the error of a refusal: its word, what it means, and the way out.
// trouble is what the ledger said.
func (c call) flowRefused(id string, f store.Flow, r lifecycle.FlowRefusal, trouble error) error {
	e := &verbError{thing: c.verb, try: program + " flow show " + id, kind: store.ErrInvariant}
	say := func(format string, args ...any) error {
		e.err = fmt.Errorf("flow %s: %s: %s", id, r, fmt.Sprintf(format, args...))
		return e
	}
	switch r {
	case lifecycle.FlowNotFound:
		return c.unknownFlow(id)
	case lifecycle.FlowNotManaged:
		e.try = program + " state status --session-id " + id
		return say("it is a %s, which is driven by its own verbs", f.Kind)
	case lifecycle.FlowOwnerMismatch:
		return say("it belongs to %s", f.Owner)
	case lifecycle.FlowCancelRequested:
		e.try = c.anotherFlow(id)
		return say("it was asked to end at %s, which nothing takes back", render.Time(f.CancelRequestedAtMS))
	case lifecycle.FlowTerminal:
		e.try = c.anotherFlow(id)
		return say("it has ended, %s", f.Status)
	case lifecycle.FlowRevisionConflict:
		return say("it has changed since, and is at revision %d now", f.Revision)
	case lifecycle.FlowInvalidTransition:
		e.kind = errTransition
		return say("no such step leads from %s", f.Status)
	case lifecycle.FlowPersistFailed:
		return c.failed(fmt.Errorf("%s: %w", r, trouble))
	}
	return trouble
}

// anotherFlow is the way on from a flow that nothing more can be begun in: a flow of
// another name for what was to begin, a look at it for all else.
func (c call) anotherFlow(id string) string {
	switch {
	case c.verb != "flow create" && c.verb != "flow run":
		return program + " flow show " + id
	case render.ShortFlow(id) != id: // the name was made by us
		return program + " flow create, for a flow of its own"
	default:
		return program + " flow create --id " + id + "-2, for a flow of its own"
	}
}

// errTransition marks a step that a flow cannot take.
var errTransition = errors.New("invalid transition")

// printFlowChanged answers for a change that was asked of a flow.
func (c call) printFlowChanged(ctx context.Context, l *store.Ledger, id string, f store.Flow, created bool, r lifecycle.FlowRefusal, trouble error) error {
	var refusal error
	if r != "" {
		refusal = c.flowRefused(id, f, r, trouble)
	}
	if !c.flags.Bool("json") && r != "" {
		return refusal
	}
	view, err := c.flowView(ctx, l, f)
	if err != nil {
		return errors.Join(refusal, err)
	}
	if !c.flags.Bool("json") {
		return c.printText(render.FlowLine(c.style(), *view))
	}
	return errors.Join(refusal, c.printJSON(render.FlowChanged{
		SchemaVersion: render.SchemaVersion, Found: f.ID != "", Applied: r == "", Created: created,
		Reason: render.OrNull(string(r)), Flow: view,
	}))
}

// printJSON prints an object.
func (c call) printJSON(v any) error {
	b, err := render.JSON(v)
	if err != nil {
		return err
	}
	return c.print(b)
}

// flowView is a flow as the JSON contract shows it, judged by its runs; nil for
// none, and for a workflow of another kind.
func (c call) flowView(ctx context.Context, l *store.Ledger, f store.Flow) (*render.Flow, error) {
	if f.ID == "" || f.Kind != lifecycle.KindFlow {
		return nil, nil //nolint:nilnil // there is none to show
	}
	children, err := l.FlowExecutions(ctx, f.ID)
	if err != nil {
		return nil, c.failed(err)
	}
	c.joinHosts(ctx, children)
	return new(flowViewOf(f, children)), nil
}

// flowViewOf is a flow with its runs, which must be all of them.
func flowViewOf(f store.Flow, children []store.Execution) render.Flow {
	v := lifecycle.JudgeFlow(f.Status, flowChildren(children))
	return render.Flow{
		SchemaVersion: render.SchemaVersion, ID: f.ID, Goal: render.OrNull(f.Goal), Owner: f.Owner,
		Workspace: render.OrNull(f.Workspace), Status: string(f.Status), Why: render.OrNull(string(f.Why)),
		Detail: render.OrNull(f.Detail), Outcome: string(v.Outcome), Cause: render.OrNull(string(v.Cause)),
		Revision: f.Revision, MaxParallel: render.OrNull(f.MaxParallel), Runs: flowCounts(children),
		BegunByUID: render.OrNull(f.BegunByUID), ClosedByUID: render.OrNull(f.ClosedByUID),
		CreatedAt: render.Time(f.CreatedAtMS), ChangedAt: render.TimeOrNull(f.WhyAtMS),
		CancelRequestedAt: render.TimeOrNull(f.CancelRequestedAtMS), EndedAt: render.TimeOrNull(f.EndedAtMS),
	}
}

// flowChildren are runs as a flow's outcome needs them.
func flowChildren(all []store.Execution) []lifecycle.FlowChild {
	out := make([]lifecycle.FlowChild, 0, len(all))
	for _, e := range all {
		out = append(out, lifecycle.FlowChild{
			UID: e.UID, Name: e.Name, ResumedFrom: e.ResumedFrom, CreatedMS: e.At.WallMS, EndedMS: e.EndedAtMS,
			Outcome: verdictOf(e).Outcome,
		})
	}
	return out
}

// flowCounts counts runs by what they amount to.
func flowCounts(all []store.Execution) (n render.FlowCounts) {
	for _, e := range all {
		switch verdictOf(e).Outcome {
		case lifecycle.OutcomeRunning:
			if e.Process.End == lifecycle.EndQueued {
				n.Queued++
			} else {
				n.Running++
			}
		case lifecycle.OutcomeSuccess:
			n.Success++
		case lifecycle.OutcomeIncomplete:
			n.Incomplete++
		case lifecycle.OutcomeFailed:
			n.Failed++
		case lifecycle.OutcomeCancelled:
			n.Cancelled++
		}
	}
	return n
}
