package lifecycle

import (
	"strconv"
	"strings"
)

// Receive decides what an event does to a session and its turns. It is total, and
// whatever events come in whatever order: at most one turn runs, only in a session
// that may hold one; a settled turn stays as it is; and a turn that was begun is
// completed by nothing but word of its own completion, or of its session being
// ready for another.
func Receive(v SessionView, e SessionEvent) SessionStep {
	switch {
	case v.Over:
		return refused(RefusedEnded)
	case v.foreignSession(e):
		return refused(RefusedForeign)
	}
	switch e.Type {
	case SessionEventStarted, SessionEventThread:
		return v.begun()
	case SessionEventState:
		return v.says(e.State)
	case SessionEventExited:
		return v.timely(v.leave(SessionStopped, TurnInterrupted))
	case SessionEventTurnRequested:
		return v.requested(e.Turn)
	case SessionEventTurnStarted:
		return v.started(e.Turn)
	case SessionEventTurnCompleted:
		return v.completed(e.Turn, e.State)
	case SessionEventTurnAborted, SessionEventTurnInterrupted:
		return v.aborted(e.Turn)
	case SessionEventError:
		return v.failed(e.Turn)
	}
	return refused(RefusedUnknown)
}

func refused(why SessionRefusal) SessionStep { return SessionStep{Refused: why} }

// timely refuses a step on the word of an event that something newer has
// overtaken.
func (v SessionView) timely(step SessionStep) SessionStep {
	if v.Stale {
		return refused(RefusedOutOfOrder)
	}
	return step
}

// foreignSession says whether the event is another session's. Agents start agents,
// which inherit the environment and report here too: while a session is busy no
// other takes its place, and one that nobody has announced is not heard.
func (v SessionView) foreignSession(e SessionEvent) bool {
	switch {
	case e.Session == "" || e.Session == v.Session:
		return false
	case e.Type.opens():
		return v.Session != "" && v.Busy()
	default:
		return true
	}
}

// begun is the step of a session that begins, or says so again. A turn that runs
// goes on: sessions announce themselves in the middle of one, too.
func (v SessionView) begun() SessionStep {
	switch {
	case v.Active != "":
		return v.timely(SessionStep{Status: SessionRunning})
	case v.Pending:
		return v.timely(SessionStep{Status: SessionStarting})
	default:
		return v.timely(SessionStep{Status: SessionReady})
	}
}

// says is the step of a session that tells its state.
func (v SessionView) says(word string) SessionStep {
	status, ok := SessionStatusOf(word)
	switch {
	case !ok:
		return refused(RefusedUnknown)
	case status.MayHoldTurn():
		return v.timely(SessionStep{Status: status})
	default:
		return v.timely(v.leave(status, turnLeftBy(status)))
	}
}

// turnLeftBy is how a turn ends whose session moves on without settling it.
func turnLeftBy(status SessionStatus) TurnState {
	switch status {
	case SessionReady, SessionIdle:
		return TurnCompleted
	case SessionError:
		return TurnError
	case SessionInterrupted, SessionStopped, SessionStarting, SessionRunning:
		return TurnInterrupted
	}
	return TurnInterrupted
}

// leave settles the turn that runs and moves the session to a state without one.
// A session that is done while another turn is pending is about to start it; one
// that can do no more never will.
func (v SessionView) leave(status SessionStatus, as TurnState) SessionStep {
	step := SessionStep{Status: status}
	if v.Active != "" {
		step.Turns = append(step.Turns, TurnChange{v.Active, as})
	}
	switch {
	case !v.Pending:
	case status == SessionReady || status == SessionIdle:
		step.Status = SessionStarting
	default:
		step.Turns = append(step.Turns, TurnChange{"", TurnInterrupted})
	}
	return step
}

// requested is the step of a turn that was asked for. More input for the turn that
// runs asks for no other.
func (v SessionView) requested(turn string) SessionStep {
	switch {
	case turn != "" && turn == v.Active:
		return refused(RefusedDuplicate)
	case v.Named.Settled():
		return refused(RefusedLate)
	}
	step := SessionStep{Status: SessionStarting, Turns: []TurnChange{{"", TurnPending}}}
	if v.Active != "" {
		step.Status = SessionRunning
	}
	return v.timely(step)
}

