package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/ocrdb"
	"github.com/ocr-run/ocr-run/supervisor"
)

// In the project of a host there is one truth, the host's. Verbs that write are
// handed to the host's own command; verbs that read look into its database.

// handOver gives a verb that writes to the host's own command, in the project of
// a host, and does not return then. given is what the verb was called; args are its
// own, as they were given: the host may know more of them than we do.
func handOver(env environment, v verb, given string, args []string) error {
	if !v.handedOver || wantsHelp(args) {
		return nil
	}
	host, ok, err := findHost(env.dir)
	if err != nil {
		return hostTrouble(v.name, env.dir, err)
	}
	if !ok {
		return nil
	}
	path, err := hostCommand(host, env.environ)
	if err != nil {
		return &verbError{thing: v.name, err: err, try: "npm install @open-code-review/cli in " + host.Root + ", or put ocr into the PATH"}
	}
	// The host's command takes its working directory for the project.
	if err := os.Chdir(host.Root); err != nil {
		return &verbError{thing: v.name, err: err}
	}
	_, word, _ := strings.Cut(v.name, " ")
	argv := append([]string{"ocr", "state", hostVerb(path, word, given)}, absoluteFiles(args, env.dir)...)
	err = supervisor.AsFound(func() error { return syscall.Exec(path, argv, overlay(env.environ, []string{"PWD=" + host.Root})) })
	return &verbError{thing: v.name, err: fmt.Errorf("run %s: %w", path, err)}
}

// hostTrouble is an error with the host of dir, with the way out of it.
func hostTrouble(thing, dir string, err error) error {
	switch {
	case errors.Is(err, ocrdb.ErrBusy):
		return &verbError{thing: thing, err: err, try: "the same command again in a moment", kind: store.ErrBusy}
	case errors.Is(err, ocrdb.ErrUnreadable), errors.Is(err, fs.ErrPermission):
		return &verbError{thing: thing, err: err, try: "ls -l " + filepath.Join(dir, ".ocr", "data")}
	default:
		return err
	}
}

// absoluteFiles makes the values of --file mean the same in another directory.
func absoluteFiles(args []string, dir string) []string {
	out := slices.Clone(args)
	for i, word := range out {
		name, value, inline := strings.Cut(word, "=")
		switch {
		case name != "--file":
		case inline:
			out[i] = name + "=" + inDir(dir, value)
		case i+1 < len(out):
			out[i+1] = inDir(dir, out[i+1])
		}
	}
	return out
}

// hosted runs do on the host of the directory asked about, and says whether there is
// one.
func (c call) hosted(do func(ocrdb.Host) error) (found bool, err error) {
	dir := c.dir
	if asked := c.flags.String("workspace"); asked != "" {
		dir = c.fromHere(asked)
	}
	host, ok, err := findHost(dir)
	if err == nil && ok {
		dir, err = host.Root, do(host)
	}
	return ok || err != nil, hostTrouble(c.verb, dir, err)
}

// hostSession finds the workflow a verb is about in the host's database, by the
// rules of session.
func (c call) hostSession(ctx context.Context, host ocrdb.Host) (store.Workflow, error) {
	if id := c.flags.String("session-id"); id != "" {
		all, err := host.Workflows(ctx, ocrdb.Ask{ID: id})
		if err == nil && len(all) == 0 {
			err = c.unknownSession(id)
		}
		if err != nil {
			return store.Workflow{}, err
		}
		return c.inHostTerms(host, all[0]), nil
	}
	for _, key := range []string{envRunUID, envDashboardUID} {
		uid := c.get(key)
		if uid == "" {
			continue
		}
		w, ok, err := host.WorkflowOf(ctx, uid)
		if err != nil {
			return store.Workflow{}, err
		}
		if ok {
			c.note("chose session %s: it is linked to this run (%s)", w.ID, key)
			// Seen by nobody in particular, as the host shows it.
			all, err := host.Workflows(ctx, ocrdb.Ask{ID: w.ID})
			if err != nil || len(all) == 0 {
				return store.Workflow{}, err
			}
			return c.inHostTerms(host, all[0]), nil
		}
	}
	open, err := c.hostSessions(ctx, host, true)
	if err != nil {
		return store.Workflow{}, err
	}
	return c.onlyOne(open)
}

// hostSessions are the workflows of the host, newest first.
func (c call) hostSessions(ctx context.Context, host ocrdb.Host, active bool) ([]store.Workflow, error) {
	all, err := host.Workflows(ctx, ocrdb.Ask{Active: active})
	if err != nil {
		return nil, err
	}
	out := make([]store.Workflow, 0, len(all))
	for _, w := range all {
		out = append(out, c.inHostTerms(host, w))
	}
	return out, nil
}

// inHostTerms is a workflow of the host as our verbs show one.
func (c call) inHostTerms(host ocrdb.Host, w ocrdb.Workflow) store.Workflow {
	status := lifecycle.WorkflowRunning
	if w.Closed {
		status = lifecycle.WorkflowSucceeded
	}
	return store.Workflow{
		ID: w.ID, Kind: w.Kind, Workspace: host.Root, Branch: w.Branch, Status: status, Phase: w.Phase, Round: w.Round,
		SessionDir: w.SessionDir, CreatedAtMS: w.StartedMS, UpdatedAtMS: w.UpdatedMS, HasArtifact: w.HasArtifact, InFlight: w.InFlight,
	}
}

// hostStatus is runStatus in the project of a host.
func hostStatus(ctx context.Context, c call, host ocrdb.Host) error {
	w, err := c.hostSession(ctx, host)
	if err != nil {
		return err
	}
	seen, err := host.Workflows(ctx, ocrdb.Ask{ID: w.ID, Except: c.ownUID()})
	if err == nil && len(seen) == 0 {
		err = c.unknownSession(w.ID)
	}
	if err != nil {
		return err
	}
	s := statusOf(w, seen[0].InFlight)
	return c.answer(s, statusText(s))
}

// hostList is runStateList in the project of a host.
func hostList(ctx context.Context, c call, host ocrdb.Host) error {
	limit, err := c.limit("sessions")
	if err != nil {
		return err
	}
	all, err := c.hostSessions(ctx, host, false)
	if err != nil {
		return err
	}
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return c.answerList(all)
}

// hostShow is runStateShow in the project of a host.
func hostShow(ctx context.Context, c call, host ocrdb.Host) error {
	w, err := c.hostSession(ctx, host)
	if errors.Is(err, store.ErrAmbiguous) {
		var open []store.Workflow
		if open, err = c.hostSessions(ctx, host, true); err == nil {
			w, err = c.newestOf(open)
		}
	}
	if err != nil {
		return c.shown(err)
	}
	history, err := host.Events(ctx, w.ID)
	if err != nil {
		return err
	}
	events := make([]store.Event, 0, len(history))
	for _, e := range history {
		events = append(events, store.Event{
			Seq: e.ID, WorkflowID: w.ID, Type: e.Type, Phase: e.Phase, Round: e.Round, AtMS: e.AtMS, Payload: []byte(e.Metadata),
		})
	}
	detail := detailOf(w, events)
	for i, e := range history {
		// The host's own number, also where it is not that of the phase.
		detail.Events[i].PhaseNumber = render.OrNull(e.PhaseNumber)
	}
	return c.answer(detail, c.detailText(w, events))
}
