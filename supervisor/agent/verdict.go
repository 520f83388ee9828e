package agent

import "slices"

// Source is where evidence was found, in the words of the ledger.
type Source string

// The sources an agent has, strongest first.
const (
	SourceTelemetry Source = "telemetry"
	SourceRecord    Source = "record"
	SourceJSON      Source = "json"
	SourceText      Source = "text"
)

// Seen is everything that was seen of one run of an agent. A witness that was
// not there is the zero Standing.
type Seen struct {
	Invocation Invocation
	// Exit is the exit code; nil when the agent did not exit by itself.
	Exit *int
	// Telemetry, Record, JSON and Text are what the four witnesses say.
	Telemetry, Record, JSON, Text Standing
	// Told is the session that its hooks told of; empty when they did not.
	Told string
}

// Evidence is one observation about how the last turn ended.
type Evidence struct {
	Source Source
	// Detail says what was seen, for a person.
	Detail string
	// Points names the cause it speaks for; empty when it names none.
	Points Cause
	// Turn is what it proves of the last turn; TurnUnknown when it is context.
	Turn Turn
}

// testimony is one witness's standing under its name.
type testimony struct {
	source Source
	Standing
}

// Verdict turns what was seen into evidence. The first item, if any, decides; the
// others agree with it or are context. No item means that nothing is known, which
// for an agent that Testifies is not success.
//
// A settled turn is believed before an open one, that before one that is presumed
// to be completed, and else the stronger source: telemetry, then the record, then
// JSON, then text. Text alone proves no completion unless the agent also exited with
// 0 and its record is in no turn; and unless it did, its telemetry counts for nothing: the last of it may be
// missing, and the others know better.
func (a Agent) Verdict(s Seen) []Evidence {
	if s.Invocation.Mode == ModeOther {
		return nil
	}
	all := []testimony{{SourceRecord, s.Record}, {SourceJSON, s.JSON}, {SourceText, a.believed(s)}}
	if s.exitedWell() {
		all = slices.Insert(all, 0, testimony{SourceTelemetry, s.Telemetry})
	}
	all = slices.DeleteFunc(all, func(t testimony) bool { return t.Turn == TurnUnknown && t.Cause == "" })
	slices.SortStableFunc(all, func(x, y testimony) int { return x.rank() - y.rank() })
	var found []Evidence
	for _, t := range all {
		found = append(found, t.evidence(all[0]))
	}
	return found
}

// exitedWell says whether the agent ended by itself, with 0.
func (s Seen) exitedWell() bool { return s.Exit != nil && *s.Exit == 0 }

// believed is the text as far as the exit code and the record let it be believed. An
// error behind which the record has an answer, and an exit with 0, is one that the
// answer speaks of; and a turn that the screen still shows as done is an earlier one
// when the record is in the middle of another.
func (a Agent) believed(s Seen) Standing {
	zero := s.exitedWell()
	answered := s.Record.Turn == TurnCompleted && s.Record.Presumed && !s.Text.Spoilt
	quoted := zero && s.Text.Turn == TurnFailed && (answered || a.honest && s.Invocation.Mode == ModeHeadless)
	if done := s.Text.Turn == TurnCompleted; quoted || done && (!zero || s.Record.Turn == TurnOpen) {
		return Standing{Session: s.Text.Session}
	}
	return s.Text
}

// rank orders testimonies: settled before open before presumed before mere trouble.
func (t testimony) rank() int {
	switch {
	case t.Turn.Settled() && !t.Presumed:
		return 0
	case t.Turn == TurnOpen:
		return 1
	case t.Presumed:
		return 2
	default:
		return 3
	}
}

// evidence is what a testimony amounts to beside the one that decides. One that
// contradicts it is told as context only.
func (t testimony) evidence(first testimony) Evidence {
	e := Evidence{Source: t.source, Detail: t.describe(), Points: t.points(), Turn: t.Turn}
	switch {
	case t == first:
	case first.Turn == TurnCompleted, t.Turn == TurnCompleted, first.Turn.Settled() && t.Turn == TurnOpen:
		e.Turn, e.Points = TurnUnknown, ""
	case first.Turn == TurnInterrupted:
		e.Points = ""
	}
	return e
}

// points is the cause a testimony speaks for: a turn that merely moved once had
// trouble is not explained by it.
func (t testimony) points() Cause {
	switch {
	case t.Runaway():
		return CauseRunaway
	case t.Turn == TurnCompleted:
		return ""
	default:
		return t.Cause
	}
}

// describe says for a person what a witness saw.
func (t testimony) describe() string {
	where := map[Source]string{SourceTelemetry: "the telemetry", SourceRecord: "the session record", SourceJSON: "the JSON output", SourceText: "the text"}[t.source]
	what := map[Turn]string{
		TurnUnknown: "tells of trouble", TurnOpen: "ends in the middle of a turn", TurnCompleted: "says the turn completed",
		TurnFailed: "says the turn failed", TurnInterrupted: "says the turn was interrupted",
	}[t.Turn]
	switch {
	case t.Runaway():
		what = "repeats model calls that end without a reason"
	case t.Turn == TurnOpen && t.Retrying:
		what = "ends while the agent was trying again"
	case t.Presumed:
		what = "ends with an answer"
	}
	if t.Detail == "" || t.Turn == TurnCompleted {
		return where + " " + what
	}
	return where + " " + what + ": " + t.Detail
}

// Session is the agent's name for the session, from whichever witness told it
// last, or from the command line; empty when none did.
func (s Seen) Session() string {
	for _, id := range []string{s.JSON.Session, s.Told, s.Record.Session, s.Text.Session, s.Invocation.Session} {
		if id != "" {
			return id
		}
	}
	return ""
}
