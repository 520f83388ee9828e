package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// session is a session kept by the rules alone, as the ledger keeps one.
type session struct {
	status  SessionStatus
	session string
	// turns are "name state", oldest first; the pending one has no name.
	turns []string
}

// view is the session as an event finds it.
func (s *session) view(e SessionEvent, stale bool) SessionView {
	v := SessionView{Status: s.status, Session: s.session, Turns: len(s.turns), Named: TurnNone, Stale: stale}
	for _, turn := range s.turns {
		name, state, _ := strings.Cut(turn, " ")
		switch TurnState(state) {
		case TurnPending:
			v.Pending = true
		case TurnRunning:
			v.Active = name
		case TurnNone, TurnCompleted, TurnInterrupted, TurnError:
		}
		if name != "" && name == e.Turn {
			v.Named = TurnState(state)
		}
	}
	return v
}

// receive applies an event, unless it is refused.
func (s *session) receive(e SessionEvent, stale bool) SessionStep {
	step := Receive(s.view(e, stale), e)
	if step.Refused != "" {
		return step
	}
	s.status = step.Status
	if e.Session != "" {
		s.session = e.Session
	}
	for _, c := range step.Turns {
		s.change(c)
	}
	return step
}

func (s *session) change(c TurnChange) {
	at := slices.IndexFunc(s.turns, func(t string) bool {
		name, _, _ := strings.Cut(t, " ")
		return name == c.ID
	})
	pending := slices.Index(s.turns, " "+string(TurnPending))
	switch {
	case c.To == TurnRunning && pending >= 0:
		s.turns[pending] = c.ID + " " + string(c.To)
	case c.ID == "" && pending >= 0:
		s.turns[pending] = " " + string(c.To)
	case at >= 0 && c.ID != "":
		s.turns[at] = c.ID + " " + string(c.To)
	case pending >= 0:
		s.turns = slices.Insert(s.turns, pending, c.ID+" "+string(c.To))
	default:
		s.turns = append(s.turns, c.ID+" "+string(c.To))
	}
}

// last is the state of the last turn.
func (s *session) last() TurnState {
	if len(s.turns) == 0 {
		return TurnNone
	}
	_, state, _ := strings.Cut(s.turns[len(s.turns)-1], " ")
	return TurnState(state)
}

// parse reads an event as "TYPE [@SESSION] [turn] [=STATE] [!]", the last for one
// that something newer has overtaken.
func parse(text string) (e SessionEvent, stale bool) {
	fields := strings.Fields(text)
	e.Type = SessionEventType(fields[0])
	for _, f := range fields[1:] {
		switch {
		case f == "!":
			stale = true
		case f[0] == '@':
			e.Session = f[1:]
		case f[0] == '=':
			e.State = f[1:]
		default:
			e.Turn = f
		}
	}
	return e, stale
}

// after plays events, one after another, and describes where they lead: the
// session's state, the turns, and the refusals in between.
func after(events ...string) string {
	s := session{}
	out := []string{}
	for _, text := range events {
		if step := s.receive(parse(text)); step.Refused != "" {
			out = append(out, "("+string(step.Refused)+")")
		}
	}
	return strings.Join(append([]string{string(s.status)}, append(s.turns, out...)...), ", ")
}

func wantAfter(t *testing.T, want string, events ...string) {
	t.Helper()
	if got := after(events...); got != want {
		t.Errorf("%s\nleads to %q\nwant     %q", strings.Join(events, " · "), got, want)
	}
}

func TestAMidTurnStartKeepsTheTurn(t *testing.T) {
	t.Parallel()
	for _, e := range []string{"session.started", "thread.started", "session.started @s", "thread.started @s"} {
		wantAfter(t, "running, t1 running", "session.started @s", "turn.started t1", e)
	}
	wantAfter(t, "running, t1 running, (foreign)", "session.started @s", "turn.started t1", "session.started @nested")
	wantAfter(t, "starting,  pending", "turn.requested", "session.started")
	wantAfter(t, "ready", "session.started")
}

func TestReadyWithAPendingTurnStaysStarting(t *testing.T) {
	t.Parallel()
	wantAfter(t, "starting,  pending", "turn.requested", "session.state.changed =ready")
	wantAfter(t, "running, t1 running", "turn.requested", "session.state.changed =ready", "turn.started t1")
	wantAfter(t, "starting, t1 completed,  pending", "turn.started t1", "turn.requested", "turn.completed t1")
}

func TestASettledSessionIsReapableAgain(t *testing.T) {
	t.Parallel()
	for _, end := range []string{
		"turn.completed t1", "turn.completed t1 =failed", "turn.aborted t1", "runtime.error", "runtime.error t1", "session.exited",
		"session.state.changed =ready", "session.state.changed =interrupted", "session.state.changed =stopped", "session.state.changed =error",
	} {
		s := session{}
		s.receive(parse("turn.started t1"))
		if !s.view(SessionEvent{}, false).Busy() {
			t.Fatal("a running turn does not keep the session busy")
		}
		s.receive(parse(end))
		if v := s.view(SessionEvent{}, false); v.Busy() || s.status.MayHoldTurn() {
			t.Errorf("%s leaves a session that can never be reaped: %+v", end, v)
		}
	}
}

