package main

import (
	"context"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// flowMoveVerbs are the verbs by which its controller moves a flow.
func flowMoveVerbs() []verb {
	return []verb{
		flowMoveVerb(lifecycle.FlowWait, "say that a flow waits for somebody",
			`Says that a flow waits for somebody. What runs in it goes on, and more may be
run; it is stale for nobody, however long it waits.`, "ocr-run flow wait nightly --reason 'the release is to be approved'"),
		flowMoveVerb(lifecycle.FlowBlock, "say that a flow cannot go on",
			`Says that a flow cannot go on. What runs in it goes on, and more may be run. A
flow blocks by itself when all its runs were lost.`, "ocr-run flow block nightly --reason 'no credit left'"),
		flowMoveVerb(lifecycle.FlowResume, "let a flow go on that waits or is blocked",
			`Lets a flow go on that waits or is blocked.`, "ocr-run flow resume nightly"),
		flowMoveVerb(lifecycle.FlowFinish, "end a flow as done",
			`Ends a flow as done. Runs of it that still go on are asked to stop, those
excepted that this is called in. What the flow amounts to is judged by its runs
as well: with one that failed it is incomplete, unless a later run of the same
name, or one that resumed it, did better.`, "ocr-run flow finish nightly --expect-revision 3"),
		flowMoveVerb(lifecycle.FlowFail, "end a flow as failed",
			`Ends a flow as failed. Runs of it that still go on are asked to stop, those
excepted that this is called in.`, "ocr-run flow fail nightly --reason 'the plan was wrong'"),
	}
}

// flowMoveVerb is one of them.
func flowMoveVerb(move lifecycle.FlowMove, brief, about, example string) verb {
	return verb{
		name:     "flow " + string(move),
		operands: "[FLOW]",
		brief:    brief,
		about: about + `
FLOW is a unique beginning or end of the flow's id; without it the flow is meant
that this run is part of.`,
		most:     1,
		flags:    []flagSpec{reasonSpec(), ownerSpec(), revisionSpec(), jsonSpec()},
		exits:    append([]exitLine{{exitOK, "done"}}, refusalExits()...),
		examples: []string{example},
		run: func(ctx context.Context, c call) error {
			return runFlowMove(ctx, c, move)
		},
	}
}

// runFlowMove makes a move and prints the flow.
func runFlowMove(ctx context.Context, c call, move lifecycle.FlowMove) error {
	p := flagReader{flags: c.flags}
	change := store.FlowChange{Move: move, Ask: c.flowAsk(&p), Detail: p.label("reason"), UID: c.get(envRunUID), At: c.now()}
	if p.err != nil {
		return c.usage("%w", p.err)
	}
	missing := render.FlowChanged{SchemaVersion: render.SchemaVersion, Reason: notFoundReason()}
	return c.inFlow(ctx, c.operand(), missing, func(l *store.Ledger, id string) error {
		change.ID = id
		f, refused, err := l.ChangeFlow(ctx, change)
		return c.printFlowChanged(ctx, l, id, f, false, refused, err)
	})
}
