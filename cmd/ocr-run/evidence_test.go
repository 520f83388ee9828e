package main

import (
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

// A turn that broke off in trouble is not completed, whatever the agent's hooks say of
// it; text may be of an earlier one.
func TestAHookDoesNotOutvoteTheRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		seen agent.Evidence
		want lifecycle.TurnState
	}{
		{agent.Evidence{Source: agent.SourceRecord, Turn: agent.TurnOpen, Points: agent.CauseDisconnect}, lifecycle.TurnInterrupted},
		{agent.Evidence{Source: agent.SourceRecord, Turn: agent.TurnOpen}, lifecycle.TurnCompleted},
		{agent.Evidence{Source: agent.SourceText, Turn: agent.TurnOpen, Points: agent.CauseDisconnect}, lifecycle.TurnCompleted},
		{agent.Evidence{Source: agent.SourceRecord, Turn: agent.TurnInterrupted, Points: agent.CauseUser}, lifecycle.TurnInterrupted},
		{agent.Evidence{Source: agent.SourceJSON, Turn: agent.TurnFailed}, lifecycle.TurnError},
	} {
		facts := lifecycle.Facts{Turn: lifecycle.TurnCompleted, Evidence: []lifecycle.Evidence{evidenceOf(test.seen, 1)}}
		if got := facts.LastTurn(); got != test.want {
			t.Errorf("%+v beside a completed turn: %q, want %q", test.seen, got, test.want)
		}
	}
}
