package heartbeat_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

func TestLights(t *testing.T) {
	t.Parallel()
	// The beat came at 1000 s of this boot, and it is read 3 s later.
	const atMS, nowMS = 1_000_000, 1_003_000
	moment := func(ago int64) *int64 { return new(atMS - ago) }
	now := heartbeat.Observer{Now: store.Instant{WallMS: 50_003_000, AwakeMS: nowMS, BootID: "b"}}
	row := func(v *store.Vitals) store.Execution {
		e := store.Execution{LastBeat: store.Instant{WallMS: 50_000_000, AwakeMS: atMS, BootID: "b"}, Vitals: v}
		e.Process.End, e.BeatMS = lifecycle.EndRunning, 10_000
		return e
	}
	tests := []struct {
		name     string
		vitals   *store.Vitals
		liveness heartbeat.Liveness
		lamps    string
		want     heartbeat.Activity
	}{
		{"a wrapper that looks at nothing", nil, heartbeat.LivenessLive, "B???", heartbeat.ActivityUnknown},
		{"all lit", &store.Vitals{BusyMS: moment(0), GrewMS: moment(0), AdvancedMS: moment(0), Turn: "yes"}, heartbeat.LivenessLive, "BPOT", heartbeat.ActivityWorking},
		{"one beat without is no darkness", &store.Vitals{BusyMS: moment(20_000)}, heartbeat.LivenessLive, "BP??", heartbeat.ActivityWorking},
		{"half a minute is", &store.Vitals{BusyMS: moment(30_000)}, heartbeat.LivenessLive, "B-??", heartbeat.ActivityQuiet},
		{"never lit", &store.Vitals{BusyMS: new(int64(0)), GrewMS: new(int64(0)), Turn: "yes"}, heartbeat.LivenessLive, "B--?", heartbeat.ActivityQuiet},
		{"no turn", &store.Vitals{BusyMS: moment(0), GrewMS: moment(90_000), Turn: "no"}, heartbeat.LivenessLive, "BP-?", heartbeat.ActivityIdle},
		{"idle for long, of a command without turns", &store.Vitals{BusyMS: moment(90_000), Alarm: "idle"}, heartbeat.LivenessLive, "B-??", heartbeat.ActivityIdle},
		{"a question", &store.Vitals{GrewMS: moment(0), Turn: "yes", Waiting: true}, heartbeat.LivenessLive, "B?O?", heartbeat.ActivityWaiting},
		{"a limit", &store.Vitals{Turn: "yes", LimitedUntilMS: 60_000_000}, heartbeat.LivenessLive, "B???", heartbeat.ActivityLimited},
		{"a limit that is over", &store.Vitals{Turn: "yes", LimitedUntilMS: 50_000_000}, heartbeat.LivenessLive, "B???", heartbeat.ActivityQuiet},
		{"a dead connection", &store.Vitals{GrewMS: moment(90_000), Turn: "yes", Dead: "192.0.2.1:443"}, heartbeat.LivenessLive, "B?-?", heartbeat.ActivityDisconnected},
		{"a dead connection nobody needs", &store.Vitals{GrewMS: moment(0), Turn: "yes", Dead: "192.0.2.1:443"}, heartbeat.LivenessLive, "B?O?", heartbeat.ActivityWorking},
		{"stalled", &store.Vitals{GrewMS: moment(90_000), Turn: "yes", Alarm: "stalled"}, heartbeat.LivenessLive, "B?-?", heartbeat.ActivityStalled},
		{"runaway", &store.Vitals{GrewMS: moment(0), Turn: "yes", Alarm: "runaway"}, heartbeat.LivenessLive, "B?O?", heartbeat.ActivityRunaway},
		{"what a stalled wrapper saw is old", &store.Vitals{GrewMS: moment(0), Turn: "yes"}, heartbeat.LivenessLate, "-?-?", heartbeat.ActivityUnknown},
		{"what a dead one saw, too", &store.Vitals{GrewMS: moment(0), Waiting: true}, heartbeat.LivenessGone, "-?-?", heartbeat.ActivityUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := heartbeat.LightsOf(row(tt.vitals), tt.liveness, now)
			if got := lampsOf(l); got != tt.lamps || l.Activity != tt.want {
				t.Errorf("%s %s, want %s %s", got, l.Activity, tt.lamps, tt.want)
			}
		})
	}
}