func TestAnUnknownTurnResultIsAnError(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]string{
		"":            "ready, t1 completed",
		"completed":   "ready, t1 completed",
		"interrupted": "ready, t1 interrupted",
		"cancelled":   "ready, t1 interrupted",
		"failed":      "error, t1 error",
		"Completed":   "error, t1 error",
		"done":        "error, t1 error",
	} {
		wantAfter(t, want, "turn.started t1", strings.TrimSuffix("turn.completed t1 ="+result, " ="))
	}
}

func TestOnlyStartingAndRunningHoldATurn(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"starting": "starting, t1 running", "running": "running, t1 running", "waiting": "running, t1 running",
		"ready": "ready, t1 completed", "idle": "idle, t1 completed",
		"interrupted": "interrupted, t1 interrupted", "stopped": "stopped, t1 interrupted", "error": "error, t1 error",
		"busy": "running, t1 running, (unknown)", "": "running, t1 running, (unknown)",
	} {
		wantAfter(t, want, "turn.started t1", strings.TrimSuffix("session.state.changed ="+word, " ="))
	}
	wantAfter(t, "error,  interrupted", "turn.requested", "session.state.changed =error")
	if words := SessionStateWords(); !slices.Contains(words, "waiting") || len(words) != 1+len(SessionStatuses()) {
		t.Errorf("the words for a state are %q", words)
	}
}

func TestARuntimeErrorClearsTheTurn(t *testing.T) {
	t.Parallel()
	wantAfter(t, "error, t1 error", "turn.started t1", "runtime.error")
	wantAfter(t, "error, t1 error", "turn.started t1", "runtime.error t1")
	wantAfter(t, "running, t1 running, (foreign)", "turn.started t1", "runtime.error t2")
	wantAfter(t, "error, t1 error", "runtime.error t1")
	wantAfter(t, "error, #1 error", "runtime.error")
	wantAfter(t, "error,  interrupted", "turn.requested", "runtime.error")
	wantAfter(t, "error, t1 completed", "turn.started t1", "turn.completed t1", "runtime.error")
}

func TestLateEventsOfATurn(t *testing.T) {
	t.Parallel()
	for _, e := range []string{"turn.started t1", "turn.completed t1", "turn.completed t1 =failed", "turn.aborted t1", "runtime.error t1"} {
		wantAfter(t, "running, t1 completed, t2 running, (late)", "turn.started t1", "turn.completed t1", "turn.started t2", e)
		wantAfter(t, "interrupted, t1 interrupted, (late)", "turn.started t1", "turn.aborted t1", e)
	}
}

func TestForeignTurns(t *testing.T) {
	t.Parallel()
	for _, e := range []string{"turn.started t2", "turn.completed t2", "turn.completed", "turn.completed =failed", "turn.aborted t2", "turn.aborted"} {
		want := "running, t1 running, (foreign)"
		wantAfter(t, want, "turn.started t1", e)
	}
	wantAfter(t, ", (foreign)", "turn.started #1")
	wantAfter(t, ", (foreign)", "turn.completed #1")
	wantAfter(t, ", (foreign)", "runtime.error #1")
}

func TestForeignSessions(t *testing.T) {
	t.Parallel()
	for _, e := range []string{
		"session.started @nested", "turn.requested @nested", "turn.started @nested n1", "turn.completed @nested t1",
		"turn.completed @nested", "turn.aborted @nested t1", "runtime.error @nested", "session.exited @nested", "session.state.changed @nested =ready",
	} {
		wantAfter(t, "running, t1 running, (foreign)", "session.started @s", "turn.started @s t1", e)
	}
	wantAfter(t, "ready, t1 completed", "session.started @s", "turn.started @s t1", "turn.completed t1")
	wantAfter(t, ", (foreign)", "turn.completed @title t1")
	// One that does nothing gives way, and its late end stops nobody.
	wantAfter(t, "running, n1 running, (foreign)", "session.started @s", "session.started @next", "turn.started @next n1", "session.exited @s")
}

func TestASteeringTurnTakesOver(t *testing.T) {
	t.Parallel()
	wantAfter(t, "running, t1 interrupted, t2 running", "turn.started t1", "turn.requested", "turn.started t2")
	// Input for the turn that runs is no other turn.
	wantAfter(t, "ready, t1 completed, (duplicate), (late)", "turn.started t1", "turn.requested t1", "turn.completed t1", "turn.requested t1")
	wantAfter(t, "ready, t1 interrupted, t2 completed, (late)", "turn.started t1", "turn.requested", "turn.started t2", "turn.completed t1", "turn.completed t2")
}

