package supervisor

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/lifecycle"
)

// waiting runs a test on a run that waits for a moment ten minutes from now. came
// is what bide says, once it does.
func waiting(t *testing.T, test func(r *run, c *clocktest.Fake, came <-chan bool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := clocktest.Following(clock.Reading{Wall: time.Unix(1_700_000_000, 0)})
		r := &run{
			cfg:  Config{Clock: c, NotBefore: time.Unix(1_700_000_000+600, 0)},
			sigs: make(chan os.Signal, 1), wants: make(chan heartbeat.Answer, 1),
		}
		came := make(chan bool, 1)
		go func() { came <- r.bide(t.Context()) }()
		synctest.Wait()
		test(r, c, came)
	})
}

func TestTheTimeComes(t *testing.T) {
	t.Parallel()
	waiting(t, func(r *run, c *clocktest.Fake, came <-chan bool) {
		if !<-came || !c.Now().Wall.Equal(r.cfg.NotBefore) {
			t.Errorf("at %s", c.Now().Wall)
		}
	})
}

func TestASleepPastTheTimeIsNotWaitedOnTopOf(t *testing.T) {
	t.Parallel()
	waiting(t, func(_ *run, c *clocktest.Fake, came <-chan bool) {
		c.Sleep(5 * time.Hour)
		if !<-came || c.Now().Awake > waitLook {
			t.Errorf("awake for %s", c.Now().Awake)
		}
	})
}

func TestAClockSetBackIsBelieved(t *testing.T) {
	t.Parallel()
	waiting(t, func(_ *run, c *clocktest.Fake, came <-chan bool) {
		c.Step(-time.Hour)
		if !<-came || c.Now().Awake != time.Hour+10*time.Minute {
			t.Errorf("awake for %s", c.Now().Awake)
		}
	})
}

func TestAWaitIsCalledOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sig    os.Signal
		answer heartbeat.Answer
		by     lifecycle.StoppedBy
	}{
		"interrupt": {sig: unix.SIGINT, by: lifecycle.StoppedByUser},
		"terminate": {sig: unix.SIGTERM, by: lifecycle.StoppedByUser},
		"hang up":   {sig: unix.SIGHUP, by: lifecycle.StoppedByTerminal},
		"cancelled": {answer: heartbeat.Answer{StopRequested: lifecycle.StoppedByParent}, by: lifecycle.StoppedByParent},
		"fenced":    {answer: heartbeat.Answer{Fenced: true}, by: lifecycle.StoppedByFenced},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			waiting(t, func(r *run, _ *clocktest.Fake, came <-chan bool) {
				if c.sig != nil {
					r.sigs <- c.sig
				} else {
					r.wants <- c.answer
				}
				if <-came || r.stop.by != c.by {
					t.Errorf("stopped by %q, want %q", r.stop.by, c.by)
				}
			})
		})
	}
}

func TestAWaitOutlivesWhatIsMeantForTheCommand(t *testing.T) {
	t.Parallel()
	waiting(t, func(r *run, c *clocktest.Fake, came <-chan bool) {
		r.cfg.OnHangup = HangupKeep
		for _, s := range []os.Signal{unix.SIGUSR1, unix.SIGWINCH, unix.SIGHUP} {
			r.sigs <- s
			synctest.Wait()
		}
		if !<-came || c.Now().Awake != 10*time.Minute {
			t.Errorf("awake for %s", c.Now().Awake)
		}
	})
}

func TestNothingToExecuteIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	r := &run{cfg: Config{NotBefore: time.Unix(1<<40, 0), Missing: os.ErrNotExist}}
	if !r.wait(t.Context()) {
		t.Error("called off")
	}
}

func TestTheParentEndsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := &run{cfg: Config{Clock: clocktest.Following(clock.Reading{}), NotBefore: time.Unix(1<<40, 0)}}
		time.AfterFunc(time.Minute, cancel)
		if r.bide(ctx) || r.stop.by != lifecycle.StoppedByParent {
			t.Errorf("stopped by %q", r.stop.by)
		}
	})
}
