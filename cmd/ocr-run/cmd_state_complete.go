package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
		about: `Records that a round of a review is complete. The document is a JSON object:

  {"schema_version": 1, "verdict": "REQUEST CHANGES",
   "reviewers": [{"type": "principal", "instance": 1, "findings": [
     {"title": "Lock is never released", "category": "blocker",
      "severity": "high", "summary": "…"}]}]}

It is checked before anything is written, and kept as rounds/round-N/round-meta.json
in the session's directory. Doing it twice changes nothing, and makes a missing
file again.`,
		flags: []flagSpec{
			{name: "stdin", usage: "read the document from stdin"},
			{name: "file", value: "FILE", usage: "read the document from FILE"},
			sessionSpec(),
			{name: "round", value: "N", usage: "the round, not before the current one (default the current one)"},
			{name: "require-final", usage: "refuse when the round has no final.md"},
			jsonSpec(),
		},
		exits:      stateExits(exitAmbiguous, exitNotFound, exitInvariant, exitSchema),
		examples:   []string{"ocr-run state complete-round --file round-meta.json", "generate | ocr-run state complete-round --stdin --json"},
		run:        func(ctx context.Context, c call) error { return c.complete(ctx, reviewRound()) },
		handedOver: true,
	}
}

// completeMapVerb records the result of a map run.
func completeMapVerb() verb {
	return verb{
		name:    "state complete-map",
		aliases: []string{"map-complete"},
		brief:   "record the result of a map run",
		about: `Records that a run of a map is complete. The document is a JSON object:

  {"schema_version": 1, "sections": [{"section_number": 1, "title": "Core",
   "files": [{"file_path": "a.go", "role": "entry point",
     "lines_added": 10, "lines_deleted": 2}]}]}

It is checked before anything is written, and kept as map/runs/run-N/map-meta.json
in the session's directory. Doing it twice changes nothing, and makes a missing
file again.`,
		flags: []flagSpec{
			{name: "stdin", usage: "read the document from stdin"},
			{name: "file", value: "FILE", usage: "read the document from FILE"},
			sessionSpec(),
			{name: "map-run", value: "N", usage: "the run, not before the current one (default the current one)"},
			jsonSpec(),
		},
		exits:      stateExits(exitAmbiguous, exitNotFound, exitInvariant, exitSchema),
		examples:   []string{"ocr-run state complete-map --file map-meta.json"},
		run:        func(ctx context.Context, c call) error { return c.complete(ctx, mapRun()) },
		handedOver: true,
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
	// file is what the document is kept as, in the round's folder.
	file string
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
		file: "round-meta.json",
		result: func(w store.Workflow, round int, path *string) any {
			return completed{SchemaVersion: render.SchemaVersion, SessionID: w.ID, Round: &round, MetaPath: path}
		},
	}
}

// mapRun completes a run of a map.
func mapRun() completion {
	return completion{
		kind: lifecycle.KindMap, flag: "map-run", summary: mapSummary,
		file: "map-meta.json",
		result: func(w store.Workflow, round int, path *string) any {
			return completed{SchemaVersion: render.SchemaVersion, SessionID: w.ID, MapRun: &round, MetaPath: path}
		},
	}
}

