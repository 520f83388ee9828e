package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// Environment variables that name the run a process belongs to.
const (
	// envRunUID is our own.
	envRunUID = "OCR_RUN_UID"
	// envDashboardUID is what Open Code Review's dashboard gives its children.
	envDashboardUID = "OCR_DASHBOARD_EXECUTION_UID"
)

// sessionSpec is the flag that names a workflow. Open Code Review calls
// workflows sessions on its command line, and so do these verbs.
func sessionSpec() flagSpec {
	return flagSpec{name: "session-id", value: "ID", usage: "the session; without it the run's own, or the only open one here"}
}

// workspace is the workspace the verb was called in.
func (c call) workspace() string { return workspaceOf(c.dir) }

// now is the present as the ledger keeps it.
func (c call) now() store.Instant {
	boot, _ := c.bootID() // only ages need it
	return heartbeat.InstantOf(c.clock.Now(), boot)
}

// ownUID is the run this verb was called in, empty outside of one.
func (c call) ownUID() string {
	if uid := c.flags.String("dashboard-uid"); uid != "" {
		return uid
	}
	if uid := c.get(envRunUID); uid != "" {
		return uid
	}
	return c.get(envDashboardUID)
}

// takeUp makes the run this is called in answer for a session it works on, unless
// it does already: work that another run began is not finished because this one
// exits 0.
func (c call) takeUp(ctx context.Context, l *store.Ledger, w store.Workflow) error {
	uid := c.ownUID()
	if uid == "" || w.Status.Closed() {
		return nil
	}
	if has, err := l.WorkflowOf(ctx, uid); err == nil && has.ID == w.ID {
		return nil
	}
	linked, err := l.TakeUp(ctx, w.ID, uid, c.now())
	if err == nil {
		c.noteLink(w, uid, linked)
	}
	return err
}

// inLedger runs do on the ledger. Verbs that write create it; verbs that only
// read take a missing one for an empty one and find nothing in it.
func (c call) inLedger(ctx context.Context, writes bool, do func(*store.Ledger) error) (err error) {
	var l *store.Ledger
	if writes {
		l, err = c.openLedger(ctx)
	} else if l, err = c.readLedger(ctx); l != nil {
		_ = c.takeInOf(ctx, l, c.ownUID()) // who only looks is shown what is there
	}
	if err != nil {
		return err
	}
	if l == nil {
		return c.noSession()
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return do(l)
}

// session finds the workflow a verb is about: the one named, else the one the
// run is linked to, else the only open one of the workspace. Whatever was not
// named is announced on stderr: a wrong guess must be seen.
func (c call) session(ctx context.Context, l *store.Ledger) (store.Workflow, error) {
	if id := c.flags.String("session-id"); id != "" {
		return c.namedSession(ctx, l, id)
	}
	for _, key := range []string{envRunUID, envDashboardUID} {
		uid := c.get(key)
		if uid == "" {
			continue
		}
		w, err := l.WorkflowOf(ctx, uid)
		if err == nil {
			c.note("chose session %s: it is linked to this run (%s)", w.ID, key)
			return w, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return w, c.failed(err)
		}
	}
	return c.onlySession(ctx, l)
}

// onlySession is the single open workflow of the workspace.
func (c call) onlySession(ctx context.Context, l *store.Ledger) (store.Workflow, error) {
	open, err := c.openSessions(ctx, l)
	if err != nil {
		return store.Workflow{}, err
	}
	return c.onlyOne(open)
}

// onlyOne is the one open workflow there is.
func (c call) onlyOne(open []store.Workflow) (store.Workflow, error) {
	switch {
	case len(open) == 0:
		return store.Workflow{}, c.noSession()
	case len(open) > 1:
		return store.Workflow{}, c.ambiguousSession(open)
	}
	c.note("chose session %s: it is the only open one in %s", open[0].ID, c.workspace())
	return open[0], nil
}

// openSessions are the open workflows of the workspace, newest first. Flows
// have no phases and are not meant by these verbs.
func (c call) openSessions(ctx context.Context, l *store.Ledger) ([]store.Workflow, error) {
	open, err := l.OpenWorkflows(ctx, c.workspace())
	if err != nil {
		return nil, c.failed(err)
	}
	return slices.DeleteFunc(open, func(w store.Workflow) bool { return w.Kind == lifecycle.KindFlow }), nil
}

// noSession says that there is nothing to choose from.
func (c call) noSession() error {
	if id := c.flags.String("session-id"); id != "" {
		return c.unknownSession(id)
	}
	return &verbError{
		thing: c.verb,
		err:   fmt.Errorf("no open session in %s: %w", c.workspace(), store.ErrNotFound),
		try:   program + " state list, or name one with --session-id",
	}
}

// ambiguousSession refuses to guess and names the candidates.
func (c call) ambiguousSession(open []store.Workflow) error {
	ids := make([]string, 0, len(open))
	for _, w := range open {
		ids = append(ids, w.ID)
	}
	return &verbError{
		thing: c.verb,
		err:   fmt.Errorf("%w: %d sessions are open in %s; candidates: %s", store.ErrAmbiguous, len(open), c.workspace(), strings.Join(ids, ", ")),
		try:   program + " " + c.verb + " --session-id " + ids[0],
	}
}

// unknownSession says that no workflow answers to a name.
func (c call) unknownSession(id string) error {
	return &verbError{thing: c.verb, err: fmt.Errorf("session %q: %w", id, store.ErrNotFound), try: program + " state list"}
}

// namedSession finds the workflow a user calls id. Names are made of a date
// and a branch, so two workspaces may well use the same one: this workspace's
// own is meant first, and another's only when there is no own.
func (c call) namedSession(ctx context.Context, l *store.Ledger, id string) (store.Workflow, error) {
	first, err := l.Workflow(ctx, id)
	if err == nil && first.Workspace == c.workspace() && first.Kind != lifecycle.KindFlow {
		return first, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return first, c.failed(err)
	}
	own, ownErr := l.Workflow(ctx, scopedID(id, c.workspace()))
	switch {
	case ownErr == nil:
		return own, nil
	case !errors.Is(ownErr, store.ErrNotFound):
		return own, c.failed(ownErr)
	case err != nil, first.Kind == lifecycle.KindFlow:
		return first, c.unknownSession(id)
	}
	c.note("session %s belongs to %s", id, first.Workspace)
	return first, nil
}

// scopedID is the name a workflow gets in the ledger when another workspace
// already uses the plain one.
func scopedID(id, workspace string) string {
	sum := sha256.Sum256([]byte(workspace))
	return id + "@" + hex.EncodeToString(sum[:4])
}
