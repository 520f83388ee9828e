package supervisor

import (
	"slices"
	"testing"
	"testing/synctest"
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
		close(halted)
		synctest.Wait()
		if !slices.Equal(said, []string{"one", "two"}) {
			t.Errorf("said %q", said)
		}
		close(r.over)
	})
}
