package main

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// glanceMost bounds what one look reads of output that goes to a file, in bytes: the
// rest is read by the looks after it.
const glanceMost = 4 << 20

// findPause is the most looks that are let pass between two searches for a record
// that was not found: they cost more than all else.
const findPause = 32

// glance is what looks at an agent remember. It belongs to the goroutine that looks,
// and after that to the one that ends the run.
type glance struct {
	follower *agent.Follower
	// pause counts looks down to the next search for a record, waited is how many
	// it last was.
	pause, waited int
	// held are events of the record that wait for the answer to the beat, which
	// tells whether somebody else reports this agent's turns.
	held    []agent.Event
	foreign bool
	// certain: the record that is followed is known to be the run's.
	certain bool

	passed int64
	moves  int
	lines  []string
	text   agent.Standing
	ending screenEnding
	limit  limit
	grown  uint64
	steps  uint64
}

// progress looks at what the agent tells, once per beat. Reading is bounded.
func (w *wrapping) progress(ctx context.Context) supervisor.Progress {
	s := w.witness
	s.readOutput(glanceMost)
	s.telemetry.read(glanceMost)
	s.mu.Lock()
	standing, passed := s.reader.Standing(), s.passed
	s.mu.Unlock()
	if s.in.Output == agent.OutputText {
		if w.followRecord(ctx, standing.Session) {
			s.look.grown++
		}
		if f := s.look.follower; f != nil {
			standing = f.Standing()
		}
	}
	if passed != s.look.passed {
		s.look.passed = passed
		w.lookAtText()
	}
	if moves := standing.Moves; moves != s.look.moves {
		s.look.moves = moves
		s.look.steps++
	}
	s.look.ending.take(s.look.text, standing, len(s.look.lines) > 0)
	return s.told(standing, w.env.clock.Now().Wall)
}

// screenEnding follows whether the screen shows the end of the turn that the record
// holds open: some agents write down no end of one that was interrupted or failed.
// Its zero value has seen nothing.
type screenEnding struct {
	// drawn: something was on the screen; shown and record are as at the last look.
	drawn         bool
	shown, record agent.Standing
	// over: the screen shows the end, and moves is how far the record was then.
	over  bool
	moves int
}

// take adds a look. An end is that of the open turn if it came to be shown while that
// was open, and the record has told of no move since: what was on the screen from the
// start is of an earlier session, and where another turn was open at the last look, it
// is of that one.
func (e *screenEnding) take(shown, record agent.Standing, drawn bool) {
	fresh := shown.Turn != e.shown.Turn || shown.Detail != e.shown.Detail
	another := e.record.Turn == agent.TurnOpen && record.Turns != e.record.Turns
	switch {
	case record.Turn != agent.TurnOpen || !shown.Turn.Settled():
		e.over = false
	case fresh:
		e.over, e.moves = e.drawn && !another, record.Moves
	default:
		e.over = e.over && record.Moves == e.moves
	}
	e.drawn, e.shown, e.record = drawn, shown, record
}

// told is a standing in the supervisor's words. Whether the agent waits for a person
// is only to be seen on its screen.
func (s *witness) told(standing agent.Standing, now time.Time) supervisor.Progress {
	p := supervisor.Progress{
		Grown: s.look.grown, Steps: s.look.steps, Runaway: standing.Runaway(), Waiting: standing.Waiting || s.look.text.Waiting && !standing.Turn.Settled(),
	}
	ended := standing.Turn.Settled() || s.look.ending.over && s.in.Mode == agent.ModeInteractive
	switch {
	case standing.Turn != agent.TurnUnknown && ended:
		p.Turn = lifecycle.TurnCompleted
	case standing.Turn == agent.TurnOpen:
		p.Turn = lifecycle.TurnRunning
	case standing.Turn == agent.TurnUnknown && s.in.Mode == agent.ModeHeadless:
		// It was given its one request on the command line.
		p.Turn = lifecycle.TurnPending
	}
	p.LimitedUntilMS = s.look.limit.until(standing, s.look.text, now)
	p.Sees = s.look.grown > 0 || s.look.follower != nil || s.look.passed > 0
	return p
}

// limit is a usage limit as the agent told of it.
type limit struct {
	detail  string
	untilMS int64
}

// until is when the limit ends that one of the standings tells of, in wall-clock
// milliseconds; 0 for none. "In two hours" counts from when it was first read.
func (l *limit) until(a, b agent.Standing, now time.Time) int64 {
	detail := ""
	for _, t := range []agent.Standing{a, b} {
		if t.Cause == agent.CauseLimited && detail == "" {
			detail = t.Detail
		}
	}
	if detail != l.detail {
		*l = limit{detail: detail}
		if at, ok := agent.LimitedUntil(detail, now); ok {
			l.untilMS = at.UnixMilli()
		}
	}
	return l.untilMS
}

