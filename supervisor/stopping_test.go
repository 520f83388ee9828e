package supervisor

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

const testGrace = 5 * time.Second

// An interrupt that the command has outlived is no wish any more; a stop that KILL
// follows stays one.
func TestAnInterruptIsOutlived(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stop  stopState
		after time.Duration
		want  bool
	}{
		{stopState{}, 0, false},
		{stopState{by: lifecycle.StoppedByUser}, testGrace, true},
		{stopState{by: lifecycle.StoppedByUser}, testGrace + 1, false},
		{stopState{by: lifecycle.StoppedByUser, firm: true}, time.Hour, true},
	} {
		c := clocktest.New(clock.Reading{})
		r := &run{cfg: Config{Clock: c, Grace: testGrace}, stop: test.stop}
		c.Advance(test.after)
		if got := r.stopping(); got != test.want {
			t.Errorf("%+v after %v: %v", test.stop, test.after, got)
		}
	}
}

// Who ended a command decides whether it was cancelled: a wish counts within the grace,
// and after it where the command says that it ended by it.
func TestWhoStoppedIt(t *testing.T) {
	t.Parallel()
	polite := stopState{by: lifecycle.StoppedByUser, signal: unix.SIGINT}
	firm := stopState{by: lifecycle.StoppedByDeadline, signal: unix.SIGTERM, firm: true}
	heeds := stopState{passed: unix.SIGINT, heeded: heeded{by: lifecycle.StoppedByUser, signal: unix.SIGINT}}
	exited := func(code int) wire.ExitReport { return wire.ExitReport{Code: code} }
	died := func(sig syscall.Signal) wire.ExitReport { return wire.ExitReport{Signal: sig} }
	for _, test := range []struct {
		name   string
		stop   stopState
		exit   wire.ExitReport
		after  time.Duration
		want   lifecycle.StoppedBy
		failed bool
	}{
		{"no wish", stopState{}, exited(0), 0, lifecycle.StoppedByNobody, false},
		{"in time", polite, exited(0), testGrace, lifecycle.StoppedByUser, false},
		{"an interrupt that was handled", polite, exited(0), testGrace + 1, lifecycle.StoppedByNobody, false},
		{"another failure, later", polite, exited(1), testGrace + 1, lifecycle.StoppedByNobody, false},
		{"late, and of it", polite, died(unix.SIGINT), time.Minute, lifecycle.StoppedByUser, false},
		{"late, and says so", polite, exited(130), time.Minute, lifecycle.StoppedByUser, false},
		{"late, of something else", polite, died(unix.SIGSEGV), time.Minute, lifecycle.StoppedByNobody, false},
		{"ignored here, heeded there", heeds, exited(0), testGrace, lifecycle.StoppedByUser, false},
		{"heeded, and gone on", heeds, exited(0), testGrace + 1, lifecycle.StoppedByNobody, false},
		{"ignored by both", stopState{passed: unix.SIGINT}, exited(0), 0, lifecycle.StoppedByNobody, false},
		{"within the margin of a kill", firm, exited(0), testGrace + monitor.UnkillableWait, lifecycle.StoppedByDeadline, false},
		{"beyond it", firm, exited(0), testGrace + monitor.UnkillableWait + 1, lifecycle.StoppedByDeadline, true},
		{"killed at last", firm, wire.ExitReport{Signal: unix.SIGKILL, Killed: true}, time.Hour, lifecycle.StoppedByDeadline, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &run{cfg: Config{Grace: testGrace, Clock: clocktest.New(clock.Reading{})}, stop: test.stop, exit: test.exit}
			r.exitAt.Awake = test.after
			if by, failed := r.judgeStop(); by != test.want || failed != test.failed {
				t.Errorf("stopped by %q, failed %v", by, failed)
			}
		})
	}
}