func TestLostStarts(t *testing.T) {
	t.Parallel()
	wantAfter(t, "ready, t1 completed", "turn.completed t1")
	wantAfter(t, "error, #1 error", "turn.completed =failed")
	wantAfter(t, ", (no-turn)", "turn.completed")
	wantAfter(t, ", (no-turn)", "turn.aborted t1")
	wantAfter(t, "starting,  pending, (no-turn)", "turn.requested", "turn.aborted")
	// A turn nobody has seen does not stand for the one that was asked for.
	wantAfter(t, "starting, t1 completed,  pending", "turn.requested", "turn.completed t1")
}

func TestTurnsWithoutAName(t *testing.T) {
	t.Parallel()
	wantAfter(t, "ready, #1 completed", "turn.started", "turn.completed")
	wantAfter(t, "running, #1 running, (duplicate)", "turn.started", "turn.started")
	wantAfter(t, "running, #1 interrupted, #2 running", "turn.started", "turn.requested", "turn.started")
	wantAfter(t, "interrupted, #1 completed, t completed, #3 interrupted",
		"turn.requested", "turn.started", "turn.completed", "turn.completed t", "turn.started", "turn.interrupted")
}

func TestDuplicatesAndOrder(t *testing.T) {
	t.Parallel()
	wantAfter(t, "running, t1 running, (duplicate)", "turn.started t1", "turn.started t1")
	for _, e := range []string{
		"session.started", "session.exited", "session.state.changed =ready", "turn.requested",
		"turn.started t0", "turn.completed t0", "runtime.error", "runtime.error t0",
	} {
		wantAfter(t, "ready, t1 completed, (out-of-order)", "turn.started t1", "turn.completed t1", e+" !")
	}
	// The end of the turn that runs is its end, whatever the clocks say.
	wantAfter(t, "ready, t1 completed", "turn.started t1", "turn.completed t1 !")
}

func TestNothingReachesAnEndedExecution(t *testing.T) {
	t.Parallel()
	for _, typ := range append(SessionEventTypes(), "odd") {
		step := Receive(SessionView{Over: true, Active: "t"}, SessionEvent{Type: typ, Turn: "t", State: "ready"})
		if step.Refused != RefusedEnded || step.Turns != nil {
			t.Errorf("%s: %+v", typ, step)
		}
	}
	if got := Receive(SessionView{}, SessionEvent{Type: "odd"}).Refused; got != RefusedUnknown {
		t.Errorf("an odd event is refused as %q", got)
	}
}

// TestWhateverComesTheSessionIsSound plays random events in random order.
func TestWhateverComesTheSessionIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, asked := session{}, false
		for i := range rapid.IntRange(1, 30).Draw(t, "events") {
			e := SessionEvent{
				Type:    rapid.SampledFrom(append(SessionEventTypes(), "odd")).Draw(t, "type"),
				Session: rapid.SampledFrom([]string{"", "s", "nested"}).Draw(t, "session"),
				Turn:    rapid.SampledFrom([]string{"", "t1", "t2", "t3", "#1", "#2"}).Draw(t, "turn"),
				State:   rapid.SampledFrom([]string{"", "completed", "failed", "odd", "ready", "running", "error", "idle"}).Draw(t, "state"),
			}
			before := slices.Clone(s.turns)
			step := s.receive(e, rapid.IntRange(0, 4).Draw(t, "stale") == 0)
			if step.Refused != "" && !slices.Equal(before, s.turns) {
				t.Fatalf("%d: refused %+v and changed %q to %q", i, e, before, s.turns)
			}
			for _, c := range step.Turns {
				asked = (asked || !c.To.Settled()) && c.To != TurnCompleted
			}
			asked = asked || s.view(e, false).Pending
			checkSession(t, s, before)
			if asked && s.last() == TurnCompleted {
				t.Fatalf("%d: a turn was begun and the last one is completed: %q", i, s.turns)
			}
		}
	})
}

// checkSession: one turn runs at most, only where it may; what was settled stays.
func checkSession(t *rapid.T, s session, before []string) {
	running, pending, names := 0, 0, map[string]bool{}
	for _, turn := range s.turns {
		name, state, _ := strings.Cut(turn, " ")
		if name != "" && names[name] {
			t.Fatalf("two turns have one name: %q", s.turns)
		}
		names[name] = true
		switch TurnState(state) {
		case TurnRunning:
			running++
		case TurnPending:
			pending++
		case TurnNone, TurnCompleted, TurnInterrupted, TurnError:
		}
	}
	if running > 1 || pending > 1 || running == 1 && !s.status.MayHoldTurn() {
		t.Fatalf("%s: %q", s.status, s.turns)
	}
	if pending == 1 && s.last() != TurnPending {
		t.Fatalf("the pending turn is not the last: %q", s.turns)
	}
	left := fmt.Sprint(s.turns)
	for _, turn := range before {
		_, state, _ := strings.Cut(turn, " ")
		if TurnState(state).Settled() && !strings.Contains(left, turn) {
			t.Fatalf("%q went from %q", turn, before)
		}
	}
}
