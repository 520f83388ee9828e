package supervisor

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/clock/clocktest"
	"github.com/ocr-run/ocr-run/lifecycle"
)

// A terminal that takes no byte holds nobody up, and at most one line waits for it.
func TestWarningsAreWaitedForByNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		halted := make(chan struct{})
		var said []string
		r := &run{over: make(chan struct{})}
		r.cfg.Watch.Warn = func(line string) {
			<-halted
			said = append(said, line)
		}
		for _, line := range []string{"one", "two", "three"} {
			r.say(line)
			synctest.Wait()
		}
		if r.hush() {
			t.Error("a terminal that takes no byte is said to")
		}
		close(halted)
		synctest.Wait()
		if !slices.Equal(said, []string{"one", "two"}) {
			t.Errorf("said %q", said)
		}
		if !r.hush() {
			t.Error("a terminal that takes all is said not to")
		}
		r.say("late")
		synctest.Wait()
		if len(said) != 2 {
			t.Errorf("said %q after the end", said)
		}
		close(r.over)
	})
}

// The same alarm twice is evidence once, of the later time.
func TestNoteOnce(t *testing.T) {
	t.Parallel()
	r := &run{cfg: Config{Clock: clocktest.New(clock.Reading{Wall: time.UnixMilli(5)})}}
	for _, detail := range []string{"a", "b", "a"} {
		r.note(lifecycle.SourceOwnAct, detail, "")
	}
	if len(r.evidence) != 2 || r.evidence[1].Detail != "a" {
		t.Errorf("%+v", r.evidence)
	}
}