// lampsOf writes lights as the table of runs does.
func lampsOf(l heartbeat.Lights) string {
	var out strings.Builder
	for i, light := range []heartbeat.Light{l.Beating, l.Busy, l.Growing, l.Advancing} {
		out.WriteString(map[heartbeat.Witness]string{heartbeat.Yes: "BPOT"[i : i+1], heartbeat.No: "-", heartbeat.Unknown: "?"}[light.Lit])
	}
	return out.String()
}

// A wrapper that was frozen looks well until its beat is stale, however often it beat;
// what it saw last goes out before.
func TestLightsOfAFrozenWrapper(t *testing.T) {
	t.Parallel()
	beat := store.Instant{WallMS: 50_000_000, AwakeMS: 1_000_000, BootID: "b"}
	for _, tt := range []struct {
		intervalMS, ageMS int64
		lamps             string
		want              heartbeat.Activity
	}{
		{1_000, 3_000, "BP?T", heartbeat.ActivityWorking},
		{1_000, 3_001, "B-?-", heartbeat.ActivityQuiet},
		{1_000, 60_000, "B-?-", heartbeat.ActivityQuiet},
		{1_000, 60_001, "--?-", heartbeat.ActivityUnknown},
		{10_000, 25_000, "BP?T", heartbeat.ActivityWorking},
		{10_000, 25_001, "B-?-", heartbeat.ActivityQuiet},
		{20_000, 120_000, "B-?-", heartbeat.ActivityQuiet},
		{20_000, 120_001, "--?-", heartbeat.ActivityUnknown},
	} {
		e := store.Execution{LastBeat: beat, Vitals: &store.Vitals{BusyMS: new(beat.AwakeMS), AdvancedMS: new(beat.AwakeMS), Turn: "yes"}}
		e.Process.End, e.BeatMS = lifecycle.EndRunning, tt.intervalMS
		o := heartbeat.Observer{Now: store.Instant{WallMS: beat.WallMS + tt.ageMS, AwakeMS: beat.AwakeMS + tt.ageMS, BootID: "b"}}
		facts := heartbeat.FactsOf(e)
		facts.Lease = heartbeat.Yes
		l := heartbeat.LightsOf(e, heartbeat.Judge(facts, o), o)
		if got := lampsOf(l); got != tt.lamps || l.Activity != tt.want {
			t.Errorf("%d ms after a beat of every %d ms: %s %s, want %s %s", tt.ageMS, tt.intervalMS, got, l.Activity, tt.lamps, tt.want)
		}
	}
}

func TestLightsAfterSleep(t *testing.T) {
	t.Parallel()
	e := store.Execution{
		LastBeat: store.Instant{WallMS: 50_000_000, AwakeMS: 1_000_000, BootID: "b"},
		Vitals:   &store.Vitals{GrewMS: new(int64(1_000_000)), Turn: "yes"},
	}
	e.Process.End, e.BeatMS = lifecycle.EndRunning, 10_000
	// Eight hours later by the wall, four seconds later awake.
	now := heartbeat.Observer{Now: store.Instant{WallMS: 50_000_000 + 8*3600_000, AwakeMS: 1_004_000, BootID: "b"}}
	l := heartbeat.LightsOf(e, heartbeat.LivenessLive, now)
	if l.Activity != heartbeat.ActivityAsleep || l.Growing.Quiet != 4*time.Second {
		t.Errorf("%+v: sleep ages nothing", l)
	}
	now.Now.BootID = "another"
	if l := heartbeat.LightsOf(e, heartbeat.LivenessGone, now); l.Activity != heartbeat.ActivityUnknown || l.Beating.Quiet >= 0 {
		t.Errorf("%+v: nothing is known across boots", l)
	}
	e.Process.End = lifecycle.EndExited
	if l := heartbeat.LightsOf(e, heartbeat.LivenessEnded, now); l != (heartbeat.Lights{}) {
		t.Errorf("%+v: what has ended has no lights", l)
	}
}
