package supervisor

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/supervisor/internal/entry"
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
// behind are gone, or at least what they had written: somebody else then holds the other
// end.
const passageQuiet = 100 * time.Millisecond

// passageSize is the size of one copy, in bytes: a whole pipe.
const passageSize = 64 << 10

// passage carries what the run writes to a redirected descriptor through the
// wrapper, byte for byte, because somebody looks on.
type passage struct {
	source       Source
	from, theirs *os.File
	to           *os.File
	broken       atomic.Bool // writing to it has failed
	done         chan struct{}
}

// newPassage makes one to a file. Nothing is carried yet.
func newPassage(source Source, to *os.File) (*passage, error) {
	from, theirs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	return &passage{source: source, from: from, theirs: theirs, to: to, done: make(chan struct{})}, nil
}

// openPassages puts a passage before each output that is not on the inner
// terminal. Two descriptors that are one file share one, to keep their order. One that was
// closed has none: the run is to find it closed.
func (r *run) openPassages() error {
	if r.cfg.Tap == nil || r.plan.direct {
		return nil
	}
	for i, f := range r.files() {
		if i == 0 || r.plan.onPair[i] || !r.cfg.Through[i] || entry.Given(f.Fd()) != f.Fd() {
			continue
		}
		if i == 2 && r.passages[1] != nil && SameFile(f, r.passages[1].to) {
			r.passages[2] = r.passages[1]
			continue
		}
		p, err := newPassage(Source(i), f)
		if err != nil {
			return err
		}
		r.passages[i] = p
	}
	return nil
}

// carryPassages begins to carry, once those who write have their ends.
func (r *run) carryPassages() {
	r.carrying = true
	now := func() time.Time { return r.cfg.Clock.Now().Wall }
	r.eachPassage(func(p *passage) {
		tap := r.watched
		if p == r.diverted {
			tap = func(Source, []byte) {} // seen when it was read from the terminal
		} else {
			_ = p.theirs.Close()
		}
		go p.carry(tap, now)
	})
}

// eachPassage calls f once for every passage.
func (r *run) eachPassage(f func(*passage)) {
	for i, p := range r.passages {
		if p != nil && (i != 2 || p != r.passages[1]) {
			f(p)
		}
	}
	if r.diverted != nil {
		f(r.diverted)
	}
}

// readerGone says whether there is nobody to read what we carry, which a write of our
// own is then told by a SIGPIPE: the run hears of it when it writes itself.
func (r *run) readerGone() bool {
	gone := false
	r.eachPassage(func(p *passage) { gone = gone || p.unread() })
	return gone
}

// unread says whether nobody reads what the passage leads to.
func (p *passage) unread() bool {
	fds := []unix.PollFd{{Fd: int32(p.to.Fd())}} // told unasked
	n, err := unix.Poll(fds, 0)
	return p.broken.Load() || err == nil && n > 0 && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0
}

// carry copies until the run's end of the passage is closed by its last holder,
// or, once the run is over, until nothing has come for a while, or everything has that
// was on its way then: somebody left behind may never cease to write. When the reader
// behind it goes away so does ours, and the run hears of it as it would have
// without us.
func (p *passage) carry(tap func(Source, []byte), now func() time.Time) {
	defer close(p.done)
	defer p.from.Close() //nolint:errcheck // only read from
	buf := make([]byte, passageSize)
	over, quiet, owed := false, false, 0
	for {
		n, err := p.from.Read(buf)
		if n > 0 {
			quiet, owed = false, owed-n
			tap(p.source, buf[:n])
			if _, err := p.to.Write(buf[:n]); err != nil {
				p.broken.Store(true)
				return
			}
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || quiet || over && owed <= 0 {
			return
		}
		if !over {
			over, owed = true, p.onItsWay()
		}
		// The time begins with the wait: writing may have taken longer.
		quiet = true
		_ = p.from.SetReadDeadline(now().Add(passageQuiet))
	}
}

// onItsWay is how many bytes have been written and not been read yet, 0 when that cannot
// be told.
func (p *passage) onItsWay() (n int) {
	raw, err := p.from.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), fionread) })
	return n
}

// enough is closed when what is still on its way is waited for no longer. Its reader
// may take as long as it likes, but for a user who asks for the end again, or did
// before.
func (r *run) enough() <-chan struct{} {
	if !r.stopping() {
		return r.urgent()
	}
	out, urgent := make(chan struct{}), r.urgent()
	go func() {
		t := time.NewTimer(monitor.UnkillableWait / 2)
		defer t.Stop()
		select {
		case <-t.C:
		case <-urgent:
		case <-r.over:
		}
		close(out)
	}()
	return out
}

// finishPassages waits for what is still on its way, until that is enough.
func (r *run) finishPassages(enough <-chan struct{}) {
	if !r.carrying {
		return
	}
	r.eachPassage(func(p *passage) {
		_ = p.from.SetReadDeadline(r.cfg.Clock.Now().Wall)
		select {
		case <-p.done:
		case <-enough:
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
