package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// emitTimeout is how long an event waits for the ledger before it goes to the
// spool: whoever tells us has other things to do.
const emitTimeout = 2 * time.Second

// maxDetail bounds what is kept of a detail, in characters: enough for the message
// of an error, and no place for a log.
const maxDetail = 500

// emitVerb takes one event of an agent's session.
func emitVerb() verb {
	return verb{
		name:     "emit",
		operands: "TYPE",
		brief:    "tell what the agent's session does: turns, states, errors",
		about: `Takes one event of the agent's session, from any tool, for the run it is called
in. A run with a turn that was begun and not completed is no success, whatever its
exit code. Events that do nothing (repeated, late, of another turn or session)
are no error; --json says why. TYPE is one of

  session.started, thread.started   a session begins, or is taken up again
  session.state.changed --state S   starting, ready, running, waiting, idle,
                                    interrupted, stopped, error
  session.exited                    the session is over
  turn.requested                    a turn was asked for
  turn.started                      a turn runs
  turn.completed [--state RESULT]   it ended: completed (default), failed,
                                    interrupted, cancelled; else it failed
  turn.aborted, turn.interrupted    it was given up
  runtime.error                     the session, or the turn named, failed`,
		least: 1,
		most:  1,
		flags: []flagSpec{
			{name: "turn", value: "ID", usage: "the turn it is about, by the agent's own name for it"},
			{name: "state", value: "STATE", usage: "the session's state, or the turn's result"},
			{name: "session", value: "ID", usage: "the agent's own name for its session; other sessions' events are left out"},
			{name: "event-id", value: "ID", usage: "a name for the event, which is applied once"},
			{name: "uid", value: "UID", usage: "the run, instead of the one this is called in"},
			{name: "at", value: "WHEN", usage: "when it happened, as an RFC 3339 time (default: now)"},
			{name: "detail", value: "TEXT", usage: "what else there is to say; 500 characters are kept"},
			jsonSpec(),
		},
		exits: []exitLine{
			{exitOK, "taken in, or nothing to do"},
			{exitError, "neither the ledger nor the spool can be written"},
			{exitUsage, "usage error"},
			{exitAmbiguous, "several runs answer to --uid; some of them are named"},
			{exitNotFound, "called outside a run, or the run is not known"},
		},
		examples: []string{"ocr-run emit turn.started --turn 7", "ocr-run emit turn.completed --turn 7 --state failed --detail 'stream closed'", "ocr-run emit session.state.changed --state ready --json"},
		run:      runEmit,
	}
}

// emitted is what "emit --json" prints.
type emitted struct {
	SchemaVersion int          `json:"schema_version"`
	Applied       bool         `json:"applied"`
	Reason        *string      `json:"reason"`
	Turn          *emittedTurn `json:"turn"`
	Session       *string      `json:"session"`
}

// emittedTurn is the last turn there.
type emittedTurn struct {
	ID    *string `json:"id"`
	State string  `json:"state"`
}

// reasonDeferred: the event waits in the spool, and nobody knows yet what it does.
const reasonDeferred = "deferred"

// runEmit takes in one event.
func runEmit(ctx context.Context, c call) error {
	r, err := c.sessionReport()
	if err != nil {
		return err
	}
	recorder := c.recorder(emitTimeout)
	if r.UID, err = c.emitUID(ctx, recorder); err != nil {
		return err
	}
	answer, deferred, err := recorder.Report(ctx, r)
	switch {
	case errors.Is(err, store.ErrNotFound):
		// Of a run that could be recorded nowhere the ledger knows nothing.
		if trouble := recorder.Probe(); trouble != nil {
			return c.eventLost(trouble)
		}
		return c.noRun(fmt.Sprintf("no run %s", r.UID))
	case err != nil:
		return c.failed(err)
	case recorder.Lost():
		return c.eventLost(recorder.Trouble())
	case !c.flags.Bool("json"):
		return nil
	}
	return c.answer(emittedAs(answer, deferred), "")
}

// eventLost says that an event could be written nowhere, and why.
func (c call) eventLost(why error) error {
	return c.failed(fmt.Errorf("neither the ledger nor the spool can be written; the event is lost: %w", why))
}

