package heartbeat

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
)

// epoch is where the fake clocks of these tests begin.
func epoch() clock.Reading {
	return clock.Reading{
		Wall:  time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Awake: 5 * time.Hour, Suspended: 90 * time.Minute,
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(*clocktest.Fake)
		want    Gap
	}{
		"nothing":       {func(*clocktest.Fake) {}, Gap{}},
		"night":         {func(f *clocktest.Fake) { f.Sleep(9 * time.Hour) }, Gap{Kind: GapSleep, Slept: 9 * time.Hour}},
		"nap":           {func(f *clocktest.Fake) { f.Sleep(SleepThreshold) }, Gap{Kind: GapSleep, Slept: SleepThreshold}},
		"wink":          {func(f *clocktest.Fake) { f.Sleep(SleepThreshold - 1) }, Gap{Slept: SleepThreshold - 1}},
		"stopped":       {func(f *clocktest.Fake) { f.Advance(time.Minute) }, Gap{Kind: GapStall, Late: time.Minute}},
		"busy":          {func(f *clocktest.Fake) { f.Advance(StallThreshold - 1) }, Gap{Late: StallThreshold - 1}},
		"set forward":   {func(f *clocktest.Fake) { f.Step(time.Hour) }, Gap{Kind: GapStep, Step: time.Hour}},
		"set back":      {func(f *clocktest.Fake) { f.Step(-time.Hour) }, Gap{Kind: GapStep, Step: -time.Hour}},
		"slewed":        {func(f *clocktest.Fake) { f.Step(time.Second) }, Gap{Step: time.Second}},
		"frozen, slept": {func(f *clocktest.Fake) { f.Advance(3 * time.Second); f.Sleep(time.Hour) }, Gap{Kind: GapSleep, Slept: time.Hour, Late: 3 * time.Second}},
		"stopped, set":  {func(f *clocktest.Fake) { f.Advance(time.Minute); f.Step(-time.Hour) }, Gap{Kind: GapStall, Late: time.Minute, Step: -time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := clocktest.New(epoch())
			f.Advance(DefaultInterval)
			c.happens(f)
			c.want.Awake = DefaultInterval + c.want.Late
			if got := Classify(epoch(), f.Now(), DefaultInterval); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

// Clocks that run backwards, as some machines' do around a sleep, are no sleep
// and no stall.
func TestClassifyClampsBackwardClocks(t *testing.T) {
	t.Parallel()
	back := epoch()
	back.Awake -= time.Hour
	back.Suspended -= time.Hour
	if g := Classify(epoch(), back, DefaultInterval); g.Kind != GapNone || g.Awake != 0 || g.Slept != 0 || g.Late != 0 {
		t.Errorf("got %+v", g)
	}
}

// Over any history of sleeps, stalls and steps: the durations add up to what
// happened, and neither a stall nor a step is ever a sleep.
func TestClassifyAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := clocktest.New(epoch())
		last := f.Now()
		var slept, late, step, sum time.Duration
		var sumLate, sumStep time.Duration
		for range rapid.IntRange(1, 30).Draw(t, "beats") {
			d := time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "d"))
			f.Advance(DefaultInterval)
			what := rapid.SampledFrom([]string{"none", "sleep", "stall", "step", "back"}).Draw(t, "what")
			switch what {
			case "sleep":
				f.Sleep(d)
				slept += d
			case "stall":
				f.Advance(d)
				late += d
			case "step":
				f.Step(d)
				step += d
			case "back":
				f.Step(-d)
				step -= d
			}
			g := Classify(last, f.Now(), DefaultInterval)
			last = f.Now()
			sum, sumLate, sumStep = sum+g.Slept, sumLate+g.Late, sumStep+g.Step
			if (g.Kind == GapSleep) != (what == "sleep" && d >= SleepThreshold) {
				t.Fatalf("%s of %v is a %q", what, d, g.Kind)
			}
		}
		if sum != slept || sumLate != late || sumStep != step {
			t.Fatalf("slept %v late %v step %v, summed %v %v %v", slept, late, step, sum, sumLate, sumStep)
		}
	})
}
