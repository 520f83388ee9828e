package supervisor

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// passageQuiet is how long a passage is read on after the run and what it left
// behind are gone: somebody else then holds the other end.
const passageQuiet = 100 * time.Millisecond

// passageStall is how long a reader that takes nothing is waited for, as a
// stalled terminal is.
const passageStall = 2 * time.Second

// passageSize is the size of one copy, in bytes: a whole pipe.
const passageSize = 64 << 10

// passage carries what the run writes to a redirected descriptor through the
// wrapper, byte for byte, because somebody looks on.
type passage struct {
	from, theirs *os.File
	to           *os.File
	done         chan struct{}
}

// openPassages puts a passage before each output that is not on the inner
// terminal. Two descriptors that are one file share one, to keep their order.
func (r *run) openPassages() error {
	if r.cfg.Tap == nil || r.plan.direct {
		return nil
	}
	for i, f := range r.files() {
		if i == 0 || r.plan.onPair[i] {
			continue
		}
		if i == 2 && r.passages[1] != nil && sameFile(f, r.passages[1].to) {
			r.passages[2] = r.passages[1]
			continue
		}
		from, theirs, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("make pipe: %w", err)
		}
		r.passages[i] = &passage{from: from, theirs: theirs, to: f, done: make(chan struct{})}
	}
	return nil
}

// eachPassage calls f once for every passage.
func (r *run) eachPassage(f func(*passage)) {
	for i, p := range r.passages {
		if p != nil && (i != 2 || p != r.passages[1]) {
			f(p)
		}
	}
}

// carry copies until the run's end of the passage is closed by its last holder.
// When the reader behind it goes away so does ours, and the run hears of it as
// it would have without us.
func (p *passage) carry(tap func([]byte)) {
	defer close(p.done)
	defer p.from.Close() //nolint:errcheck // only read from
	buf := make([]byte, passageSize)
	for {
		n, err := p.from.Read(buf)
		if n > 0 {
			tap(buf[:n])
			if _, err := p.to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// finish waits, for a bounded time, for what is still in the passage.
func (p *passage) finish(now time.Time) {
	if err := p.from.SetReadDeadline(now.Add(passageQuiet)); err != nil && !errors.Is(err, os.ErrClosed) {
		return
	}
	stalled := time.NewTimer(passageStall)
	defer stalled.Stop()
	select {
	case <-p.done:
	case <-stalled.C:
	}
}

// sameFile says whether two descriptors are one file.
func sameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}
