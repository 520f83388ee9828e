package main

import (
	"cmp"
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// recordTimeout bounds the look at an agent's own session record.
const recordTimeout = 2 * time.Second

// setBack is how much later than by the other clocks the wall clock may be and not have
// been set back: it is kept right all the time, by less.
const setBack = time.Second

// witness sees what a known agent says about its turns: its output as it passes, and
// its own record. A nil witness sees nothing. Bytes come in on one goroutine and
// looks on another.
type witness struct {
	agent agent.Agent
	in    agent.Invocation
	// began is when the command was about to be run: a run may wait for its turn, and
	// what was written meanwhile is none of it.
	began clock.Reading
	// book is where turns are entered; nil for nowhere.
	book *turnBook

	mu     sync.Mutex // guards the next three
	reader *agent.Reader
	tail   supervisor.Tail
	passed int64 // bytes that have passed

	// output and errors are the files that standard output and standard error go to;
	// nil when they are none, or not to be read.
	output, errors *outlet

	// telemetry is what the agent writes down for us; nil for nothing.
	telemetry *listener

	look glance
}

// newWitness understands the command line of an agent. It is nil, and the name
// empty, for a command that starts no conversation.
func (w *wrapping) newWitness(ctx context.Context, name string, command []string) (string, *witness) {
	a, known := agent.ByCommand(command)
	if name != "" {
		if a, known = agent.ByName(name); !known {
			return name, nil
		}
	}
	if !known {
		return "", nil
	}
	in := a.Read(command, term.IsTerminal(int(w.env.stdin.Fd())) && term.IsTerminal(int(w.env.stdout.Fd())))
	if in.Mode == agent.ModeOther {
		return "", nil
	}
	return a.Name, &witness{agent: a, in: in, reader: a.Reader(in), began: w.env.clock.Now(), book: w.newTurnBook(ctx)}
}

// newTurnBook is the book of this run.
func (w *wrapping) newTurnBook(ctx context.Context) *turnBook {
	boot, _ := w.env.bootID() // only ages need it
	return &turnBook{
		ctx: context.WithoutCancel(ctx),
		report: func(ctx context.Context, r store.SessionReport) (store.SessionAnswer, bool, error) {
			// Whose name the run bears is settled after this.
			r.UID = w.uid
			return w.journal.Report(ctx, r)
		},
		now: func() store.Instant { return heartbeat.InstantOf(w.env.clock.Now(), boot) },
	}
}

// begins notes when the command is about to be run.
func (s *witness) begins(now clock.Reading) {
	if s != nil {
		s.began = now
	}
}

// since is when the run began by the clock as it is now: it may have been set back.
func (s *witness) since(now clock.Reading) time.Time {
	lasted := now.Awake + now.Suspended - s.began.Awake - s.began.Suspended
	if back := s.began.Wall.Add(lasted).Sub(now.Wall); back > setBack {
		return s.began.Wall.Add(-back)
	}
	return s.began.Wall
}

// headless says whether the agent answers one question and converses with nobody.
func (s *witness) headless() bool { return s != nil && s.in.Mode == agent.ModeHeadless }

// tap is what sees the run's bytes; nil when nobody wants to.
func (w *wrapping) tap() func(supervisor.Source, []byte) {
	if w.tee == nil && w.witness == nil {
		return nil
	}
	return func(from supervisor.Source, b []byte) {
		if w.tee != nil {
			w.tee.copy(b)
		}
		if w.witness != nil {
			w.witness.see(from, b)
		}
	}
}

// see takes in bytes as they pass.
func (s *witness) see(from supervisor.Source, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from != supervisor.FromStderr {
		s.book.add(s.reader.Feed(b))
	}
	s.tail.Add(b)
	s.passed += int64(len(b))
}

// testify adds to the end of a run what the agent left behind about its last turn.
func (w *wrapping) testify(ctx context.Context, e *store.Ending) {
	s := w.witness
	if s == nil || e.End == lifecycle.EndNotStarted {
		return
	}
	s.readOutput(outputMost)
	s.readErrors()
	s.output.close()
	s.errors.close()
	s.mu.Lock()
	s.book.add(s.reader.Close())
	standing := s.reader.Standing()
	s.mu.Unlock()
	seen := agent.Seen{Invocation: s.in, Exit: e.ExitCode, JSON: standing}
	if text := w.shownText(); text != "" {
		seen.Text = s.agent.Text(text, s.in)
	}
	seen.Told = w.told(ctx, seen)
	seen.Record = w.record(ctx, seen.Session())
	seen.Telemetry = s.telemetry.heard(seen.Session())
	w.lastHeard(ctx, seen.Session())
	verdict := s.agent.Verdict(seen)
	s.book.close(ctx, verdict)
	at := w.env.clock.Now().Wall.UnixMilli()
	for _, v := range verdict {
		found := evidenceOf(v, at)
		if found.Points == lifecycle.CauseUser && endedByStranger(e) {
			// It says that it was told to end, and not by whom.
			found.Points, found.TurnFailed, found.Turn = "", false, lifecycle.TurnInterrupted
		}
		e.Evidence = append(e.Evidence, found)
	}
	if e.AgentSessionID == "" {
		e.AgentSessionID = seen.Session()
	}
	switch {
	case len(e.Resume) > 0:
	case seen.Record.Gone:
		e.Resume = []string{}
	case e.AgentSessionID != "":
		e.Resume = s.agent.Resume(s.in, e.AgentSessionID, "")
	}
}

// endedByStranger says whether a signal ended the agent that neither we nor the
// interrupt key sent.
func endedByStranger(e *store.Ending) bool {
	died := 0
	switch {
	case e.Signal != nil:
		died = *e.Signal
	case e.ExitCode != nil:
		died = *e.ExitCode - exitSignal
	}
	return e.StoppedBy == lifecycle.StoppedByNobody && died > 0 && died != int(unix.SIGINT) && died != int(unix.SIGQUIT) && died <= int(unix.SIGTERM)
}

// told is the session that the agent's hooks told of, where its output names none; not
// one that we took from a record ourselves, nor that of another agent, which a tool of
// the run has started.
func (w *wrapping) told(ctx context.Context, seen agent.Seen) string {
	if _, ours := w.witness.book.standing(); ours || seen.JSON.Session != "" {
		return ""
	}
	session := w.journal.Session(ctx, w.uid)
	if session == "" {
		return ""
	}
	if rec, ok := w.findRecord(session); ok && rec.Strange {
		return ""
	}
	return session
}

// record reads the agent's own record of the session.
func (w *wrapping) record(ctx context.Context, session string) agent.Standing {
	s := w.witness
	rec, ok := w.findRecord(session)
	switch {
	case !ok:
		return agent.Standing{Gone: s.agent.Unkept(w.place(w.childEnv()), s.in)}
	case rec.Query == "":
		return s.agent.ReadRecord(rec, s.began.Wall)
	}
	return s.agent.ReadRows(w.recordRows(ctx, rec))
}

// findRecord finds the agent's own record of the session.
func (w *wrapping) findRecord(session string) (agent.Record, bool) {
	s := w.witness
	return s.agent.FindRecord(w.place(w.childEnv()), s.in, cmp.Or(session, s.in.Session), s.since(w.env.clock.Now()))
}

// place is where the agent lives and works, in the environment that the words before
// its own make of that one. Where they do not tell it is nowhere: nothing is found there.
func (w *wrapping) place(environ []string) agent.Place {
	its, known := w.witness.in.Environ(environ)
	lookup := func(key string) string {
		value, _ := valueIn(its, key)
		return value
	}
	home := lookup("HOME")
	if _, set := valueIn(environ, "HOME"); known && !set {
		home = cmp.Or(home, w.env.get("HOME"))
	}
	return agent.Place{Dir: inDir(w.opts.cwd, w.witness.in.Dir), Home: cmp.Or(home, os.DevNull), Env: lookup}
}

// recordRows reads a record that is kept in a database; nil when it cannot be read.
func (w *wrapping) recordRows(ctx context.Context, rec agent.Record) []string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	rows, err := store.ReadForeign(ctx, rec.Path, rec.Query, rec.Args...)
	if err != nil {
		w.log.Debug().Err(err).Msg("read the agent's record")
		return nil
	}
	return rows
}

// evidenceOf is an agent's testimony in the ledger's words.
func evidenceOf(v agent.Evidence, atMS int64) lifecycle.Evidence {
	e := lifecycle.Evidence{
		Source: lifecycle.EvidenceSource(v.Source), Detail: v.Detail, AtMS: atMS, Points: lifecycle.Cause(v.Points),
	}
	switch v.Turn {
	case agent.TurnFailed:
		e.TurnFailed = true
	case agent.TurnInterrupted:
		e.Turn, e.TurnFailed = lifecycle.TurnInterrupted, true
	case agent.TurnCompleted:
		e.Turn = lifecycle.TurnCompleted
	case agent.TurnOpen:
		// An agent may say that it has stopped of a turn that broke off in trouble. Text
		// may be of an earlier one.
		e.Turn, e.TurnFailed = lifecycle.TurnInterrupted, v.Points != "" && v.Source != agent.SourceText
	case agent.TurnUnknown:
	}
	return e
}
