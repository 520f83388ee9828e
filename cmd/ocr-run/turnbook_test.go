package main

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// page is a ledger that knows nothing but the rules of sessions.
type page struct {
	status  lifecycle.SessionStatus
	session string
	turns   []lifecycle.TurnChange
	entered []string
	// gate holds up every report until it is closed; nil lets them pass.
	gate chan struct{}
}

// report does what Recorder.Report does.
func (p *page) report(_ context.Context, r store.SessionReport) (store.SessionAnswer, bool, error) {
	if p.gate != nil {
		<-p.gate
	}
	view := lifecycle.SessionView{Status: p.status, Session: p.session, Turns: len(p.turns), Named: lifecycle.TurnNone}
	for _, turn := range p.turns {
		if turn.To == lifecycle.TurnRunning {
			view.Active = turn.ID
		}
		if turn.ID == r.Event.Turn {
			view.Named = turn.To
		}
	}
	step := lifecycle.Receive(view, r.Event)
	if step.Refused == "" {
		p.status = step.Status
		if r.Event.Session != "" {
			p.session = r.Event.Session
		}
		for _, c := range step.Turns {
			if i := slices.IndexFunc(p.turns, func(t lifecycle.TurnChange) bool { return t.ID == c.ID }); i >= 0 {
				p.turns[i] = c
			} else {
				p.turns = append(p.turns, c)
			}
		}
		p.entered = append(p.entered, string(r.Event.Type)+" "+r.Event.Turn+" "+r.Event.State)
	}
	return store.SessionAnswer{Refused: step.Refused, Status: p.status}, false, nil
}

// last is how the last turn stands.
func (p *page) last() lifecycle.TurnState {
	if len(p.turns) == 0 {
		return lifecycle.TurnNone
	}
	return p.turns[len(p.turns)-1].To
}

// newBook is a book that writes to a page.
func newBook(p *page) *turnBook {
	return &turnBook{ctx: context.Background(), report: p.report, now: func() store.Instant { return store.Instant{WallMS: 1} }}
}

// turn is what an agent says of one turn.
func oneTurn(n int, end agent.Event) []agent.Event {
	name := "turn-" + strconv.Itoa(n)
	end.Session, end.Turn = "s", name
	return []agent.Event{{Type: agent.EventTurnStarted, Session: "s", Turn: name}, end}
}

// Ends of turns.
func done() agent.Event    { return agent.Event{Type: agent.EventTurnCompleted} }
func failed() agent.Event  { return agent.Event{Type: agent.EventTurnCompleted, Failed: true} }
func aborted() agent.Event { return agent.Event{Type: agent.EventTurnAborted} }

func TestTurnBook(t *testing.T) {
	t.Parallel()
	started := agent.Event{Type: agent.EventSessionStarted, Session: "s"}
	tests := []struct {
		name   string
		events []agent.Event
		want   []string
		last   lifecycle.TurnState
	}{
		{"nothing", nil, nil, lifecycle.TurnNone},
		{"a session alone", []agent.Event{started}, []string{"session.started  "}, lifecycle.TurnNone},
		{"a turn brings its session", append([]agent.Event{started}, oneTurn(1, done())...), []string{"turn.started turn-1 ", "turn.completed turn-1 completed"}, lifecycle.TurnCompleted},
		{"a failure", oneTurn(1, failed()), []string{"turn.started turn-1 ", "turn.completed turn-1 failed"}, lifecycle.TurnError},
		{"an interruption", oneTurn(1, aborted()), []string{"turn.started turn-1 ", "turn.aborted turn-1 "}, lifecycle.TurnInterrupted},
		{"an open turn", oneTurn(1, done())[:1], []string{"turn.started turn-1 "}, lifecycle.TurnRunning},
		{"trying again is no news", append(oneTurn(1, done())[:1], agent.Event{Type: agent.EventRetrying, Turn: "turn-1"}), []string{"turn.started turn-1 "}, lifecycle.TurnRunning},
		{"one after another", append(oneTurn(1, failed()), oneTurn(2, done())...), []string{
			"turn.started turn-1 ", "turn.completed turn-1 failed", "turn.started turn-2 ", "turn.completed turn-2 completed",
		}, lifecycle.TurnCompleted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &page{}
			b := newBook(p)
			b.add(tt.events)
			b.close(t.Context(), nil)
			if !slices.Equal(p.entered, tt.want) || p.last() != tt.last {
				t.Errorf("entered %q, %s; want %q, %s", p.entered, p.last(), tt.want, tt.last)
			}
			b.add(oneTurn(9, done()))
			if state, _ := b.standing(); state != tt.last {
				t.Errorf("the book says %s", state)
			}
		})
	}
}

