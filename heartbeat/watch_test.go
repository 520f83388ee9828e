package heartbeat_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/heartbeat"
)

const beat = 10 * time.Second

// looks takes so many looks a beat apart, all finding the same.
func looks(w *heartbeat.Watch, at *time.Duration, n int, g heartbeat.Glimpse) (raised []heartbeat.Alarm) {
	for range n {
		*at += beat
		g.At = *at
		if a := w.Take(g); a != heartbeat.AlarmNone {
			raised = append(raised, a)
		}
	}
	return raised
}

func TestWatchRaises(t *testing.T) {
	t.Parallel()
	const yes, no = heartbeat.Yes, heartbeat.No
	rules := heartbeat.Rules{Idle: time.Minute, Stall: time.Minute, Agent: true, Interval: beat}
	tests := []struct {
		name  string
		rules heartbeat.Rules
		found heartbeat.Glimpse
		want  heartbeat.Alarm
	}{
		{"silence without a turn", rules, heartbeat.Glimpse{Turn: no}, heartbeat.AlarmIdle},
		{"silence in a turn", rules, heartbeat.Glimpse{Turn: yes}, heartbeat.AlarmStalled},
		{"silence of a command that tells of no turns", rules, heartbeat.Glimpse{}, heartbeat.AlarmStalled},
		{"the same, only idleness counts", heartbeat.Rules{Idle: time.Minute, Interval: beat}, heartbeat.Glimpse{}, heartbeat.AlarmIdle},
		{"nobody asked", heartbeat.Rules{Interval: beat}, heartbeat.Glimpse{Turn: yes}, ""},
		{"a command at work", rules, heartbeat.Glimpse{Busy: yes}, ""},
		{"a spinner that takes its processor time", rules, heartbeat.Glimpse{Turn: yes, Busy: yes, Grew: no}, heartbeat.AlarmStalled},
		{"output", rules, heartbeat.Glimpse{Turn: yes, Grew: yes}, ""},
		{"steps of a turn", rules, heartbeat.Glimpse{Turn: yes, Advanced: yes}, ""},
		{"a tool at work", rules, heartbeat.Glimpse{Turn: yes, Tools: true}, ""},
		{"a tool that waits", rules, heartbeat.Glimpse{Turn: yes, Background: true}, heartbeat.AlarmStalled},
		{"a tool left in the background", rules, heartbeat.Glimpse{Turn: no, Background: true}, ""},
		{"an answer that comes in", rules, heartbeat.Glimpse{Turn: yes, Receives: true}, ""},
		{"a user who types", rules, heartbeat.Glimpse{Turn: no, Typed: true}, ""},
		{"a question to the user", rules, heartbeat.Glimpse{Turn: yes, Waiting: true}, ""},
		{"a question to the user that a hook told of", rules, heartbeat.Glimpse{Turn: yes, Asks: true}, ""},
		{"a question without a turn", rules, heartbeat.Glimpse{Turn: no, Asks: true}, ""},
		{"a run that was stopped", rules, heartbeat.Glimpse{Turn: yes, Halted: true}, ""},
		{"a usage limit", rules, heartbeat.Glimpse{Turn: yes, Limited: true}, ""},
		{"an agent that says that it spins", heartbeat.Rules{Interval: beat}, heartbeat.Glimpse{Turn: yes, Grew: yes, Advanced: yes, Spinning: true}, heartbeat.AlarmRunaway},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := time.Hour
			w := heartbeat.NewWatch(tt.rules)
			raised := looks(w, &at, 12, tt.found)
			if tt.want == "" && len(raised) > 0 || tt.want != "" && (len(raised) != 1 || raised[0] != tt.want) {
				t.Errorf("raised %v, want %q once", raised, tt.want)
			}
			if got := heartbeat.Alarm(w.Vitals().Alarm); got != tt.want {
				t.Errorf("readers are told of %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWatchRaisesInTime(t *testing.T) {
	t.Parallel()
	at := time.Hour
	w := heartbeat.NewWatch(heartbeat.Rules{Stall: time.Minute, Interval: beat})
	quiet := heartbeat.Glimpse{Turn: heartbeat.Yes}
	// The first look begins the minute.
	if raised := looks(w, &at, 6, quiet); len(raised) != 0 {
		t.Fatalf("raised %v before the minute was over", raised)
	}
	if raised := looks(w, &at, 1, quiet); len(raised) != 1 {
		t.Fatalf("raised %v after a minute", raised)
	}
	if lasted := w.For(heartbeat.AlarmStalled); lasted != time.Minute {
		t.Errorf("it lasted %v", lasted)
	}
	// Once over, it can come again.
	looks(w, &at, 1, heartbeat.Glimpse{Turn: heartbeat.Yes, Grew: heartbeat.Yes})
	if w.Vitals().Alarm != "" {
		t.Error("the alarm stands although the run goes on")
	}
	if raised := looks(w, &at, 6, quiet); len(raised) != 1 {
		t.Errorf("raised %v the second time", raised)
	}
}

func TestTimeNobodyWatchedAgesNothing(t *testing.T) {
	t.Parallel()
	at := time.Hour
	w := heartbeat.NewWatch(heartbeat.Rules{Idle: 5 * time.Minute, Stall: 5 * time.Minute, Interval: beat})
	looks(w, &at, 2, heartbeat.Glimpse{Turn: heartbeat.Yes})
	at += 8 * time.Hour // stopped by job control: awake, and nobody looked
	if raised := looks(w, &at, 2, heartbeat.Glimpse{Turn: heartbeat.Yes}); len(raised) != 0 {
		t.Errorf("raised %v", raised)
	}
}

func TestBurningRunsAway(t *testing.T) {
	t.Parallel()
	burning := heartbeat.Glimpse{Turn: heartbeat.Yes, Busy: heartbeat.Yes, Grew: heartbeat.No, Burning: true}
	for _, tt := range []struct {
		name  string
		agent bool
		found heartbeat.Glimpse
		want  int
	}{
		{"an agent", true, burning, 1},
		{"a command", false, burning, 0},
		{"an agent that writes", true, heartbeat.Glimpse{Turn: heartbeat.Yes, Grew: heartbeat.Yes, Burning: true}, 0},
		{"an agent whose tools work", true, heartbeat.Glimpse{Turn: heartbeat.Yes, Tools: true, Burning: true}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := time.Hour
			w := heartbeat.NewWatch(heartbeat.Rules{Agent: tt.agent, Interval: beat})
			if raised := looks(w, &at, 120, tt.found); len(raised) != tt.want {
				t.Errorf("raised %v in 20 minutes, want %d", raised, tt.want)
			}
		})
	}
}

// TestAlarmsNeverContradictTheTurn: whatever is found, an open turn is not idle, a
// settled one is not stalled, and neither is a run that shows something new.
func TestAlarmsNeverContradictTheTurn(t *testing.T) {
	t.Parallel()
	witness := rapid.SampledFrom([]heartbeat.Witness{heartbeat.Unknown, heartbeat.Yes, heartbeat.No})
	rapid.Check(t, func(t *rapid.T) {
		w := heartbeat.NewWatch(heartbeat.Rules{Idle: time.Minute, Stall: time.Minute, Agent: rapid.Bool().Draw(t, "agent"), Interval: beat})
		at := time.Hour
		for range rapid.IntRange(1, 40).Draw(t, "looks") {
			at += time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second
			g := heartbeat.Glimpse{
				At: at, Busy: witness.Draw(t, "busy"), Turn: witness.Draw(t, "turn"), Grew: witness.Draw(t, "grew"),
				Tools: rapid.Bool().Draw(t, "tools"), Burning: rapid.Bool().Draw(t, "burning"),
			}
			w.Take(g)
			switch a := heartbeat.Alarm(w.Vitals().Alarm); {
			case a == heartbeat.AlarmIdle && g.Turn == heartbeat.Yes, a == heartbeat.AlarmStalled && g.Turn == heartbeat.No,
				a != heartbeat.AlarmNone && g.Grew == heartbeat.Yes:
				t.Fatalf("%q on %+v", a, g)
			}
		}
	})
}
