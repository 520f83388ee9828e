package main

import (
	"context"
	"slices"
	"sync"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// bookMost bounds the events that wait for the ledger. An agent that begins and
// ends turns faster than they can be written loses whole turns from the middle,
// never how things stand.
const bookMost = 256

// turnBook enters an agent's turns into the ledger while it runs. Whoever reads the
// agent hands events over and goes on at once; a goroutine, which the first event
// starts and close ends, writes them.
//
// Others report the same turns, hooks above all. A turn belongs to whoever begins
// it: the book ends no turn that it did not begin.
type turnBook struct {
	// report is Recorder.Report, for this run.
	report func(context.Context, store.SessionReport) (store.SessionAnswer, bool, error)
	now    func() store.Instant
	ctx    context.Context //nolint:containedctx // the writer's; it need not end

	mu     sync.Mutex
	queue  []bookEntry
	wake   chan struct{} // nil until the first event
	closed bool
	writer sync.WaitGroup
	// turn is the last turn the book began, state how it stands; both empty before.
	turn  string
	state lifecycle.TurnState
	// heard: the ledger took an event of ours.
	heard bool
}

// bookEntry is one event and when it was seen.
type bookEntry struct {
	agent.Event

	at store.Instant
}

// add takes in events, in order. It never waits for the ledger. A nil book, and one
// that is closed, take nothing.
func (b *turnBook) add(events []agent.Event) {
	events = slices.DeleteFunc(events, func(e agent.Event) bool { return e.Type == agent.EventRetrying })
	if b == nil || len(events) == 0 {
		return
	}
	at := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	for _, e := range events {
		b.queue = append(b.queue, bookEntry{e, at})
	}
	for len(b.queue) > bookMost {
		b.queue = thinned(b.queue)
	}
	if b.wake == nil {
		wake := make(chan struct{}, 1)
		b.wake = wake
		b.writer.Go(func() { b.write(wake) })
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// thinned drops from a queue the oldest turn that both begins and ends in it, or,
// where there is none, the oldest event.
func thinned(queue []bookEntry) []bookEntry {
	for i, began := range queue[:len(queue)-1] {
		if began.Type != agent.EventTurnStarted {
			continue
		}
		for k := i + 1; k < len(queue)-1; k++ {
			if queue[k].Turn == began.Turn && queue[k].Type != agent.EventTurnStarted {
				return slices.Delete(slices.Delete(queue, k, k+1), i, i+1)
			}
		}
	}
	return queue[1:]
}

// write enters what comes until the book is closed.
func (b *turnBook) write(wake <-chan struct{}) {
	for range wake {
		b.drain(b.ctx)
	}
}

// drain enters all that waits. One goroutine at a time may call it.
func (b *turnBook) drain(ctx context.Context) {
	for {
		b.mu.Lock()
		queue := b.queue
		b.queue = nil
		b.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for i, e := range queue {
			// A turn that begins says whose it is: its session needs no line of its own.
			if e.Type == agent.EventSessionStarted && i+1 < len(queue) && queue[i+1].Session == e.Session {
				continue
			}
			b.enter(ctx, e)
		}
	}
}

// enter reports one event, unless it ends a turn that is somebody else's.
func (b *turnBook) enter(ctx context.Context, e bookEntry) {
	begins := e.Type == agent.EventTurnStarted
	if e.Turn != "" && !begins && !b.owns(e.Turn) {
		return
	}
	event, ok := sessionEventOf(e.Event)
	if !ok {
		return
	}
	answer, _, err := b.report(ctx, store.SessionReport{
		ExternalID: externalID(e.Event), Event: event, Detail: detail(e.Detail), At: e.at,
	})
	if err != nil || answer.Refused != "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = true
	if e.Turn != "" {
		b.turn, b.state = e.Turn, turnStateAfter(e.Event)
	}
}

// owns says whether a turn is the book's, and open.
func (b *turnBook) owns(turn string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.turn == turn && !b.state.Settled()
}

// standing is the last turn of the book's own, TurnNone without one.
func (b *turnBook) standing() (state lifecycle.TurnState, heard bool) {
	if b == nil {
		return lifecycle.TurnNone, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == "" {
		return lifecycle.TurnNone, b.heard
	}
	return b.state, b.heard
}

// close enters what still waits and then what the verdict on the last turn adds: the
// agent's own record may know of an end that its output does not tell of, or of a
// turn that came after.
func (b *turnBook) close(ctx context.Context, verdict []agent.Evidence) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.closed = true
	wake := b.wake
	b.mu.Unlock()
	if wake != nil {
		close(wake)
	}
	b.writer.Wait()
	b.drain(ctx)
	if e, ok := b.amends(verdict); ok {
		b.enter(ctx, bookEntry{e, b.now()})
	}
}

// amends is the event that brings the book's last turn in line with a verdict; false
// when it is, or when the book has no turn.
func (b *turnBook) amends(verdict []agent.Evidence) (e agent.Event, needed bool) {
	state, _ := b.standing()
	if len(verdict) == 0 || state == lifecycle.TurnNone {
		return e, false
	}
	first := verdict[0]
	e = agent.Event{Turn: b.turn, Detail: first.Detail, Cause: first.Points}
	switch {
	case first.Turn == agent.TurnOpen && state.Settled():
		e.Turn += "+"
		e.Type = agent.EventTurnStarted
	case state.Settled():
		return e, false
	case first.Turn == agent.TurnCompleted, first.Turn == agent.TurnFailed:
		e.Type, e.Failed = agent.EventTurnCompleted, first.Turn == agent.TurnFailed
	case first.Turn == agent.TurnInterrupted:
		e.Type = agent.EventTurnAborted
	default:
		return e, false
	}
	return e, true
}

// externalID lets the ledger take an event once, should a write that was cut off be
// made again.
func externalID(e agent.Event) string {
	if e.Turn == "" {
		return ""
	}
	return "seen/" + e.Turn + "/" + string(e.Type)
}

// sessionEventOf is an agent's event in the ledger's words.
func sessionEventOf(e agent.Event) (event lifecycle.SessionEvent, ok bool) {
	event = lifecycle.SessionEvent{Session: e.Session, Turn: e.Turn}
	switch e.Type {
	case agent.EventSessionStarted:
		event.Type = lifecycle.SessionEventStarted
	case agent.EventTurnStarted:
		event.Type = lifecycle.SessionEventTurnStarted
	case agent.EventTurnCompleted:
		event.Type, event.State = lifecycle.SessionEventTurnCompleted, "completed"
		if e.Failed {
			event.State = "failed"
		}
	case agent.EventTurnAborted:
		event.Type = lifecycle.SessionEventTurnAborted
	case agent.EventRetrying:
		return event, false
	default:
		return event, false
	}
	return event, true
}

// turnStateAfter is how a turn stands after an event about it.
func turnStateAfter(e agent.Event) lifecycle.TurnState {
	switch {
	case e.Type == agent.EventTurnStarted:
		return lifecycle.TurnRunning
	case e.Type == agent.EventTurnAborted:
		return lifecycle.TurnInterrupted
	case e.Failed:
		return lifecycle.TurnError
	default:
		return lifecycle.TurnCompleted
	}
}
