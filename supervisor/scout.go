package supervisor

import (
	"slices"
	"sync"
	"time"

	"github.com/ocr-run/ocr-run/store"
)

// A run starts most of what it starts at once, and later things when something is
// going on at its terminal. The first looks come at growing intervals, up to the
// last one; from then on a look follows what passes, and one pause lies between
// two.
const (
	scoutFirst = 100 * time.Millisecond
	scoutLast  = 4 * time.Second
	scoutPause = time.Second
)

// scout has a beat come early when the run has started something: what a beat has
// written down is found whatever becomes of us. A run at which nothing happens is
// not looked at, and wakes nobody.
type scout struct {
	look  func() []store.Descendant
	wakes <-chan struct{} // of the machine; nil where nobody tells
	// stirred is told when something passes the run's terminal.
	stirred chan struct{}
	// beats is told when there is something to write down.
	beats chan struct{}
	over  chan struct{}
	wg    sync.WaitGroup
}

// newScout prepares a scout; nothing runs before start.
func newScout(look func() []store.Descendant, wakes <-chan struct{}) *scout {
	return &scout{
		look: look, wakes: wakes, stirred: make(chan struct{}, 1), beats: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// start begins to look; stop ends it and waits.
func (s *scout) start() { s.wg.Go(s.run) }

func (s *scout) stop() {
	close(s.over)
	s.wg.Wait()
}

// stir tells that something happens. It never waits, and may come from anywhere.
func (s *scout) stir() { tell(s.stirred) }

// tell leaves word, unless there is one already.
func tell(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (s *scout) run() {
	pause := scoutFirst
	timer := time.NewTimer(pause)
	defer timer.Stop()
	var seen []store.Descendant
	var stirred <-chan struct{} // nil while a look is due anyway
	for {
		select {
		case <-s.over:
			return
		case <-s.wakes:
			tell(s.beats)
		case <-stirred:
			stirred = nil
			timer.Reset(scoutPause)
		case <-timer.C:
			now := s.look()
			if !slices.Equal(now, seen) {
				seen = now
				tell(s.beats)
			}
			if next := 2 * pause; next <= scoutLast {
				pause = next
				timer.Reset(pause)
			} else {
				stirred = s.stirred
			}
		}
	}
}
