package clock_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSystemAgreesWithPackageTime(t *testing.T) {
	t.Parallel()
	began := time.Now()
	a := clock.System().Now()
	for time.Since(began) < 5*time.Millisecond {
		a2 := clock.System().Now()
		if a2.Awake < a.Awake {
			t.Fatalf("awake time went from %v to %v", a.Awake, a2.Awake)
		}
	}
	b := clock.System().Now()
	if d := b.Awake - a.Awake; d < 4*time.Millisecond || d > time.Minute {
		t.Errorf("awake time moved by %v", d)
	}
	if a.Awake <= 0 || a.Suspended < 0 {
		t.Errorf("Now() = %+v", a)
	}
	if off := time.Until(b.Wall).Abs(); off > time.Minute {
		t.Errorf("the wall clock is off by %v", off)
	}
}

// A machine that did not sleep shows no more suspended time than a sample is
// precise.
func TestSuspendedStandsStill(t *testing.T) {
	t.Parallel()
	first := clock.System().Now().Suspended
	for range 10_000 {
		if d := (clock.System().Now().Suspended - first).Abs(); d >= time.Millisecond {
			t.Fatalf("suspended time moved by %v", d)
		}
	}
}

func TestIDsAreStable(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func() (string, error){"boot": clock.BootID, "machine": clock.MachineID} {
		a, err := f()
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := f(); a != b || (name == "boot" && a == "") {
			t.Errorf("%s id: %q, then %q", name, a, b)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := clock.Wait(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("Wait() = %v after %v", err, time.Since(began))
		}
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(cause) })
		if err := clock.Wait(ctx, time.Hour); !errors.Is(err, cause) {
			t.Errorf("Wait() = %v", err)
		}
		if err := clock.Wait(ctx, 0); !errors.Is(err, cause) {
			t.Errorf("Wait(0) = %v", err)
		}
		if err := clock.Wait(t.Context(), -1); err != nil {
			t.Errorf("Wait(-1) = %v", err)
		}
	})
}

func TestFakeMovesOnlyAsTold(t *testing.T) {
	t.Parallel()
	start := clock.Reading{Wall: time.Unix(1000, 0).UTC(), Awake: time.Minute, Suspended: time.Second}
	f := clocktest.New(start)
	if first, again := f.Now(), f.Now(); first != start || again != start {
		t.Errorf("Now() = %+v", f.Now())
	}
	f.Advance(time.Second)
	f.Sleep(time.Hour)
	f.Step(-time.Minute)
	want := clock.Reading{
		Wall: start.Wall.Add(time.Second + time.Hour - time.Minute), Awake: start.Awake + time.Second, Suspended: start.Suspended + time.Hour,
	}
	if f.Now() != want {
		t.Errorf("Now() = %+v, want %+v", f.Now(), want)
	}
	if f.Set(start); f.Now() != start {
		t.Errorf("Now() = %+v after Set", f.Now())
	}
}

func TestFakeFollowsPackageTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := clock.Reading{Wall: time.Unix(1000, 0).UTC(), Awake: time.Minute}
		f := clocktest.Following(start)
		time.Sleep(time.Hour)
		f.Sleep(time.Minute)
		want := clock.Reading{Wall: start.Wall.Add(61 * time.Minute), Awake: 61 * time.Minute, Suspended: time.Minute}
		if f.Now() != want {
			t.Errorf("Now() = %+v, want %+v", f.Now(), want)
		}
		f.Set(start)
		if time.Sleep(time.Second); f.Now().Awake != 61*time.Second {
			t.Errorf("Now() = %+v after Set", f.Now())
		}
	})
}

func TestWakesClose(t *testing.T) {
	t.Parallel()
	w, err := clock.WatchWakes()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.C():
		t.Error("woke without cause")
	default:
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}
}

func BenchmarkNow(b *testing.B) {
	for b.Loop() {
		clock.System().Now()
	}
}