// started is the step of a turn that begins. While one runs only a turn that was
// asked for may begin, and is what became of the other: nobody will say that it
// was completed.
func (v SessionView) started(turn string) SessionStep {
	switch {
	case turn != "" && turn == v.Active:
		return refused(RefusedDuplicate)
	case v.Named.Settled():
		return refused(RefusedLate)
	case v.Active != "" && !v.Pending && turn == "":
		return refused(RefusedDuplicate)
	case v.Active != "" && !v.Pending, unnamed(turn):
		return refused(RefusedForeign)
	case turn == "":
		turn = v.nameless()
	}
	step := SessionStep{Status: SessionRunning}
	if v.Active != "" {
		step.Turns = []TurnChange{{v.Active, TurnInterrupted}}
	}
	step.Turns = append(step.Turns, TurnChange{turn, TurnRunning})
	return v.timely(step)
}

// completed is the step of a turn that came to its end. One that nobody has seen
// begin is taken for what it is, if it has a name; and a failure always is.
func (v SessionView) completed(turn, result string) SessionStep {
	state, status := resultOf(result)
	switch {
	case v.means(turn):
		return v.leave(status, state)
	case v.Named.Settled():
		return refused(RefusedLate)
	case v.Active != "", unnamed(turn):
		return refused(RefusedForeign)
	case turn == "" && state != TurnError:
		return refused(RefusedNoTurn)
	default:
		return v.timely(v.record(turn, state, status))
	}
}

// resultOf reads how a turn says that it ended. A word that is none of ours is no
// success.
func resultOf(result string) (TurnState, SessionStatus) {
	switch result {
	case "", "completed":
		return TurnCompleted, SessionReady
	case "interrupted", "cancelled":
		return TurnInterrupted, SessionReady
	default:
		return TurnError, SessionError
	}
}

// aborted is the step of a turn that was given up. It never does anything to a
// turn that is only pending: the one given up was an earlier one.
func (v SessionView) aborted(turn string) SessionStep {
	switch {
	case v.means(turn):
		return v.leave(SessionInterrupted, TurnInterrupted)
	case v.Named.Settled():
		return refused(RefusedLate)
	case v.Active != "":
		return refused(RefusedForeign)
	default:
		return refused(RefusedNoTurn)
	}
}

// failed is the step of an error: of the turn it names, or of the session with
// whatever turn it holds. Where no turn ever was it stands for one: an agent that
// fails before its first turn has not finished anything.
func (v SessionView) failed(turn string) SessionStep {
	switch {
	case turn != "" && turn == v.Active:
		return v.leave(SessionError, TurnError)
	case v.Named.Settled():
		return refused(RefusedLate)
	case v.Active != "" && turn != "", unnamed(turn):
		return refused(RefusedForeign)
	case turn != "" || v.Turns == 0:
		return v.timely(v.record(turn, TurnError, SessionError))
	default:
		return v.timely(v.leave(SessionError, TurnError))
	}
}

// record is the step of a turn that is heard of for the first time at its end.
func (v SessionView) record(turn string, state TurnState, status SessionStatus) SessionStep {
	if turn == "" {
		turn = v.nameless()
	}
	step := v.leave(status, state)
	step.Turns = append([]TurnChange{{turn, state}}, step.Turns...)
	return step
}

// means says whether an end that names a turn, or none, is that of the turn that
// runs. One without a name is ended without a name.
func (v SessionView) means(turn string) bool {
	return v.Active != "" && (turn == v.Active || turn == "" && unnamed(v.Active))
}

// namelessMark begins the names we give to turns that have none.
const namelessMark = "#"

// unnamed says whether a turn's name is one of ours.
func unnamed(turn string) bool { return strings.HasPrefix(turn, namelessMark) }

// nameless is a name for a turn that has none: its number. The pending turn is
// counted already.
func (v SessionView) nameless() string {
	n := v.Turns
	if !v.Pending {
		n++
	}
	return namelessMark + strconv.Itoa(n)
}
