package agent

// Turn is how one request/answer cycle stands, as far as a witness can tell.
type Turn string

// The states of a turn. The zero value means that nothing was seen.
const (
	TurnUnknown     Turn = ""
	TurnOpen        Turn = "open"
	TurnCompleted   Turn = "completed"
	TurnFailed      Turn = "failed"
	TurnInterrupted Turn = "interrupted"
)

// Settled says whether the turn has ended, one way or the other.
func (t Turn) Settled() bool {
	return t == TurnCompleted || t == TurnFailed || t == TurnInterrupted
}

// Cause is why a turn did not complete, in the words of the ledger.
type Cause string

// The causes an agent can testify to. The zero value names none.
const (
	CauseSleep      Cause = "sleep"
	CauseDisconnect Cause = "disconnect"
	CauseLimited    Cause = "limited"
	CauseAuth       Cause = "auth"
	CauseTruncated  Cause = "truncated"
	CauseAgentError Cause = "agent-error"
	CauseUser       Cause = "user"
	CauseRunaway    Cause = "runaway"
	CauseOOM        Cause = "oom"
)

// Standing is what one witness says about the last turn. Its zero value says
// nothing.
type Standing struct {
	Turn Turn
	// Cause is why the turn failed or, while it is open, what it last struggled
	// with; empty when nothing is known.
	Cause Cause
	// Detail is what was seen, for a person; at most detailMost bytes.
	Detail string
	// Session is the agent's own name for its session, as last seen.
	Session string
	// Turns counts the turns that began.
	Turns int
	// Moves counts everything the agent did or was answered, across turns.
	Moves int
	// Retrying is true while the agent says that it is trying again.
	Retrying bool
	// Waiting is true while the agent waits for a person.
	Waiting bool
	// Presumed is true when TurnCompleted was concluded from the shape of what was
	// seen, an answer with nothing behind it, and not said: who says otherwise is
	// believed.
	Presumed bool
	// Spoilt is true when TurnFailed means that there is an answer, and that it is
	// not whole.
	Spoilt bool
	// Gone is true when the agent has taken back all there was of the session, or kept
	// nothing of it: there is nothing to go on with.
	Gone bool
	// Spins counts model answers in a row that ended without a stated reason
	// and made the agent ask again at once.
	Spins int
}

// runawaySpins is how many answers in a row without a stated reason are no
// longer bad luck. OpenCode asks again about once a second, for ever.
const runawaySpins = 20

// Runaway says whether the agent repeats model calls without end.
func (s Standing) Runaway() bool { return s.Turn == TurnOpen && s.Spins >= runawaySpins }

// detailMost bounds a Detail, in bytes.
const detailMost = 300
