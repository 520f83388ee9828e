package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/hooks"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

const (
	// hookPatience is how long a hook waits for the ledger: an agent stands still
	// meanwhile. What is not written by then goes to the spool.
	hookPatience = 5 * time.Millisecond
	// payloadPatience is how long a hook waits for its payload. It is there at once,
	// unless the machine is overloaded.
	payloadPatience = 300 * time.Millisecond
	// maxPayload bounds what is read of a payload, which may hold a whole answer.
	maxPayload = 16 << 20
)

// hookVerbs are the verbs about the agents' own hooks. The two with a second word
// come first: any other second word is an agent.
func hookVerbs() []verb { return []verb{hookInstallVerb(), hookUninstallVerb(), hookVerb()} }

// hookVerb is what an agent's own hook calls.
func hookVerb() verb {
	return verb{
		name:     "hook",
		operands: "AGENT [PAYLOAD]",
		brief:    "take in what an agent's own hook says (agents call this)",
		about: `Reads the payload of an agent's hook, from its standard input or as a word, and
takes in what it says about turns, for the run it is called in. It prints nothing
and exits 0 within a moment whatever happens, for an agent is waiting: only on a
terminal does it complain. "ocr-run hook install AGENT" sets the hooks up.`,
		least:    1,
		most:     2,
		exits:    []exitLine{{exitOK, "always, when called by an agent"}, {exitUsage, "usage error, on a terminal"}},
		examples: []string{`echo '{"hook_event_name":"Stop","session_id":"s"}' | ocr-run hook claude`},
		run:      runHook,
		silent:   true,
	}
}

// runHook takes in one payload.
func runHook(ctx context.Context, c call) error {
	if !slices.Contains(hooks.Agents(), c.words[0]) {
		return c.usage("%q is none of %s", c.words[0], joined(hooks.Agents()))
	}
	if len(c.words) == 1 && term.IsTerminal(int(c.stdin.Fd())) {
		return c.usage("an agent's hook is to call this, with its payload on standard input")
	}
	uid := c.ownUID()
	if uid == "" || c.nothingRecorded() {
		return nil
	}
	payload := c.hookPayload(ctx)
	if len(payload) == 0 {
		return nil
	}
	recorder := c.recorder(hookPatience)
	row := c.rowOf(ctx, recorder, uid)
	if row.Agent != c.words[0] && slices.Contains(hooks.Agents(), row.Agent) {
		return nil // a tool of the run has started another agent
	}
	for _, e := range hooks.Events(c.words[0], payload, row.Command) {
		_, _, err := recorder.Report(ctx, store.SessionReport{
			UID: uid, ExternalID: e.ID, At: c.now(), Detail: detail(e.Detail),
			Event: lifecycle.SessionEvent{
				Type: lifecycle.SessionEventType(e.Type), Session: e.Session, Turn: e.Turn, State: e.State,
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rowOf is what the ledger has of the run; nothing where it cannot be read.
func (c call) rowOf(ctx context.Context, recorder *store.Recorder, uid string) store.Execution {
	l, err := recorder.Ledger(ctx)
	if err != nil {
		return store.Execution{}
	}
	row, err := l.Execution(ctx, uid)
	if err != nil {
		return store.Execution{}
	}
	return row
}

// hookPayload is the payload: the second word, or one JSON value from standard
// input. An agent may keep the other end open, so what follows the value is not
// waited for, nor is a value that does not come.
func (c call) hookPayload(ctx context.Context) []byte {
	if len(c.words) > 1 {
		return []byte(c.words[1])
	}
	ctx, cancel := context.WithTimeout(ctx, payloadPatience)
	defer cancel()
	read := make(chan []byte, 1)
	// Should it never come to an end, the process does.
	go func() {
		var value json.RawMessage
		if json.NewDecoder(io.LimitReader(c.stdin, maxPayload)).Decode(&value) != nil {
			value = nil
		}
		read <- bytes.Clone(value)
	}()
	select {
	case payload := <-read:
		return payload
	case <-ctx.Done():
		return nil
	}
}
