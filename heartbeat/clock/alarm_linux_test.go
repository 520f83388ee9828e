package clock_test

import (
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// An alarm goes off once for each time it is set, when it was last set to, and not before.
func TestAlarm(t *testing.T) {
	t.Parallel()
	a, err := clock.NewAlarm()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{-time.Second, 0, 5 * time.Millisecond} {
		began := clock.System().Now().Awake
		a.Set(time.Hour)
		a.Set(d)
		select {
		case <-a.C():
		case <-time.After(10 * time.Second):
			t.Fatalf("set to %s it does not go off", d)
		}
		if took := clock.System().Now().Awake - began; took < d {
			t.Errorf("set to %s it went off after %s", d, took)
		}
	}
	a.Set(time.Hour)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if len(a.C()) != 0 {
		t.Error("it went off once more")
	}
}
