package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// maxDocument bounds what is read as a completion document: 16 MiB is far more
// than any review, and far less than what would harm the machine.
const maxDocument = 16 << 20

// completeRoundVerb records the result of a review round.
func completeRoundVerb() verb {
	return verb{
		name:    "state complete-round",
		aliases: []string{"round-complete"},
		brief:   "record the result of a review round",
		about: `Records that a round of a review is complete. The document is a JSON object with
a verdict, the reviewers and their findings; it is kept as round-meta.json where
the session has a directory. Doing it twice changes nothing.`,
		flags: []flagSpec{
			{name: "stdin", usage: "read the document from stdin"},
			{name: "file", value: "FILE", usage: "read the document from FILE"},
			sessionSpec(),
			{name: "round", value: "N", usage: "the round (default the current one)"},
			{name: "require-final", usage: "refuse when the round has no final.md"},
			jsonSpec(),
		},
		exits:    stateExits(exitAmbiguous, exitNotFound, exitInvariant, exitSchema),
		examples: []string{"ocr-run state complete-round --file round-meta.json", "generate | ocr-run state complete-round --stdin --json"},
		run:      func(ctx context.Context, c call) error { return c.complete(ctx, reviewRound()) },
	}
}

// completeMapVerb records the result of a map run.
func completeMapVerb() verb {
	return verb{
		name:    "state complete-map",
		aliases: []string{"map-complete"},
		brief:   "record the result of a map run",
		about: `Records that a run of a map is complete. The document is a JSON object; it is
kept as map-meta.json where the session has a directory. Doing it twice changes
nothing.`,
		flags: []flagSpec{
			{name: "stdin", usage: "read the document from stdin"},
			{name: "file", value: "FILE", usage: "read the document from FILE"},
			sessionSpec(),
			{name: "map-run", value: "N", usage: "the run (default the current one)"},
			jsonSpec(),
		},
		exits:    stateExits(exitAmbiguous, exitNotFound, exitInvariant, exitSchema),
		examples: []string{"ocr-run state complete-map --file map-meta.json"},
		run:      func(ctx context.Context, c call) error { return c.complete(ctx, mapRun()) },
	}
}

// completing is one completion, checked and ready to be recorded.
type completing struct {
	workflow store.Workflow
	round    int
	document []byte
	summary  []byte
	how      completion
}

// completion is what differs between completing a round and a map run.
type completion struct {
	kind lifecycle.Kind
	// flag is the flag that names the round.
	flag string
	// summary checks the document and gives what the ledger keeps of it.
	summary func(document []byte) ([]byte, error)
	// folder and file are where the document is kept below the session's
	// directory; the round's number stands behind folder.
	folder, file string
	// result is what --json prints.
	result func(w store.Workflow, round int, path *string) any
}

// completed is the part that --json prints for both kinds.
type completed struct {
	SchemaVersion int     `json:"schema_version"`
	SessionID     string  `json:"sessionId"`
	Round         *int    `json:"round,omitempty"`
	MapRun        *int    `json:"mapRun,omitempty"`
	MetaPath      *string `json:"metaPath"`
}

// reviewRound completes a round of a review.
func reviewRound() completion {
	return completion{
		kind: lifecycle.KindReview, flag: "round", summary: roundSummary,
		folder: filepath.Join("rounds", "round-"), file: "round-meta.json",
		result: func(w store.Workflow, round int, path *string) any {
			return completed{SchemaVersion: render.SchemaVersion, SessionID: w.ID, Round: &round, MetaPath: path}
		},
	}
}

// mapRun completes a run of a map.
func mapRun() completion {
	return completion{
		kind: lifecycle.KindMap, flag: "map-run", summary: mapSummary,
		folder: filepath.Join("map", "runs", "run-"), file: "map-meta.json",
		result: func(w store.Workflow, round int, path *string) any {
			return completed{SchemaVersion: render.SchemaVersion, SessionID: w.ID, MapRun: &round, MetaPath: path}
		},
	}
}

