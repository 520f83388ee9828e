package lifecycle

// SessionEventType is a word with which an agent's session tells what it does.
// Source: T3 Code, the lifecycle events of its providers.
type SessionEventType string

// The events of a session. Everything else an agent may say leaves the session
// as it is.
const (
	// SessionEventStarted and SessionEventThread: a session, or a conversation in
	// it, has begun or was taken up again.
	SessionEventStarted SessionEventType = "session.started"
	SessionEventThread  SessionEventType = "thread.started"
	// SessionEventState: the session says what state it is in.
	SessionEventState SessionEventType = "session.state.changed"
	// SessionEventExited: the session is over.
	SessionEventExited SessionEventType = "session.exited"
	// SessionEventTurnRequested: a turn was asked for and has not begun.
	SessionEventTurnRequested SessionEventType = "turn.requested"
	// SessionEventTurnStarted: a turn runs.
	SessionEventTurnStarted SessionEventType = "turn.started"
	// SessionEventTurnCompleted: a turn came to its end, with a result.
	SessionEventTurnCompleted SessionEventType = "turn.completed"
	// SessionEventTurnAborted and SessionEventTurnInterrupted: a turn was given up.
	SessionEventTurnAborted     SessionEventType = "turn.aborted"
	SessionEventTurnInterrupted SessionEventType = "turn.interrupted"
	// SessionEventError: the session, or the turn named, failed.
	SessionEventError SessionEventType = "runtime.error"
)

// SessionEventTypes lists the whole vocabulary.
func SessionEventTypes() []SessionEventType {
	return []SessionEventType{
		SessionEventStarted, SessionEventThread, SessionEventState, SessionEventExited, SessionEventTurnRequested,
		SessionEventTurnStarted, SessionEventTurnCompleted, SessionEventTurnAborted, SessionEventTurnInterrupted, SessionEventError,
	}
}

// opens says whether the event may be the first of a session.
func (t SessionEventType) opens() bool {
	return t == SessionEventStarted || t == SessionEventThread ||
		t == SessionEventTurnRequested || t == SessionEventTurnStarted
}

// SessionEvent is one thing an agent's session said.
type SessionEvent struct {
	Type SessionEventType `json:"type"`
	// Session is the agent's own id for its session; empty when the source does
	// not tell sessions apart.
	Session string `json:"session,omitempty"`
	// Turn is the agent's own id for the turn; empty when it has none.
	Turn string `json:"turn,omitempty"`
	// State is the state of a SessionEventState, or the result of a
	// SessionEventTurnCompleted: completed (also when empty), failed, interrupted
	// or cancelled. Any other result is a failure.
	State string `json:"state,omitempty"`
}

// SessionView is what is known about a session when an event comes in. Its zero
// value is a live execution whose agent has said nothing.
type SessionView struct {
	Status SessionStatus
	// Session is the agent's id for its session, empty while it is not known.
	Session string
	// Active is the turn that runs, empty when none does.
	Active string
	// Pending: a turn was asked for and has not begun.
	Pending bool
	// Turns counts the turns there have been, the open ones too.
	Turns int
	// Over: the execution has ended.
	Over bool
	// Named is the state of the turn the event names; TurnNone when it names none,
	// or one that is not known.
	Named TurnState
	// Stale: the event says that it happened before what is known already.
	Stale bool
}

// Busy says whether a turn runs or is about to. A session that is not busy may be
// stopped for doing nothing, and another one may take its place.
func (v SessionView) Busy() bool { return v.Active != "" || v.Pending }

// SessionRefusal says why an event was not applied.
type SessionRefusal string

// The refusals. The zero value means that the event was applied.
const (
	// RefusedEnded: the execution has ended.
	RefusedEnded SessionRefusal = "ended"
	// RefusedFenced: the event comes from another generation of the execution.
	RefusedFenced SessionRefusal = "fenced"
	// RefusedDuplicate: it has been applied already, or says what is the case.
	RefusedDuplicate SessionRefusal = "duplicate"
	// RefusedForeign: it is about another session, or about another turn than the
	// one that runs.
	RefusedForeign SessionRefusal = "foreign"
	// RefusedLate: the turn it names has ended.
	RefusedLate SessionRefusal = "late"
	// RefusedOutOfOrder: it happened before what is known already.
	RefusedOutOfOrder SessionRefusal = "out-of-order"
	// RefusedNoTurn: it ends a turn and none runs.
	RefusedNoTurn SessionRefusal = "no-turn"
	// RefusedUnknown: its type or its state is no word of ours.
	RefusedUnknown SessionRefusal = "unknown"
)

// SessionRefusals lists every refusal.
func SessionRefusals() []SessionRefusal {
	return []SessionRefusal{
		RefusedEnded, RefusedFenced, RefusedDuplicate, RefusedForeign,
		RefusedLate, RefusedOutOfOrder, RefusedNoTurn, RefusedUnknown,
	}
}

// TurnChange is what becomes of one turn.
type TurnChange struct {
	// ID names the turn; empty means the pending one, which has no name yet.
	ID string
	// To is its new state. A turn that begins takes over the pending one; one that
	// settles and was never seen begins and settles at once.
	To TurnState
}

// SessionStep is what an event does.
type SessionStep struct {
	// Refused is why the event does nothing; empty when it was applied.
	Refused SessionRefusal
	// Status is the session's state afterwards.
	Status SessionStatus
	// Turns are the changes of turns, in order: at most one turn runs after each.
	Turns []TurnChange
}

// SessionWordWaiting is the word of a session that waits for somebody in the middle
// of its work.
const SessionWordWaiting = "waiting"

// SessionStatusOf is the state a session means by a word; false for a word that
// is none.
func SessionStatusOf(word string) (SessionStatus, bool) {
	if word == SessionWordWaiting {
		return SessionRunning, true
	}
	for _, s := range SessionStatuses() {
		if string(s) == word {
			return s, true
		}
	}
	return "", false
}

// SessionStateWords lists the words SessionStatusOf knows.
func SessionStateWords() []string {
	words := []string{SessionWordWaiting}
	for _, s := range SessionStatuses() {
		words = append(words, string(s))
	}
	return words
}
