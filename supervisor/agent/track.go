package agent

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// EventType names what happened in an agent's session.
type EventType string

// The events a Reader finds. A failed turn is an EventTurnCompleted with Failed
// set; EventRetrying is news about the open turn, not a change of its state.
const (
	EventSessionStarted EventType = "session.started"
	EventTurnStarted    EventType = "turn.started"
	EventTurnCompleted  EventType = "turn.completed"
	EventTurnAborted    EventType = "turn.aborted"
	EventRetrying       EventType = "turn.retrying"
)

// Event is one thing that happened in an agent's session.
type Event struct {
	Type EventType
	// Session is the agent's own name for the session; empty until it told.
	Session string
	// Turn names the turn, unique within one run of the agent; empty for an
	// event of the session.
	Turn string
	// Failed is true when the turn ended without being completed.
	Failed bool
	// Cause is why it failed or is tried again; empty otherwise.
	Cause Cause
	// Detail is what the agent said, for a person.
	Detail string
}

// track follows one session through whatever witness is read. Its zero value has
// seen nothing.
type track struct {
	Standing
	events []Event
	// counted is true once an answer had a token count.
	counted bool
	// frank is true once it is known that the agent says when an answer broke off.
	frank bool
	// responded is true once a request was answered to its end.
	responded bool
	// pieces counts the answers in a row with nothing asked for in between, where
	// an agent has an answer continued that was cut short.
	pieces int
}

// session notes the session's name, and announces it when it is new.
func (t *track) session(id string) {
	if id == "" || id == t.Session {
		return
	}
	t.Session = id
	t.emit(Event{Type: EventSessionStarted})
}

// begin opens the next turn unless one is open.
func (t *track) begin() {
	if t.Turn == TurnOpen {
		return
	}
	t.Turns++
	t.Standing = Standing{Turn: TurnOpen, Session: t.Session, Turns: t.Turns, Moves: t.Moves + 1}
	t.emit(Event{Type: EventTurnStarted})
}

// moves notes that the model answered: whatever the turn struggled with is over.
func (t *track) moves() {
	t.begin()
	t.Moves++
	t.Retrying, t.Waiting, t.Cause, t.Detail = false, false, "", ""
}

// struggles notes trouble that need not be the end.
func (t *track) struggles(cause Cause, detail string) {
	t.begin()
	t.Cause, t.Detail = cause, clip(detail)
}

// retries notes that the agent tries again.
func (t *track) retries(cause Cause, detail string) {
	t.struggles(cause, detail)
	t.Retrying = true
	t.emit(Event{Type: EventRetrying, Cause: cause, Detail: t.Detail})
}

// completes ends the turn well.
func (t *track) completes() {
	t.settle(TurnCompleted, "", "")
	t.emit(Event{Type: EventTurnCompleted})
}

// answered ends the turn by an answer after which nothing more was asked for,
// which is no proof that it was whole. One that has no token count, where others
// of the session have, broke off: the count comes last.
func (t *track) answered(counted bool) {
	if !counted && t.counted {
		t.fails(CauseDisconnect, "the last answer has no token count, unlike those before")
		return
	}
	t.counted = t.counted || counted
	t.completes()
	t.Presumed = true
}

// atLimit says whether a count of tokens is just what an answer may have at most,
// and therefore an answer that was cut short.
func atLimit(tokens int) bool {
	for _, most := range []int{4096, 8192, 16384, 32768, 65536, 131072, 32000, 64000, 128000} {
		if tokens == most || tokens == most-1 {
			return true
		}
	}
	return false
}

// fails ends the turn badly.
func (t *track) fails(cause Cause, detail string) {
	t.settle(TurnFailed, cause, detail)
	t.emit(Event{Type: EventTurnCompleted, Failed: true, Cause: cause, Detail: t.Detail})
}

// interrupted ends the turn because somebody asked for it.
func (t *track) interrupted(detail string) {
	t.settle(TurnInterrupted, CauseUser, detail)
	t.emit(Event{Type: EventTurnAborted, Cause: CauseUser, Detail: t.Detail})
}

// cutOff notes that what was to come next broke off: a turn is not over then, unless
// it was before.
func (t *track) cutOff() {
	if t.Turn.Settled() {
		return
	}
	t.begin()
	said := "it is cut off in the middle of a line"
	if t.Detail != "" {
		said = t.Detail + "; " + said
	}
	t.Detail = clip(said)
}

// settle ends the turn, opening it first if its start was not seen.
func (t *track) settle(turn Turn, cause Cause, detail string) {
	t.begin()
	t.Turn, t.Cause, t.Detail = turn, cause, clip(detail)
	t.Moves++
	t.Retrying, t.Waiting, t.Presumed, t.Spins = false, false, false, 0
}

// emit adds an event of the current session and turn.
func (t *track) emit(e Event) {
	e.Session = t.Session
	if e.Type != EventSessionStarted {
		e.Turn = "turn-" + strconv.Itoa(t.Turns)
	}
	t.events = append(t.events, e)
}

// take hands over the events found since it was last called.
func (t *track) take() []Event {
	events := t.events
	t.events = nil
	return events
}

// clip makes text fit for one line of a report.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= detailMost {
		return s
	}
	cut := detailMost - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