// emittedAs is an answer in JSON's words.
func emittedAs(a store.SessionAnswer, deferred bool) emitted {
	e := emitted{SchemaVersion: render.SchemaVersion, Applied: !deferred && a.Refused == ""}
	switch {
	case deferred:
		e.Reason = new(reasonDeferred)
	case a.Refused != "":
		e.Reason = new(string(a.Refused))
	}
	e.Session = render.OrNull(string(a.Status))
	if a.Turn.To != "" && a.Turn.To != lifecycle.TurnNone {
		e.Turn = &emittedTurn{ID: render.OrNull(a.Turn.ID), State: string(a.Turn.To)}
	}
	return e
}

// recorder writes to the ledger, or to the spool when the ledger is not to be had
// in time.
func (c call) recorder(patience time.Duration) *store.Recorder {
	dir, _ := c.stateDir() // without one nothing is written, which Lost tells
	return store.NewRecorder(store.RecorderConfig{
		Open:     func(ctx context.Context) (*store.Ledger, error) { return c.openPatiently(ctx, patience) },
		SpoolDir: spoolDir(dir),
		Timeout:  patience,
	})
}

// emitUID is the run an event is of: the one named, or the one this is called in.
func (c call) emitUID(ctx context.Context, recorder *store.Recorder) (string, error) {
	name := c.flags.String("uid")
	switch {
	case name == "" && c.ownUID() == "":
		return "", c.noRun("not called inside a run, and no --uid given")
	case c.nothingRecorded():
		return "", c.noRun("nothing has been run yet")
	case name == "":
		return c.ownUID(), nil
	}
	l, err := recorder.Ledger(ctx)
	if err != nil {
		return "", err
	}
	return c.resolveUID(ctx, l, name)
}

// noRun says that there is no run to tell anything about.
func (c call) noRun(why string) error {
	return &verbError{thing: c.verb, err: fmt.Errorf("%s: %w", why, store.ErrNotFound), try: program + " ps, and then: " + program + " emit --uid UID TYPE"}
}

// sessionReport is what the operand and the flags say.
func (c call) sessionReport() (store.SessionReport, error) {
	e := lifecycle.SessionEvent{
		Type: lifecycle.SessionEventType(c.words[0]), Turn: c.flags.String("turn"),
		Session: c.flags.String("session"), State: c.flags.String("state"),
	}
	if !slices.Contains(lifecycle.SessionEventTypes(), e.Type) {
		return store.SessionReport{}, c.usage("%q is none of %s", e.Type, joined(lifecycle.SessionEventTypes()))
	}
	if err := c.checkState(e); err != nil {
		return store.SessionReport{}, err
	}
	for _, flag := range []string{"turn", "session", "state", "event-id"} {
		if err := plainWord(c.flags.String(flag)); err != nil {
			return store.SessionReport{}, c.usage("--%s: %q: %w", flag, c.flags.String(flag), err)
		}
	}
	r := store.SessionReport{Event: e, ExternalID: c.flags.String("event-id"), Detail: detail(c.flags.String("detail")), At: c.now()}
	if at := c.flags.String("at"); at != "" {
		said, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return r, c.usage("--at: %q is no RFC 3339 time, as in 2026-01-31T12:00:00.5Z", at)
		}
		r.SaidMS = said.UnixMilli()
	}
	return r, nil
}

// checkState says what is wrong with --state for a kind of event.
func (c call) checkState(e lifecycle.SessionEvent) error {
	_, known := lifecycle.SessionStatusOf(e.State)
	switch {
	case e.Type == lifecycle.SessionEventState && !known:
		return c.usage("%s needs --state with one of %s", e.Type, strings.Join(lifecycle.SessionStateWords(), ", "))
	case e.State != "" && e.Type != lifecycle.SessionEventState && e.Type != lifecycle.SessionEventTurnCompleted:
		return c.usage("--state says nothing about %s", e.Type)
	default:
		return nil
	}
}

// joined lists words.
func joined[S ~string](all []S) string {
	words := make([]string, 0, len(all))
	for _, w := range all {
		words = append(words, string(w))
	}
	return strings.Join(words, ", ")
}

// detail is a text on one line, cut to what is kept of it.
func detail(s string) string {
	s = strings.Map(func(r rune) rune {
		if plainWord(string(r)) != nil || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > maxDetail {
		s = string(runes[:maxDetail])
	}
	return strings.TrimSpace(s)
}