// lookAtText looks at what a person sees. Bytes that went by otherwise are growth as
// they are; of those to a terminal most may be a redraw.
func (w *wrapping) lookAtText() {
	s := w.witness
	if !term.IsTerminal(int(w.env.stdout.Fd())) {
		s.look.grown++
		return
	}
	text := w.shownText()
	s.look.text = s.agent.Text(text, s.in)
	lines := plainLines(text)
	if growsBy(s.look.lines, lines) {
		s.look.grown++
	}
	s.look.lines = lines
}

// shownText is what a person sees now.
func (w *wrapping) shownText() string {
	columns, rows, err := term.GetSize(int(w.env.stdout.Fd()))
	if err != nil {
		columns, rows = 0, 0
	}
	w.witness.mu.Lock()
	defer w.witness.mu.Unlock()
	return supervisor.ShownText(&w.witness.tail, columns, rows)
}

// plainLines are the lines of a text by their letters alone: counters, clocks,
// spinners and frames change all the time and say nothing.
func plainLines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, line)
		if line != "" {
			all = append(all, line)
		}
	}
	return all
}

// growsBy says whether a screen shows something new: two lines that were not there, a
// line that goes on, or one that follows what was the last. A single line that changed
// is a status line, which agents like to vary.
func growsBy(before, after []string) bool {
	fresh := 0
	for i, line := range after {
		if slices.Contains(before, line) {
			continue
		}
		fresh++
		goesOn := slices.ContainsFunc(before, func(old string) bool { return strings.HasPrefix(line, old) })
		follows := i > 0 && len(before) > 0 && after[i-1] == before[len(before)-1]
		if fresh > 1 || goesOn || follows {
			return true
		}
	}
	return false
}

// followRecord reads on in the agent's own record, and says whether it grew. Its
// events wait for heard.
func (w *wrapping) followRecord(ctx context.Context, session string) (grew bool) {
	s := w.witness
	if s.look.follower == nil && !w.searchRecord(session) {
		return false
	}
	f := s.look.follower
	if !f.Grew() {
		return false
	}
	var events []agent.Event
	if f.Record().Query == "" {
		events = f.Lines()
	} else {
		events = f.Rows(w.recordRows(ctx, f.Record()))
	}
	s.look.held = append(s.look.held, events...)
	return len(s.look.held) == 0 || w.stillMeant(session)
}

// stillMeant looks once more for the record before anything of the one that is followed
// is believed: there was no other when it was found, and now there may be. It lets go
// of one that is not the run's, or that need not be.
func (w *wrapping) stillMeant(session string) bool {
	s := w.witness
	rec, ok := w.findRecord(session)
	if ok && rec.Path == s.look.follower.Record().Path {
		s.look.certain = rec.Certain
		return true
	}
	s.look.follower, s.look.held, s.look.certain = nil, nil, false
	return false
}

// searchRecord looks for the record, ever less often where there is none.
func (w *wrapping) searchRecord(session string) bool {
	s := w.witness
	if s.look.pause > 0 {
		s.look.pause--
		return false
	}
	rec, ok := w.findRecord(session)
	if ok {
		s.look.follower = s.agent.Follow(rec, s.began.Wall)
		return true
	}
	s.look.waited = min(2*s.look.waited+1, findPause)
	s.look.pause = s.look.waited
	return false
}

// heard enters what the record tells, unless the agent's hooks report its turns:
// they know more, and know it first. What is only the one record there is of a headless
// run waits for the end, when the run has surely written its own.
func (w *wrapping) heard(answer store.BeatAnswer) {
	s := w.witness
	_, ours := s.book.standing()
	s.look.foreign = s.look.foreign || answer.Session != "" && !ours
	switch {
	case s.look.foreign:
	case s.headless() && !s.look.certain:
		return
	default:
		s.book.add(s.look.held)
	}
	s.look.held = nil
}

// lastHeard enters what the record tells in the end. Where the book has entered
// nothing so far, what is found of the last turn stands in the evidence.
func (w *wrapping) lastHeard(ctx context.Context, session string) {
	s := w.witness
	if _, ours := s.book.standing(); !ours || s.look.follower == nil || s.look.foreign {
		return
	}
	w.followRecord(ctx, session)
	if s.look.follower != nil && w.stillMeant(session) {
		s.book.add(s.look.held)
	}
}
