package lifecycle

// TurnState is the state of one request/answer cycle, as stored.
type TurnState string

// The turn states. TurnNone means no turn is known.
const (
	TurnNone        TurnState = "none"
	TurnPending     TurnState = "pending"
	TurnRunning     TurnState = "running"
	TurnCompleted   TurnState = "completed"
	TurnInterrupted TurnState = "interrupted"
	TurnError       TurnState = "error"
)

// TurnStates lists every state a stored turn can be in (TurnNone is not stored).
func TurnStates() []TurnState {
	return []TurnState{TurnPending, TurnRunning, TurnCompleted, TurnInterrupted, TurnError}
}

// Settled says whether the turn can no longer change.
func (s TurnState) Settled() bool {
	return s == TurnCompleted || s == TurnInterrupted || s == TurnError
}

// finished says whether nothing known about turns speaks against success.
func (s TurnState) finished() bool { return s == TurnNone || s == TurnCompleted || s == "" }

// SessionStatus is the state of the agent's session inside an execution.
type SessionStatus string

// The session states. The zero value means nothing is known.
const (
	SessionIdle        SessionStatus = "idle"
	SessionStarting    SessionStatus = "starting"
	SessionRunning     SessionStatus = "running"
	SessionReady       SessionStatus = "ready"
	SessionInterrupted SessionStatus = "interrupted"
	SessionStopped     SessionStatus = "stopped"
	SessionError       SessionStatus = "error"
)

// SessionStatuses lists every session state.
func SessionStatuses() []SessionStatus {
	return []SessionStatus{
		SessionIdle, SessionStarting, SessionRunning, SessionReady,
		SessionInterrupted, SessionStopped, SessionError,
	}
}

// MayHoldTurn says whether a session in this state can have a running turn.
// Source: T3 Code, its session projection.
func (s SessionStatus) MayHoldTurn() bool { return s == SessionStarting || s == SessionRunning }
