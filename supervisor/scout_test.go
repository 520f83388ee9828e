package supervisor

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocr-run/ocr-run/store"
)

// A beat comes early when something was started, soon after a start by itself, later
// when something happens at the terminal, and never because nothing did.
func TestScout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int32
		var list atomic.Pointer[[]store.Descendant]
		list.Store(&[]store.Descendant{})
		s := newScout(func() []store.Descendant { looks.Add(1); return *list.Load() }, nil)
		s.start()
		defer s.stop()
		told := func(what string, want bool) {
			t.Helper()
			synctest.Wait()
			select {
			case <-s.beats:
				if !want {
					t.Errorf("%s: a beat", what)
				}
			default:
				if want {
					t.Errorf("%s: no beat", what)
				}
			}
		}
		time.Sleep(scoutFirst)
		told("nothing started", false)
		list.Store(&[]store.Descendant{{PID: 7, StartTicks: 70}})
		time.Sleep(2 * scoutFirst)
		told("something started at once", true)
		time.Sleep(time.Hour)
		told("nothing happens", false)
		if looks.Load() > 8 {
			t.Errorf("%d looks in an hour of silence", looks.Load())
		}
		list.Store(&[]store.Descendant{{PID: 8, StartTicks: 80}})
		s.stir()
		time.Sleep(scoutPause)
		told("something started later", true)
		before := looks.Load()
		for range 10_000 {
			s.stir()
			time.Sleep(time.Millisecond)
		}
		if n := looks.Load() - before; n < 5 || n > 11 {
			t.Errorf("%d looks in ten seconds of noise", n)
		}
		told("a noise", false)
	})
}

// However long a run lasts, a look follows a stir and nothing else.
func TestScoutLooksOncePerStir(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const stirs, settled = 100, time.Minute
		looks := 0
		s := newScout(func() []store.Descendant {
			if looks++; looks > 10*stirs {
				runtime.Goexit() // a busy loop would never let the test end
			}
			return nil
		}, nil)
		s.start()
		time.Sleep(settled)
		synctest.Wait()
		before := looks
		for range stirs {
			s.stir()
			time.Sleep(2 * scoutPause)
			synctest.Wait()
		}
		if n := looks - before; n != stirs {
			t.Errorf("%d looks at %d stirs", n, stirs)
		}
		s.stop()
	})
}