// complete records a completion. The document is checked before anything is
// written.
func (c call) complete(ctx context.Context, how completion) error {
	round, err := c.number(how.flag)
	if err != nil {
		return err
	}
	document, summary, err := c.document(how)
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
// gets its name only afterwards: a refusal leaves no trace, and whoever is
// killed in between leaves a round that can be completed once more.
func (c call) record(ctx context.Context, l *store.Ledger, p completing) error {
	if err := c.requireFinal(ctx, l, p); err != nil {
		return c.refused(p.workflow, err)
	}
	var doc stagedDocument
	var err error
	// In any other phase the ledger will refuse, or knows the round already.
	early := p.workflow.Phase == phaseSynthesis
	if early {
		doc, err = p.stage()
	}
	if err != nil {
		return c.notKept(p, err)
	}
	w, already, err := c.recordRound(ctx, l, p)
	if err != nil {
		return c.refused(p.workflow, errors.Join(err, doc.discard()))
	}
	if !early {
		doc, err = p.stage()
	}
	if err == nil {
		err = c.keep(ctx, l, p, doc, already)
	}
	if err != nil {
		return c.notKept(p, err)
	}
	return c.answer(p.how.result(w, p.round, render.OrNull(doc.path)), fmt.Sprintf("%s: %s %d complete\n", w.ID, roundWord(w.Kind), p.round))
}

// notKept explains why the document could not be written where it belongs.
func (c call) notKept(p completing, err error) error {
	return &verbError{thing: c.verb, err: err, try: "ls -ld " + p.workflow.SessionDir + ", and the same command again"}
}

// keep gives the document its name, or finds that it is there.
func (c call) keep(ctx context.Context, l *store.Ledger, p completing, doc stagedDocument, already bool) (err error) {
	if already {
		c.note("%s %d of session %s was already complete", roundWord(p.workflow.Kind), p.round, p.workflow.ID)
		err = c.restore(ctx, l, p, doc)
	} else {
		err = doc.publish()
	}
	doc.tidy(c.clock.Now().Wall)
	return err
}

// recordRound makes the run answer for the session and records the round.
func (c call) recordRound(ctx context.Context, l *store.Ledger, p completing) (store.Workflow, bool, error) {
	if err := c.takeUp(ctx, l, p.workflow); err != nil {
		return p.workflow, false, err
	}
	return l.CompleteRound(ctx, store.CompleteRound{ID: p.workflow.ID, Round: p.round, Payload: p.summary, At: c.now()})
}

// restore makes the document of a round that is complete again when it is
// missing, unless it is another one than was recorded: a file that contradicts
// the history is worse than none.
func (c call) restore(ctx context.Context, l *store.Ledger, p completing, doc stagedDocument) error {
	if !doc.missing() {
		return doc.discard()
	}
	recorded, _, err := l.Completion(ctx, p.workflow.ID, p.round)
	if err != nil {
		return errors.Join(err, doc.discard())
	}
	if bytes.Contains(recorded, []byte(`"`+fromDocument+`"`)) && !bytes.Equal(recorded, p.summary) {
		c.note("%s is missing, and not made of this document: another one was recorded", doc.path)
		return doc.discard()
	}
	return doc.publish()
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
			return nil, nil, c.invalid(file, err)
		}
		defer f.Close() //nolint:errcheck // nothing was written
		source, name = f, file
	}
	document, err = io.ReadAll(io.LimitReader(source, maxDocument+1))
	if err != nil {
		return nil, nil, c.invalid(name, err)
	}
	if len(document) > maxDocument {
		err = fmt.Errorf("larger than %d bytes", maxDocument)
	} else {
		summary, err = how.summary(document)
	}
	if err != nil {
		return nil, nil, c.invalid(name, err)
	}
	return document, summary, nil
}

// invalid says what is wrong with a document.
func (c call) invalid(name string, err error) error {
	return &verbError{thing: c.verb + ": " + name, err: err, try: program + " " + c.verb + " --help", kind: errSchema}
}

// folder is the round's directory, empty when the session has none.
func (p completing) folder() string {
	if p.workflow.SessionDir == "" {
		return ""
	}
	return roundFolder(p.workflow.SessionDir, p.how.kind, p.round)
}

// requireFinal checks that the round's report exists, where that was asked for
// and the round is not complete anyway.
func (c call) requireFinal(ctx context.Context, l *store.Ledger, p completing) error {
	if !c.flags.Bool("require-final") || hasReport(p.workflow.SessionDir, p.workflow.Kind, p.round) {
		return nil
	}
	if _, complete, err := l.Completion(ctx, p.workflow.ID, p.round); complete || err != nil {
		return err
	}
	if p.folder() == "" {
		return fmt.Errorf("%w: the session has no directory to find %s in", store.ErrInvariant, reportFile(p.workflow.Kind))
	}
	return fmt.Errorf("%w: there is no %s", store.ErrInvariant, filepath.Join(p.folder(), reportFile(p.workflow.Kind)))
}
