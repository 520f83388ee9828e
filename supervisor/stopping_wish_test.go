package supervisor

import (
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// The same wish twice in a moment is one; another one, or a later one, is the next. What
// means something else to a program passes as often as it comes.
func TestSift(t *testing.T) {
	t.Parallel()
	const soon = sameWish - 1
	for name, c := range map[string]struct {
		first, second syscall.Signal
		after         time.Duration
		once          bool
	}{
		"at once":           {unix.SIGTERM, unix.SIGTERM, soon, true},
		"a key twice":       {unix.SIGINT, unix.SIGINT, soon, true},
		"another wish":      {unix.SIGTERM, unix.SIGINT, soon, false},
		"later":             {unix.SIGTERM, unix.SIGTERM, sameWish, false},
		"no wish":           {unix.SIGUSR1, unix.SIGUSR1, soon, false},
		"no wish of ours":   {unix.SIGHUP, unix.SIGHUP, soon, false},
		"a size, then this": {unix.SIGWINCH, unix.SIGTERM, soon, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := clocktest.New(clock.Reading{Awake: time.Second})
			from, to := make(chan os.Signal), make(chan os.Signal, 3)
			defer close(from)
			go sift(now, from, to)
			from <- c.first
			want[os.Signal](t, "first", <-to, c.first)
			now.Advance(c.after)
			from <- c.second
			from <- unix.SIGCONT // behind it
			next := os.Signal(c.second)
			if c.once {
				next = unix.SIGCONT
			}
			want(t, "next", <-to, next)
		})
	}
}

// The signal that comes with a wish of the ledger is taken in, however soon it comes: the
// next one is another wish.
func TestAskedAtOnce(t *testing.T) {
	t.Parallel()
	r := &run{
		cfg:  Config{Clock: clocktest.New(clock.Reading{Awake: time.Second})},
		stop: stopState{by: lifecycle.StoppedByUser, signal: unix.SIGTERM, at: time.Second, firm: true},
	}
	r.asked.Store(true)
	r.signalled(t.Context(), unix.SIGTERM)
	want(t, "the next signal is taken for this one", r.asked.Load(), false)
	r.asked.Store(true)
	want(t, "it hurries who looks after what is left", r.hurries(unix.SIGTERM), false)
	want(t, "the next does", r.hurries(unix.SIGTERM), true)
}

// During a stop that somebody else began the user's first signal takes none of the grace; the
// second is decisive.
func TestTheUserDuringAnothersStop(t *testing.T) {
	t.Parallel()
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT} {
		ours, monitor := wired(t)
		begun := stopState{by: lifecycle.StoppedByDeadline, signal: unix.SIGTERM, at: time.Second, firm: true}
		r := &run{cfg: Config{Clock: clocktest.New(clock.Reading{Awake: 2 * time.Second})}, wire: ours, stop: begun}
		r.signalled(t.Context(), sig)
		want(t, "the monitor hears of the first", monitor.Await(0), false)
		r.signalled(t.Context(), sig)
		want(t, "the monitor hears of the second", monitor.Await(0), true)
		want(t, "stopped by", r.stop.by, lifecycle.StoppedByDeadline)
	}
}

// Of a stop that is under way another reason is no second signal and no more grace; the
// user's next wish is KILL.
func TestAnotherReasonDuringAStop(t *testing.T) {
	t.Parallel()
	ours, monitor := wired(t)
	begun := stopState{by: lifecycle.StoppedByUser, signal: unix.SIGTERM, at: time.Second, firm: true}
	r := &run{cfg: Config{Clock: clocktest.New(clock.Reading{Awake: 2 * time.Second})}, wire: ours, stop: begun}
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