// TestTurnBookLeavesTheTurnsOfOthers: a turn that hooks have begun is ended by hooks.
func TestTurnBookLeavesTheTurnsOfOthers(t *testing.T) {
	t.Parallel()
	p := &page{status: lifecycle.SessionRunning, turns: []lifecycle.TurnChange{{ID: "hook", To: lifecycle.TurnRunning}}}
	b := newBook(p)
	b.add(oneTurn(1, done()))
	b.close(t.Context(), []agent.Evidence{{Turn: agent.TurnCompleted}})
	if len(p.entered) > 0 || p.last() != lifecycle.TurnRunning {
		t.Errorf("entered %q, %s", p.entered, p.last())
	}
}

// TestTurnBookAmends: in the end the ledger and the verdict on the last turn agree,
// as far as a settled turn allows.
func TestTurnBookAmends(t *testing.T) {
	t.Parallel()
	open := oneTurn(1, done())[:1]
	tests := []struct {
		name    string
		events  []agent.Event
		verdict []agent.Turn
		want    lifecycle.TurnState
	}{
		{"the record knows the end", open, []agent.Turn{agent.TurnCompleted}, lifecycle.TurnCompleted},
		{"the record knows the failure", open, []agent.Turn{agent.TurnFailed}, lifecycle.TurnError},
		{"it was interrupted", open, []agent.Turn{agent.TurnInterrupted}, lifecycle.TurnInterrupted},
		{"it is open", open, []agent.Turn{agent.TurnOpen}, lifecycle.TurnRunning},
		{"nobody knows", open, nil, lifecycle.TurnRunning},
		{"only the first counts", open, []agent.Turn{agent.TurnOpen, agent.TurnCompleted}, lifecycle.TurnRunning},
		{"another came after", oneTurn(1, done()), []agent.Turn{agent.TurnOpen}, lifecycle.TurnRunning},
		{"nothing to add", oneTurn(1, done()), []agent.Turn{agent.TurnCompleted}, lifecycle.TurnCompleted},
		{"a failure stays one", oneTurn(1, failed()), []agent.Turn{agent.TurnCompleted}, lifecycle.TurnError},
		{"nothing was entered", nil, []agent.Turn{agent.TurnOpen}, lifecycle.TurnNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &page{}
			b := newBook(p)
			b.add(tt.events)
			var verdict []agent.Evidence
			for _, state := range tt.verdict {
				verdict = append(verdict, agent.Evidence{Turn: state})
			}
			b.close(t.Context(), verdict)
			if p.last() != tt.want {
				t.Errorf("the last turn is %s, want %s", p.last(), tt.want)
			}
		})
	}
}

// TestTurnBookNeverWaits: who hands events over goes on at once, whatever the ledger
// does, and how things stand is entered in the end.
func TestTurnBookNeverWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &page{gate: make(chan struct{})}
		b := newBook(p)
		for n := range 10 * bookMost {
			b.add(oneTurn(n, done()))
		}
		b.add(oneTurn(-1, failed()))
		synctest.Wait() // the writer stands at the gate
		b.mu.Lock()
		if n := len(b.queue); n > bookMost {
			t.Errorf("%d events wait", n)
		}
		b.mu.Unlock()
		close(p.gate)
		b.close(t.Context(), nil)
		if p.last() != lifecycle.TurnError {
			t.Errorf("the last turn is %s", p.last())
		}
	})
}

// TestThinnedKeepsHowThingsStand: whole turns go, and nothing of what is left depends
// on them.
func TestThinnedKeepsHowThingsStand(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, whole := &page{}, &page{}
		var queue []bookEntry
		ends := []func() agent.Event{done, failed, aborted}
		n := rapid.IntRange(1, 20).Draw(t, "turns")
		for i := range n {
			events := oneTurn(i, rapid.SampledFrom(ends).Draw(t, "end")())
			if i == n-1 && rapid.Bool().Draw(t, "open") {
				events = events[:1]
			}
			for _, e := range events {
				queue = append(queue, bookEntry{Event: e})
			}
		}
		enter := func(p *page, queue []bookEntry) {
			b := newBook(p)
			for _, e := range queue {
				b.enter(context.Background(), e)
			}
		}
		enter(whole, queue)
		for range rapid.IntRange(0, n-1).Draw(t, "thinned") {
			queue = thinned(queue)
		}
		enter(p, queue)
		if p.last() != whole.last() || p.status != whole.status {
			t.Fatalf("%s and %s, want %s and %s", p.last(), p.status, whole.last(), whole.status)
		}
	})
}
