package clocktest

import (
	"sync"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// Fake is a [clock.Clock] under a test's control. It may be used by several
// goroutines. Make one with [New] or [Following].
type Fake struct {
	mu   sync.Mutex
	now  clock.Reading
	from time.Time // zero: stands still
}

// New is a clock that stands at r until it is told otherwise.
func New(r clock.Reading) *Fake { return &Fake{now: r} }

// Following is a clock that starts at r and moves on with package time. It is
// meant for a synctest bubble and must be made inside of it.
func Following(r clock.Reading) *Fake { return &Fake{now: r, from: time.Now()} }

// Now is the clock's present reading.
func (f *Fake) Now() clock.Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.now
	if !f.from.IsZero() {
		passed := time.Since(f.from)
		r.Wall, r.Awake = r.Wall.Add(passed), r.Awake+passed
	}
	return r
}

// Set replaces the reading the clock counts from.
func (f *Fake) Set(r clock.Reading) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = r
	if !f.from.IsZero() {
		f.from = time.Now()
	}
}

// Advance lets d of awake time pass without any timer noticing: what a process
// sees that was stopped or starved for d.
func (f *Fake) Advance(d time.Duration) { f.shift(d, d, 0) }

// Sleep suspends the machine for d.
func (f *Fake) Sleep(d time.Duration) { f.shift(d, 0, d) }

// Step moves the wall clock by d, which may be negative.
func (f *Fake) Step(d time.Duration) { f.shift(d, 0, 0) }

// shift moves the three clocks independently.
func (f *Fake) shift(wall, awake, suspended time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now.Wall = f.now.Wall.Add(wall)
	f.now.Awake += awake
	f.now.Suspended += suspended
}
