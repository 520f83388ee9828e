package heartbeat

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	const fresh, old = 5_000, 61_000
	here := store.Instant{WallMS: 1, AwakeMS: 100_000, BootID: "boot"}
	for name, c := range map[string]struct {
		age   int64
		facts Facts
		want  Liveness
	}{
		"held, fresh":             {fresh, Facts{Lease: Yes}, LivenessLive},
		"held, old":               {old, Facts{Lease: Yes}, LivenessLate},
		"held, at the limit":      {60_000, Facts{Lease: Yes}, LivenessLive},
		"held, suspended":         {old, Facts{Lease: Yes, Stopped: true}, LivenessStopped},
		"held, identity gone":     {old, Facts{Lease: Yes, Alive: No}, LivenessLate},
		"held, slow beat":         {old, Facts{Lease: Yes, Interval: time.Minute}, LivenessLive},
		"held, beat from later":   {-5_000, Facts{Lease: Yes}, LivenessLive},
		"free, identity gone":     {fresh, Facts{Lease: No, Alive: No}, LivenessGone},
		"free, suspended, gone":   {fresh, Facts{Lease: No, Alive: No, Stopped: true}, LivenessGone},
		"free, alive, fresh":      {fresh, Facts{Lease: No, Alive: Yes}, LivenessLive},
		"free, alive, old":        {old, Facts{Lease: No, Alive: Yes}, LivenessLate},
		"free, unknown, fresh":    {fresh, Facts{Lease: No}, LivenessLive},
		"free, unknown, old":      {old, Facts{Lease: No}, LivenessGone},
		"freed, unknown, fresh":   {fresh, Facts{Lease: No, Freed: true}, LivenessGone},
		"freed, suspended":        {fresh, Facts{Lease: No, Freed: true, Stopped: true}, LivenessGone},
		"freed, alive, fresh":     {fresh, Facts{Lease: No, Freed: true, Alive: Yes}, LivenessLive},
		"freed, other machine":    {fresh, Facts{Beat: store.Instant{BootID: "other"}, MachineID: "n", Lease: No, Freed: true}, LivenessLate},
		"no lease, gone":          {fresh, Facts{Alive: No}, LivenessGone},
		"no lease, alive, old":    {old, Facts{Alive: Yes}, LivenessLate},
		"no lease, unknown, old":  {old, Facts{}, LivenessLate},
		"over":                    {old, Facts{Over: true, Lease: Yes}, LivenessEnded},
		"other boot":              {fresh, Facts{Beat: store.Instant{BootID: "other"}, Alive: Yes}, LivenessGone},
		"other boot, held":        {fresh, Facts{Beat: store.Instant{BootID: "other"}, Lease: Yes}, LivenessLate},
		"other boot, same name":   {fresh, Facts{Beat: store.Instant{BootID: "other"}, MachineID: "m"}, LivenessGone},
		"other machine":           {fresh, Facts{Beat: store.Instant{BootID: "other"}, MachineID: "n", Lease: No}, LivenessLate},
		"container, same kernel":  {fresh, Facts{MachineID: "n", Lease: Yes}, LivenessLive},
		"no boot, freed, here":    {fresh, Facts{Beat: store.Instant{WallMS: 1}, MachineID: "m", Lease: No, Freed: true}, LivenessGone},
		"no boot, freed, nowhere": {fresh, Facts{Beat: store.Instant{WallMS: 1}, Lease: No, Freed: true}, LivenessLate},
		"no boot, no file, here":  {fresh, Facts{Beat: store.Instant{WallMS: 1}, MachineID: "m", Lease: No}, LivenessLate},
		"nothing known of a boot": {fresh, Facts{Beat: store.Instant{WallMS: 1}, Lease: No}, LivenessLate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.facts.Beat == (store.Instant{}) {
				c.facts.Beat = store.Instant{AwakeMS: here.AwakeMS - c.age, BootID: here.BootID}
			}
			if got := Judge(c.facts, Observer{MachineID: "m", Now: here}); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Whatever else is true: a held lease is never gone, age alone is never death,
// and the wall clock has no say.
func TestJudgeNeverKillsTheLiving(t *testing.T) {
	t.Parallel()
	witness := rapid.SampledFrom([]Witness{Unknown, Yes, No})
	boot := rapid.SampledFrom([]string{"", "a", "b"})
	rapid.Check(t, func(t *rapid.T) {
		f := Facts{
			Stopped: rapid.Bool().Draw(t, "stopped"), MachineID: boot.Draw(t, "machine"),
			Beat:     store.Instant{AwakeMS: rapid.Int64Range(0, 1e9).Draw(t, "beat"), BootID: boot.Draw(t, "boot")},
			Interval: time.Duration(rapid.IntRange(0, 100).Draw(t, "interval")) * time.Second,
			Lease:    witness.Draw(t, "lease"), Alive: witness.Draw(t, "alive"),
		}
		o := Observer{MachineID: boot.Draw(t, "here"), Now: store.Instant{AwakeMS: rapid.Int64Range(0, 1e9).Draw(t, "now"), BootID: boot.Draw(t, "hereboot")}}
		got := Judge(f, o)
		if f.Lease == Yes && got == LivenessGone {
			t.Fatal("a wrapper with its lease is gone")
		}
		if f.Lease == Unknown && f.Alive != No && f.Beat.BootID == o.Now.BootID && got == LivenessGone {
			t.Fatal("age was taken for death")
		}
		f.Beat.WallMS = rapid.Int64().Draw(t, "wall")
		if again := Judge(f, o); again != got {
			t.Fatalf("the wall clock turned %s into %s", got, again)
		}
	})
}

func TestFactsOf(t *testing.T) {
	t.Parallel()
	e := store.Execution{Announcement: store.Announcement{
		Wrapper: store.Identity{MachineID: "m"}, At: store.Instant{AwakeMS: 7, BootID: "b"}, BeatMS: 30_000,
	}}
	e.Process.End = lifecycle.EndRunning
	want := Facts{MachineID: "m", Beat: e.At, Interval: 30 * time.Second}
	if got := FactsOf(e); got != want {
		t.Errorf("before the first beat: %+v", got)
	}
	e.LastBeat, e.StoppedSinceMS = store.Instant{AwakeMS: 9, BootID: "b"}, 1
	e.Process.End = lifecycle.EndLost
	want.Beat, want.Stopped, want.Over = e.LastBeat, true, true
	if got := FactsOf(e); got != want {
		t.Errorf("later: %+v", got)
	}
}

func TestStaleAfter(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]time.Duration{
		0: DefaultStale, time.Second: DefaultStale, DefaultInterval: DefaultStale, time.Minute: 6 * time.Minute,
	} {
		if got := StaleAfter(interval); got != want {
			t.Errorf("StaleAfter(%v) = %v", interval, got)
		}
	}
}

func TestInstantOf(t *testing.T) {
	t.Parallel()
	want := store.Instant{WallMS: epoch().Wall.UnixMilli(), AwakeMS: 5 * 3600 * 1000, BootID: "b"}
	if got := InstantOf(epoch(), "b"); got != want {
		t.Errorf("got %+v", got)
	}
}