// complete records a completion. The document is checked before anything is
// written.
func (c call) complete(ctx context.Context, how completion) error {
	document, summary, err := c.document(how)
	if err != nil {
		return err
	}
	round, err := c.number(how.flag)
	if err != nil {
		return err
	}
	return c.inLedger(ctx, true, func(l *store.Ledger) error {
		w, err := c.session(ctx, l)
		if err != nil {
			return err
		}
		if w.Kind != how.kind {
			return c.usage("session %s is a %s, not a %s", w.ID, w.Kind, how.kind)
		}
		if round == 0 {
			round = w.Round
		}
		return c.record(ctx, l, completing{w, round, document, summary, how})
	})
}

// record writes the document and the ledger, and prints the answer. The
// document is on disk before the ledger says that the round is complete, and
// gets its name only afterwards: a refusal leaves no trace.
func (c call) record(ctx context.Context, l *store.Ledger, p completing) error {
	if c.flags.Bool("require-final") {
		if err := p.requireFinal(); err != nil {
			return c.refused(p.workflow, err)
		}
	}
	doc, err := p.stage()
	if err != nil {
		return c.refused(p.workflow, err)
	}
	if err := c.takeUp(ctx, l, p.workflow); err != nil {
		return c.refused(p.workflow, errors.Join(err, doc.discard()))
	}
	w, already, err := l.CompleteRound(ctx, store.CompleteRound{ID: p.workflow.ID, Round: p.round, Payload: p.summary, At: c.now()})
	if err != nil {
		return c.refused(p.workflow, errors.Join(err, doc.discard()))
	}
	if err := doc.publish(already); err != nil {
		return c.refused(p.workflow, err)
	}
	if already {
		c.note("round %d of session %s was already complete", p.round, w.ID)
	}
	return c.answer(p.how.result(w, p.round, render.OrNull(doc.path)), fmt.Sprintf("%s: round %d complete\n", w.ID, p.round))
}

// document reads what is to be recorded, and checks it.
func (c call) document(how completion) (document, summary []byte, err error) {
	file, stdin := c.flags.String("file"), c.flags.Bool("stdin")
	if (file == "") == !stdin {
		return nil, nil, c.usage("needs either --stdin or --file")
	}
	source, name := io.Reader(c.stdin), "stdin"
	if file != "" {
		reader := flagReader{flags: c.flags}
		f, err := os.Open(reader.path("file", c.dir))
		if err != nil {
			return nil, nil, c.usage("--file: %w", err)
		}
		defer f.Close() //nolint:errcheck // nothing was written
		source, name = f, file
	}
	document, err = io.ReadAll(io.LimitReader(source, maxDocument+1))
	if err != nil {
		return nil, nil, &verbError{thing: c.verb, err: fmt.Errorf("read %s: %w", name, err)}
	}
	if len(document) > maxDocument {
		err = fmt.Errorf("larger than %d bytes", maxDocument)
	} else {
		summary, err = how.summary(document)
	}
	if err != nil {
		return nil, nil, &verbError{thing: c.verb + ": " + name, err: err, try: program + " " + c.verb + " --help", kind: errSchema}
	}
	return document, summary, nil
}

// folder is the round's directory, empty when the session has none.
func (p completing) folder() string {
	if p.workflow.SessionDir == "" {
		return ""
	}
	return filepath.Join(p.workflow.SessionDir, p.how.folder+strconv.Itoa(p.round))
}

// requireFinal checks that the round's report exists.
func (p completing) requireFinal() error {
	if p.folder() == "" {
		return fmt.Errorf("%w: the session has no directory to find final.md in", store.ErrInvariant)
	}
	if _, err := os.Stat(filepath.Join(p.folder(), "final.md")); err != nil {
		return fmt.Errorf("%w: %w", store.ErrInvariant, err)
	}
	return nil
}
