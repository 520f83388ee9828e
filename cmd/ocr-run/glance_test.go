package main

import (
	"testing"
	"time"

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
