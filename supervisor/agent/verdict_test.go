package agent

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	zero, one := 0, 1
	done, open := Standing{Turn: TurnCompleted}, Standing{Turn: TurnOpen}
	lost := Standing{Turn: TurnFailed, Cause: CauseDisconnect, Detail: "lost"}
	full := Standing{Turn: TurnFailed, Cause: CauseTruncated, Detail: "full"}
	retrying := Standing{Turn: TurnOpen, Cause: CauseDisconnect, Retrying: true, Detail: "again"}
	presumed := Standing{Turn: TurnCompleted, Presumed: true}
	spoilt := Standing{Turn: TurnFailed, Cause: CauseTruncated, Spoilt: true, Detail: "cut"}
	headless := Invocation{Mode: ModeHeadless}
	for _, c := range []struct {
		name  string
		agent Agent
		seen  Seen
		want  []Evidence
	}{
		{"silence", claude(), Seen{Invocation: headless, Exit: &zero}, nil},
		{"no conversation", claude(), Seen{Invocation: Invocation{Mode: ModeOther}, JSON: lost}, nil},
		{"all agree", claude(), Seen{Invocation: headless, Record: lost, Text: full}, []Evidence{
			{Source: SourceRecord, Turn: TurnFailed, Points: CauseDisconnect},
			{Source: SourceText, Turn: TurnFailed, Points: CauseTruncated},
		}},
		{"quoted in the text", claude(), Seen{Invocation: headless, Exit: &zero, Record: done, Text: lost}, []Evidence{
			{Source: SourceRecord, Turn: TurnCompleted}, {Source: SourceText},
		}},
		{"settled before open", gemini(), Seen{Invocation: headless, Record: open, JSON: lost}, []Evidence{
			{Source: SourceJSON, Turn: TurnFailed, Points: CauseDisconnect}, {Source: SourceRecord},
		}},
		{"open for two", codex(), Seen{Invocation: headless, Record: open, Text: retrying}, []Evidence{
			{Source: SourceRecord, Turn: TurnOpen}, {Source: SourceText, Turn: TurnOpen, Points: CauseDisconnect},
		}},
		{"text alone with exit 0", codex(), Seen{Invocation: headless, Exit: &zero, Text: done}, []Evidence{{Source: SourceText, Turn: TurnCompleted}}},
		{"text alone with exit 1", codex(), Seen{Invocation: headless, Exit: &one, Text: done}, nil},
		{"text alone with a signal", codex(), Seen{Invocation: headless, Text: done}, nil},
		{"an honest exit code", codex(), Seen{Invocation: headless, Exit: &zero, Text: lost}, nil},
		{"an exit code that lies", gemini(), Seen{Invocation: headless, Exit: &zero, Text: lost}, []Evidence{{Source: SourceText, Turn: TurnFailed, Points: CauseDisconnect}}},
		{"an error that the answer speaks of", gemini(), Seen{Invocation: headless, Exit: &zero, Record: presumed, Text: lost}, []Evidence{{Source: SourceRecord, Turn: TurnCompleted}}},
		{"an error, and an exit that says so", gemini(), Seen{Invocation: headless, Exit: &one, Record: presumed, Text: lost}, []Evidence{
			{Source: SourceText, Turn: TurnFailed, Points: CauseDisconnect}, {Source: SourceRecord},
		}},
		{"an answer that is not whole", gemini(), Seen{Exit: &zero, Record: presumed, Text: spoilt}, []Evidence{
			{Source: SourceText, Turn: TurnFailed, Points: CauseTruncated}, {Source: SourceRecord},
		}},
		{"an earlier turn on the screen", codex(), Seen{Exit: &zero, Record: open, Text: done}, []Evidence{{Source: SourceRecord, Turn: TurnOpen}}},
		{"a runaway", opencode(), Seen{Invocation: headless, JSON: Standing{Turn: TurnOpen, Cause: CauseDisconnect, Spins: runawaySpins}}, []Evidence{
			{Source: SourceJSON, Turn: TurnOpen, Points: CauseRunaway},
		}},
	} {
		got := c.agent.Verdict(c.seen)
		for i := range got {
			if got[i].Detail == "" {
				t.Errorf("%s: evidence %d says nothing", c.name, i)
			}
			got[i].Detail = ""
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestSession(t *testing.T) {
	t.Parallel()
	s := Seen{Invocation: Invocation{Session: "argv"}}
	if got := s.Session(); got != "argv" {
		t.Errorf("session %q", got)
	}
	s.Text.Session = "text"
	s.Record.Session, s.Told = "record", "told"
	if got := s.Session(); got != "told" {
		t.Errorf("session %q", got)
	}
	s.JSON.Session = "json"
	if got := s.Session(); got != "json" {
		t.Errorf("session %q", got)
	}
}

// TestVerdictProperties: no verdict is better than its witnesses, and what
// decides is never contradicted by what follows.
func TestVerdictProperties(t *testing.T) {
	t.Parallel()
	standing := rapid.Custom(func(t *rapid.T) Standing {
		turn := rapid.SampledFrom([]Turn{TurnUnknown, TurnOpen, TurnCompleted, TurnFailed, TurnInterrupted}).Draw(t, "turn")
		s := Standing{Turn: turn, Spins: rapid.IntRange(0, 30).Draw(t, "spins")}
		if turn != TurnCompleted {
			s.Cause = rapid.SampledFrom([]Cause{"", CauseDisconnect, CauseAuth, CauseUser}).Draw(t, "cause")
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom(append(All(), Generic())).Draw(t, "agent")
		seen := Seen{
			Invocation: Invocation{Mode: rapid.SampledFrom([]Mode{ModeHeadless, ModeInteractive}).Draw(t, "mode")},
			Record:     standing.Draw(t, "record"), JSON: standing.Draw(t, "json"), Text: standing.Draw(t, "text"),
		}
		if rapid.Bool().Draw(t, "exited") {
			code := rapid.IntRange(0, 2).Draw(t, "exit")
			seen.Exit = &code
		}
		evidence := a.Verdict(seen)
		saw := map[Source]Turn{SourceRecord: seen.Record.Turn, SourceJSON: seen.JSON.Turn, SourceText: seen.Text.Turn}
		for i, e := range evidence {
			if e.Turn != TurnUnknown && e.Turn != saw[e.Source] {
				t.Fatalf("the %s said %q, the evidence %q", e.Source, saw[e.Source], e.Turn)
			}
			if i > 0 && e.Turn != TurnUnknown && (e.Turn == TurnCompleted) != (evidence[0].Turn == TurnCompleted) {
				t.Fatalf("contradiction: %+v", evidence)
			}
			if evidence[0].Turn == TurnCompleted && e.Points != "" {
				t.Fatalf("a completed turn has a cause: %+v", evidence)
			}
		}
	})
}
