package supervisor

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/supervisor/monitor"
)

// Source is where bytes of a run come from.
type Source int

// The sources. Where a descriptor is redirected it is its number.
const (
	// FromTerminal is the run's terminal, whatever descriptor was written to.
	FromTerminal Source = 0
	FromStdout   Source = 1
	FromStderr   Source = 2
)

// passageQuiet is how long a passage is read on after the run and what it left
// behind are gone: somebody else then holds the other end.
const passageQuiet = 100 * time.Millisecond

// passageSize is the size of one copy, in bytes: a whole pipe.
const passageSize = 64 << 10

// passage carries what the run writes to a redirected descriptor through the
// wrapper, byte for byte, because somebody looks on.
type passage struct {
	source       Source
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
		if i == 0 || r.plan.onPair[i] || !r.cfg.Through[i] {
			continue
		}
		if i == 2 && r.passages[1] != nil && SameFile(f, r.passages[1].to) {
			r.passages[2] = r.passages[1]
			continue
		}
		from, theirs, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("make pipe: %w", err)
		}
		r.passages[i] = &passage{source: Source(i), from: from, theirs: theirs, to: f, done: make(chan struct{})}
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

// carry copies until the run's end of the passage is closed by its last holder,
// or, once the run is over, until nothing has come for a while. When the reader
// behind it goes away so does ours, and the run hears of it as it would have
// without us.
func (p *passage) carry(tap func(Source, []byte), now func() time.Time) {
	defer close(p.done)
	defer p.from.Close() //nolint:errcheck // only read from
	buf := make([]byte, passageSize)
	for quiet := false; ; {
		n, err := p.from.Read(buf)
		if n > 0 {
			tap(p.source, buf[:n])
			if _, err := p.to.Write(buf[:n]); err != nil {
				return
			}
		}
		switch {
		case err == nil:
			quiet = false
		case errors.Is(err, os.ErrDeadlineExceeded) && !quiet:
			// The time begins with the wait: writing may have taken longer.
			quiet = true
			_ = p.from.SetReadDeadline(now().Add(passageQuiet))
		default:
			return
		}
	}
}

// finishPassages waits for what is still on its way, for as long as its reader
// takes. A user who asks for the end again, or did before, is not kept waiting.
func (r *run) finishPassages() {
	var stalled <-chan time.Time
	if r.stop.by != lifecycle.StoppedByNobody {
		t := time.NewTimer(monitor.UnkillableWait / 2)
		defer t.Stop()
		stalled = t.C
	}
	r.eachPassage(func(p *passage) {
		_ = p.from.SetReadDeadline(r.cfg.Clock.Now().Wall)
		select {
		case <-p.done:
		case <-stalled:
		case <-r.urgent():
		}
	})
}

// SameFile says whether two descriptors are one file, pipe or device; it is false where
// that cannot be told.
func SameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}
