package main

import (
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/agent"
)

func TestRedrawIsNoProgress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, before, after string
		want                bool
	}{
		{"nothing changes", "Working\n", "Working\n", false},
		{"a clock", "Working (3s • esc to interrupt)\n", "Working (13s • esc to interrupt)\n", false},
		{"a spinner", "⠋ Thinking…\n", "⠙ Thinking…\n", false},
		{"a bar", "[####      ] 40%\n", "[######    ] 60%\n", false},
		{"one phrase for another", "answer\n✦ Shipping awesomeness (esc)\n", "answer\n✦ Reticulating splines (esc)\n", false},
		{"a line that goes on", "The first half\n> \n", "The first half of the answer\n> \n", true},
		{"two new lines", "a\nWorking\n", "a\nI found it\nin this file\nWorking\n", true},
		{"scrolling", "one\ntwo\nthree\n", "two\nthree\nfour\nfive\n", true},
		{"one more line", "one\ntwo\n", "one\ntwo\nthree\n", true},
		{"scrolling by a line", "one\ntwo\nthree\n", "two\nthree\nfour\n", true},
		{"one phrase for another below a line twice", "answer\nanswer\nWorking\n", "answer\nanswer\nThinking\n", false},
		{"a status above the prompt", "answer\nWorking\nprompt\n", "answer\nThinking\nprompt\n", false},
		{"a first line", "", "Hello\n", false},
		{"lines that go", "a\nb\n", "a\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := growsBy(plainLines(tt.before), plainLines(tt.after)); got != tt.want {
				t.Errorf("%q to %q grows: %v", tt.before, tt.after, got)
			}
		})
	}
}

func TestLimitCountsFromWhenItWasRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	limited := agent.Standing{Cause: agent.CauseLimited, Detail: "usage limit reached, try again in 2 hours"}
	var l limit
	want := now.Add(2 * time.Hour).UnixMilli()
	for range 3 {
		if got := l.until(agent.Standing{}, limited, now); got != want {
			t.Fatalf("until %v, want %v", time.UnixMilli(got).UTC(), time.UnixMilli(want).UTC())
		}
		now = now.Add(10 * time.Minute)
	}
	if got := l.until(agent.Standing{}, agent.Standing{}, now); got != 0 {
		t.Errorf("a limit nobody tells of any more ends at %v", time.UnixMilli(got))
	}
	if got := l.until(agent.Standing{Cause: agent.CauseLimited, Detail: "too many requests"}, agent.Standing{}, now); got != 0 {
		t.Errorf("a limit without an end ends at %v", time.UnixMilli(got))
	}
}

// TestScreenEndsTurn: a turn that the record holds open is over where the screen shows
// its end, and not that of another.
func TestScreenEndsTurn(t *testing.T) {
	t.Parallel()
	type look struct {
		screen string
		record agent.Standing
	}
	open := func(turns, moves int) agent.Standing {
		return agent.Standing{Turn: agent.TurnOpen, Turns: turns, Moves: moves}
	}
	const (
		prompt    = "│ >   Type your message\n"
		works     = "> fix it\n✦ I look\n⠋ Thinking…\n"
		cancelled = "> fix it\n✦ I look\nℹ Request cancelled.\n" + prompt
		failed    = "> fix it\n✕ [API Error: 500 internal server error]\n" + prompt
	)
	begins := look{prompt, agent.Standing{}}
	for _, tt := range []struct {
		name, agent string
		headless    bool
		looks       []look
		want        lifecycle.TurnState
	}{
		{"at work", "gemini", false, []look{begins, {works, open(1, 2)}}, lifecycle.TurnRunning},
		{"interrupted", "gemini", false, []look{begins, {works, open(1, 2)}, {cancelled, open(1, 2)}, {cancelled, open(1, 2)}}, lifecycle.TurnCompleted},
		{"interrupted at once", "qwen", false, []look{begins, {"● Request cancelled.\n", open(1, 1)}}, lifecycle.TurnCompleted},
		{"failed", "gemini", false, []look{begins, {works, open(1, 2)}, {failed, open(1, 2)}}, lifecycle.TurnCompleted},
		{"headless", "gemini", true, []look{begins, {works, open(1, 2)}, {cancelled, open(1, 2)}}, lifecycle.TurnRunning},
		{"asked again", "gemini", false, []look{begins, {cancelled, open(1, 2)}, {cancelled + works, open(1, 2)}}, lifecycle.TurnRunning},
		{"goes on behind it", "qwen", false, []look{begins, {cancelled, open(1, 2)}, {cancelled, open(1, 3)}}, lifecycle.TurnRunning},
		{"and is interrupted again", "gemini", false, []look{begins, {cancelled, open(1, 2)}, {works, open(1, 3)}, {cancelled, open(1, 3)}}, lifecycle.TurnCompleted},
		{"the one before was", "claude", false, []look{begins, {works, open(1, 2)}, {"⎿ Interrupted by user\n> do that\n", open(2, 4)}}, lifecycle.TurnRunning},
		{"one of an earlier session was", "claude", false, []look{{"⎿ Interrupted by user\n> go on\n", open(1, 1)}, {"⎿ Interrupted by user\n> go on\n", open(1, 1)}}, lifecycle.TurnRunning},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, ok := agent.ByName(tt.agent)
			if !ok {
				t.Fatal("no such agent")
			}
			s := &witness{in: agent.Invocation{Mode: agent.ModeInteractive}}
			if tt.headless {
				s.in.Mode = agent.ModeHeadless
			}
			var got lifecycle.TurnState
			for _, l := range tt.looks {
				s.look.text = a.Text(l.screen, s.in)
				s.look.ending.take(s.look.text, l.record, true)
				got = s.told(l.record, time.Time{}).Turn
			}
			if got != tt.want {
				t.Errorf("the turn is %q, want %q", got, tt.want)
			}
		})
	}
}
