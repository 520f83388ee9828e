package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// LastTurn is how the last turn of an execution that is over will stand once the
// ledger has taken in what waits in the spool, whoever put it there; TurnNone when
// there is no turn. It takes nothing in, and needs no lock. It is an error when
// events wait and what came before them cannot be read, or they cannot.
func (r *Recorder) LastTurn(ctx context.Context, uid string) (lifecycle.TurnState, error) {
	past, err := r.foretell(ctx, uid)
	if err != nil {
		return "", err
	}
	past.over()
	return past.last(), nil
}

// Session is the agent's name for the session of an execution, as it was last told, be
// it in the ledger or in the spool; empty when nobody told, or that cannot be read.
func (r *Recorder) Session(ctx context.Context, uid string) string {
	past, _ := r.foretell(ctx, uid) // nothing is known then
	return past.view.Session
}

// foretell is what will be known of an execution's session once what waits is taken in.
func (r *Recorder) foretell(ctx context.Context, uid string) (sessionPast, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// The spool first: what leaves it meanwhile is in the ledger, with its mark.
	files, err := r.spool.read(uid)
	if err != nil && r.lost == nil {
		return sessionPast{}, err
	}
	past, err := r.pastOf(ctx, uid)
	switch {
	case err == nil:
	case !tellsOfSession(files):
		return sessionPast{}, nil
	case r.entered || files[0].facts[0].Op != opAnnounce:
		return sessionPast{}, fmt.Errorf("read turns of execution %s: %w", uid, err)
	}
	for _, f := range files {
		past.takeIn(uid, f)
	}
	return past, nil
}

// pastOf is what the ledger knows of an execution's session, nothing of one it does
// not know.
func (r *Recorder) pastOf(ctx context.Context, uid string) (sessionPast, error) {
	c := calm{context.WithoutCancel(ctx), r.config.Timeout}
	l, err := r.opened(c) //nolint:contextcheck // it inherits ctx
	if err != nil {
		return sessionPast{}, err
	}
	return l.sessionPast(c, uid) //nolint:contextcheck // it inherits ctx
}

// spooledFile is one file of a spool, as it was read: at least one fact.
type spooledFile struct {
	mark  string
	facts []fact
}

// read reads what waits of an execution, in order. A line that is no fact is none.
func (s spool) read(uid string) (files []spooledFile, err error) {
	if s.dir == "" {
		return nil, nil
	}
	// Files move from the first to the second: this way none is missed.
	for _, suffix := range []string{spoolSuffix, takenSuffix} {
		content, err := readRegular(s.path(uid, suffix))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read spool: %w", err)
		}
		file := spooledFile{mark: mark(content)}
		for _, line := range wholeLines(content) {
			var f fact
			if json.Unmarshal(line, &f) == nil {
				file.facts = append(file.facts, f)
			}
		}
		if len(file.facts) > 0 {
			files = slices.Insert(files, 0, file)
		}
	}
	return files, nil
}

// tellsOfSession says whether any of the facts is about a session.
func tellsOfSession(files []spooledFile) bool {
	return slices.ContainsFunc(files, func(file spooledFile) bool {
		return slices.ContainsFunc(file.facts, func(f fact) bool { return f.Op == opReport && f.Report != nil })
	})
}

// sessionPast is what is known of an execution's session and turns. Its zero value
// is an execution nobody has told anything of.
type sessionPast struct {
	generation int64
	view       lifecycle.SessionView
	// turns in their order; only the pending one has no name.
	turns  []lifecycle.TurnChange
	lastMS int64
	// applied are the names of events, and the marks of files, that are known.
	applied map[string]bool
}

// sessionPast reads it, at one moment and without a lock.
func (l *Ledger) sessionPast(ctx context.Context, uid string) (p sessionPast, err error) {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return p, l.failed("read session of execution", uid, err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	var turns, applied []byte
	err = tx.QueryRowContext(ctx, `SELECT generation, ended_at IS NOT NULL, COALESCE(session_status, ''), COALESCE(agent_session_id, ''),
			max(COALESCE(session_at, 0), COALESCE((SELECT max(COALESCE(ended_at, started_at, requested_at)) FROM turns WHERE uid = ?1), 0)),
			(SELECT json_group_array(json_object('ID', COALESCE(id, ''), 'To', state) ORDER BY n) FROM turns WHERE uid = ?1),
			(SELECT json_group_object(ext_id, json('true')) FROM events WHERE uid = ?1 AND ext_id IS NOT NULL)
		FROM executions WHERE uid = ?1`, uid).
		Scan(&p.generation, &p.view.Over, &p.view.Status, &p.view.Session, &p.lastMS, &turns, &applied)
	if errors.Is(err, sql.ErrNoRows) {
		return sessionPast{}, nil
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(turns, &p.turns), json.Unmarshal(applied, &p.applied))
	}
	return p, l.failed("read session of execution", uid, err)
}

