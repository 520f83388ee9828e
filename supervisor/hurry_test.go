package supervisor

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/internal/wire"
)

// A wish for the end may come as long as somebody asks for one, also after others
// have asked.
func TestHurryIsHeardLate(t *testing.T) {
	t.Parallel()
	r := &run{sigs: make(chan os.Signal, 1)}
	res := Result{Hurried: r.hurried}
	if res.Hurried() {
		t.Error("nobody is in a hurry yet")
	}
	r.sigs <- unix.SIGINT
	if !res.Hurried() {
		t.Error("the interrupt is lost")
	}
}

// Who has asked for the end twice has what was left behind killed, and waits for that for
// so long and no longer; one more wish, or the first one of all, and it is left to the
// monitor at once.
func TestWishesWhileLeftoversAreSettled(t *testing.T) {
	t.Parallel()
	byUser := stopState{by: lifecycle.StoppedByUser, signal: unix.SIGTERM, firm: true}
	done := wire.Message{Kind: wire.MsgDone, Body: []byte(`{"stopped":[{"pid":7}]}`)}
	for name, c := range map[string]struct {
		stop   stopState
		wishes int
		obeys  bool // the monitor, what it is told
		killed bool
		waited time.Duration
	}{
		"the first of all":             {stop: stopState{}, wishes: 1},
		"the first in a timeout":       {stop: stopState{by: lifecycle.StoppedByDeadline, firm: true}, wishes: 1},
		"the second":                   {stop: byUser, wishes: 1, obeys: true, killed: true},
		"the second in a timeout":      {stop: stopState{by: lifecycle.StoppedByDeadline, firm: true, wished: true}, wishes: 1, obeys: true, killed: true},
		"the second, with no success":  {stop: byUser, wishes: 1, killed: true, waited: killWait},
		"the third, with no success":   {stop: byUser, wishes: 2, killed: true},
		"long after the first, of INT": {stop: stopState{by: lifecycle.StoppedByUser, signal: unix.SIGINT, at: -time.Hour}, wishes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, monitor := settling(t, c.stop)
				for range c.wishes {
					r.sigs <- unix.SIGTERM
				}
				if c.obeys {
					go func() {
						synctest.Wait()
						if monitor.Await(0) {
							r.reports <- done
						}
					}()
				}
				began := time.Now()
				r.awaitDone(t.Context())
				want(t, "waited", time.Since(began), c.waited)
				want(t, "unsettled", r.unsettled, !c.obeys)
				want(t, "leftovers named", len(r.left.Stopped) > 0, c.obeys)
				want(t, "order sent", monitor.Await(0), c.killed)
				if !c.killed {
					return
				}
				m, err := monitor.Receive()
				o, bad := wire.UnpackStop(m.Body)
				if err != nil || bad != nil || m.Kind != wire.MsgStop || o.First != unix.SIGKILL {
					t.Errorf("order %d %+v, %v, %v", m.Kind, o, err, bad)
				}
			})
		})
	}
}

// settling is a run whose command has ended of a stop, and the monitor's end of its wire.
func settling(t *testing.T, stop stopState) (*run, *wire.Conn) {
	ours, theirs, err := wire.Pair()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{
		sigs: make(chan os.Signal, 2), reports: make(chan wire.Message), listening: true,
		wire: wire.New(ours), stop: stop, exit: wire.ExitReport{Done: true, Code: 1},
		cfg: Config{Grace: time.Minute},
	}
	monitor := wire.New(theirs)
	t.Cleanup(func() {
		close(r.sigs)
		r.wire.Close()
		monitor.Close()
	})
	return r, monitor
}
