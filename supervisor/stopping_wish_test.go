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
)

// The same signal twice in a moment is one wish; another one, or a later one, is the next.
func TestSameWish(t *testing.T) {
	t.Parallel()
	begun := stopState{by: lifecycle.StoppedByUser, signal: unix.SIGTERM, at: time.Second}
	for name, c := range map[string]struct {
		now  time.Duration
		sig  syscall.Signal
		stop stopState
		want bool
	}{
		"at once":        {time.Second + 50*time.Microsecond, unix.SIGTERM, begun, true},
		"another signal": {time.Second + 50*time.Microsecond, unix.SIGINT, begun, false},
		"later":          {time.Second + sameWishTime, unix.SIGTERM, begun, false},
		"the first":      {time.Second, unix.SIGTERM, stopState{}, false},
		"not the user's": {time.Second, unix.SIGTERM, stopState{by: lifecycle.StoppedByDeadline, signal: unix.SIGTERM, at: time.Second}, false},
	} {
		r := &run{cfg: Config{Clock: clocktest.New(clock.Reading{Awake: c.now})}, stop: c.stop}
		if got := r.sameWish(c.sig); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The signal that comes with a wish of the ledger is taken in, however soon it comes: the
// next one is another wish.
func TestAskedAtOnce(t *testing.T) {
	t.Parallel()
	r := &run{
		cfg:  Config{Clock: clocktest.New(clock.Reading{Awake: time.Second})},
		stop: stopState{by: lifecycle.StoppedByUser, signal: unix.SIGTERM, at: time.Second, firm: true, asked: true},
	}
	r.signalled(t.Context(), unix.SIGTERM)
	if r.stop.asked {
		t.Error("the next signal is taken for this one")
	}
}

// Of a stop that is under way another reason is no second signal and no more grace; the
// user's next wish is KILL.
func TestAnotherReasonDuringAStop(t *testing.T) {
	t.Parallel()
	ours, theirs, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	monitor := wire.New(theirs)
	defer monitor.Close()
	begun := stopState{by: lifecycle.StoppedByUser, signal: unix.SIGTERM, at: time.Second, firm: true}
	r := &run{cfg: Config{Clock: clocktest.New(clock.Reading{Awake: 2 * time.Second})}, wire: wire.New(ours), stop: begun}
	defer r.wire.Close()
	r.beginStop(lifecycle.StoppedByDeadline, unix.SIGTERM)
	want(t, "stop", r.stop, begun)
	want(t, "the monitor hears of it", monitor.Await(0), false)
	r.signalled(t.Context(), unix.SIGTERM)
	m, err := monitor.Receive()
	if err != nil {
		t.Fatal(err)
	}
	order, err := wire.UnpackStop(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "order", order, wire.StopOrder{First: unix.SIGKILL, Escalate: true, By: lifecycle.StoppedByUser})
}