// takeIn does what taking in a file would do to the session, unless it is done.
func (p *sessionPast) takeIn(uid string, file spooledFile) {
	if !p.first(file.mark) {
		return
	}
	for _, f := range file.facts {
		switch {
		case f.uid() != uid:
		case f.Op == opReport && f.Report != nil:
			p.report(*f.Report)
		case f.Op == opFinish && f.Ending != nil && !p.fenced(f.Ending.Generation):
			p.over()
		}
	}
}

// first says whether nothing of that name was applied yet, and takes it down.
func (p *sessionPast) first(name string) bool {
	if p.applied[name] {
		return false
	}
	if p.applied == nil {
		p.applied = map[string]bool{}
	}
	p.applied[name] = true
	return true
}

// fenced says whether a generation, 0 for unknown, is not the execution's.
func (p *sessionPast) fenced(generation int64) bool {
	return generation != 0 && p.generation != 0 && generation != p.generation
}

// report is what Ledger.Report does.
func (p *sessionPast) report(r SessionReport) {
	if p.fenced(r.Generation) || r.ExternalID != "" && p.applied[r.ExternalID] {
		return
	}
	step := lifecycle.Receive(p.viewFor(r), r.Event)
	if step.Refused != "" {
		return
	}
	if r.ExternalID != "" {
		p.first(r.ExternalID)
	}
	for _, c := range step.Turns {
		if c.To.Settled() {
			p.settle(c)
		}
	}
	for _, c := range step.Turns {
		if !c.To.Settled() {
			p.open(c)
		}
	}
	p.view.Status, p.lastMS = step.Status, max(p.lastMS, r.happenedMS())
	if r.Event.Session != "" {
		p.view.Session = r.Event.Session
	}
}

// viewFor is what is known when a report comes in.
func (p *sessionPast) viewFor(r SessionReport) lifecycle.SessionView {
	v := p.view
	v.Turns, v.Named = len(p.turns), lifecycle.TurnNone
	v.Stale = r.SaidMS != 0 && r.SaidMS < p.lastMS
	for _, t := range p.turns {
		if t.To == lifecycle.TurnRunning {
			v.Active = t.ID
		}
		v.Pending = v.Pending || t.To == lifecycle.TurnPending
		if t.ID != "" && t.ID == r.Event.Turn {
			v.Named = t.To
		}
	}
	return v
}

// pending is where the pending turn is, -1 without one.
func (p *sessionPast) pending() int {
	return slices.IndexFunc(p.turns, func(t lifecycle.TurnChange) bool { return t.To == lifecycle.TurnPending })
}

// settle ends the pending turn, the one that runs, or one that was never seen,
// which comes before the pending one.
func (p *sessionPast) settle(c lifecycle.TurnChange) {
	at := p.pending()
	if c.ID != "" {
		at = slices.Index(p.turns, lifecycle.TurnChange{ID: c.ID, To: lifecycle.TurnRunning})
	}
	switch next := p.pending(); {
	case at >= 0:
		p.turns[at].To = c.To
	case c.ID != "" && next >= 0:
		p.turns = slices.Insert(p.turns, next, c)
	case c.ID != "":
		p.turns = append(p.turns, c)
	}
}

// open begins a turn, taking over the pending one when there is one.
func (p *sessionPast) open(c lifecycle.TurnChange) {
	if at := p.pending(); at >= 0 {
		p.turns[at] = c
		return
	}
	p.turns = append(p.turns, c)
}

// over ends the execution: open turns are interrupted.
func (p *sessionPast) over() {
	p.view.Over = true
	for i := range p.turns {
		if !p.turns[i].To.Settled() {
			p.turns[i].To = lifecycle.TurnInterrupted
		}
	}
}

// last is how the last turn stands.
func (p *sessionPast) last() lifecycle.TurnState {
	if len(p.turns) == 0 {
		return lifecycle.TurnNone
	}
	return p.turns[len(p.turns)-1].To
}
