package supervisor

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

func TestKillsIn(t *testing.T) {
	t.Parallel()
	for vmstat, want := range map[string]int64{
		"nr_free_pages 5\noom_kill 3\nunevictable 0\n": 3,
		"nr_free_pages 5\noom_kill 0":                  0,
		"nr_free_pages 5\noom_kills 3\n":               -1,
		"nr_free_pages 5\noom_kill x\n":                -1,
		"":                                             -1,
	} {
		if got := killsIn([]byte(vmstat)); got != want {
			t.Errorf("%q: %d, want %d", vmstat, got, want)
		}
	}
}

func TestKilledForMemory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after int64
		want          lifecycle.Cause
	}{{2, 3, lifecycle.CauseOOM}, {2, 2, ""}, {-1, 3, ""}, {2, -1, ""}} {
		r := &run{cfg: Config{Clock: clock.System()}, starved: c.before}
		r.noteStarved(c.after)
		var got lifecycle.Cause
		for _, e := range r.evidence {
			got = e.Points
		}
		if got != c.want {
			t.Errorf("%d kills before, %d after: %q, want %q", c.before, c.after, got, c.want)
		}
	}
	for _, c := range []struct {
		exit wire.ExitReport
		want bool
	}{{wire.ExitReport{Code: -1, Signal: unix.SIGKILL}, true}, {wire.ExitReport{Code: 137}, true}, {wire.ExitReport{Code: -1, Signal: unix.SIGTERM}, false}, {wire.ExitReport{Code: 9}, false}} {
		if got := killedOutright(c.exit); got != c.want {
			t.Errorf("%+v: %v, want %v", c.exit, got, c.want)
		}
	}
}
