package terminal

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of the end of a relay, in milliseconds of polling.
const (
	// quietMS is how long the inner terminal must say nothing, after the run is
	// over, while somebody else still holds it open. Data in flight arrives
	// within a scheduler tick; 50 ms is five of the longest.
	quietMS = 50
	// drainMost bounds, in bytes, what is still read from an inner terminal that
	// somebody else goes on writing to: many times what the kernel holds. A read
	// counts as readCost bytes at least, so that a trickle ends, too.
	drainMost = 512 << 10
	readCost  = 4 << 10
	// stallMS is how long a terminal that takes no bytes is waited for. It must
	// stay below the five seconds in which a stopped wrapper has to be gone.
	stallMS = 2000
	// heldMost is how long a relay that has been given up is waited for: something it calls
	// may hold it, such as a copy on a disk that does not answer.
	heldMost = time.Second
)

// Bounds of parking a relay. What a run wrote just before it was suspended takes
// a kernel worker to arrive, which is a matter of microseconds.
const (
	parkQuietMS = 10
	// parkRounds bounds the bursts of output that are still handed over.
	parkRounds = 64
)

// RelayConfig is what a relay connects.
type RelayConfig struct {
	// User is the descriptor of the user's terminal, non-blocking; -1 when there
	// is none: output is then read and dropped.
	User int
	// Master is the descriptor of the inner terminal's master, non-blocking.
	Master int
	// Tap sees every chunk on its way to the user, before it is written, on the
	// relay's goroutine. It must not keep the slice. Nil taps nothing.
	Tap func([]byte)
	// Divert is the descriptor of a pipe that takes the output instead of the user's
	// terminal, non-blocking; 0 for the terminal. It is waited for as long as its
	// reader takes.
	Divert int
	// Unread is called once, on the relay's goroutine, when there is output that
	// nobody is left to read from Divert. Output is read and dropped from then on. Nil
	// is allowed.
	Unread func()
	// Typed sees every chunk of input, on the relay's goroutine. It must not keep
	// the slice. Nil for nobody.
	Typed func([]byte)
	// First is called once, on the relay's goroutine, before the first chunk of output
	// unless that is the last, or at Begin. It says what Cooked would be told. Nil changes
	// nothing.
	First func() (cooked bool)
	// Gone is called once, on the relay's goroutine, when the user's terminal
	// is closed. Output is read and dropped from then on. Nil is allowed.
	Gone func()
}

// Relay moves bytes between the user's terminal and the inner one. The two
// directions never wait for each other, or a large paste into a program that
// echoes it would stop both for ever.
type Relay struct {
	cfg     RelayConfig
	wakeR   int
	wakeW   int
	cmds    chan func(*loop)
	done    chan struct{}
	once    sync.Once
	stalled atomic.Bool
	left    atomic.Bool // nobody waits for the goroutine: it is to touch nothing more
	output  atomic.Int64
	input   atomic.Int64
}

// NewRelay prepares a relay. Start must follow, and Close at the end.
func NewRelay(cfg RelayConfig) (*Relay, error) {
	p := make([]int, 2)
	if err := pipeNonblock(p); err != nil {
		return nil, fmt.Errorf("make relay wake-up pipe: %w", err)
	}
	return &Relay{
		cfg: cfg, wakeR: p[0], wakeW: p[1],
		cmds: make(chan func(*loop), 1), done: make(chan struct{}),
	}, nil
}

// Start begins moving output. For cooked see Cooked.
func (r *Relay) Start(cooked bool) {
	l := newLoop(r)
	l.lines.on = cooked
	go l.run()
}

// Begin has RelayConfig.First called, if it was not yet.
func (r *Relay) Begin() { r.do(func(l *loop) { l.begin() }) }

// Between has f called between two chunks of output, and tells Cooked what it says.
func (r *Relay) Between(f func() (cooked bool)) { r.do(func(l *loop) { l.flush(); l.uncook(f()) }) }

// Input switches the way from the user to the run on or off.
func (r *Relay) Input(on bool) { r.do(func(l *loop) { l.input = on }) }

// Cooked says that the user's terminal ends lines itself: the carriage returns
// the inner terminal put before line feeds are then left to it, or each line
// would end with two.
func (r *Relay) Cooked(on bool) { r.do(func(l *loop) { l.uncook(on) }) }

// Park hands over what the run has written so far, stops both ways, and returns
// when nothing touches either terminal any more. It is bounded: a user's
// terminal that takes nothing, or a run that goes on writing, is not waited for.
func (r *Relay) Park() {
	parked := make(chan struct{})
	r.do(func(l *loop) { l.input, l.parking, l.patience = false, parked, parkRounds })
	select {
	case <-parked:
	case <-r.done:
	}
}

// Unpark goes on where Park left off.
func (r *Relay) Unpark(input bool) { r.do(func(l *loop) { l.parked = false; l.input = input }) }

// Detach gives up the user's terminal: input ends, output is read and dropped.
func (r *Relay) Detach() { r.do(func(l *loop) { l.lose() }) }

// EndInput has the run read the end of its input, where it reads lines: nothing more will
// come. A program that reads keys has no such thing.
func (r *Relay) EndInput() {
	r.do(func(l *loop) {
		if now, err := getTermios(r.cfg.Master); err == nil && now.Lflag&unix.ICANON != 0 {
			// The first one may only end a line that was begun.
			l.toRun = append(l.toRun, now.Cc[unix.VEOF], now.Cc[unix.VEOF])
			l.writeMaster()
		}
	})
}

// Finish hands over everything the run has written and ends the relay. It is
// bounded, see quietMS, drainMost and stallMS, where it goes to the user's terminal, and
// says whether that was stalled: it takes no bytes, and writing to it would wait for ever.
//
// When urgent is closed first, the rest is given up, and after heldMost a relay that is
// held as well. Nil for never.
func (r *Relay) Finish(urgent <-chan struct{}) (stalled bool) {
	r.post(func(l *loop) { l.parked, l.input, l.draining, l.budget = false, false, true, drainMost }, urgent)
	select {
	case <-r.done:
	case <-urgent:
		held := make(chan struct{})
		defer time.AfterFunc(heldMost, func() { close(held) }).Stop()
		r.post(func(l *loop) { l.over = true; r.stalled.Store(!l.diverts() && len(l.toUser) > 0) }, held)
		select {
		case <-r.done:
		case <-held:
			r.left.Store(true)
			return false
		}
	}
	r.release()
	return r.stalled.Load()
}

// Close ends the relay at once, whatever is still in flight.
func (r *Relay) Close() {
	r.do(func(l *loop) { l.over = true })
	<-r.done
	r.release()
}

// Moved says how many bytes have passed so far, towards the user and from them.
func (r *Relay) Moved() (output, input int64) { return r.output.Load(), r.input.Load() }

// do runs f on the relay's goroutine and waits until it has, or the relay is
// over.
func (r *Relay) do(f func(*loop)) {
	ran := make(chan struct{})
	r.post(func(l *loop) { f(l); close(ran) }, nil)
	select {
	case <-ran:
	case <-r.done:
	}
}

// post has the relay's goroutine run f, and does not wait until it has; nor until it can
// take it, once enough is closed. When the relay is over nothing is woken: the pipe may be
// closed, and its number somebody else's.
func (r *Relay) post(f func(*loop), enough <-chan struct{}) {
	select {
	case <-r.done:
		return
	default:
	}
	select {
	case r.cmds <- f:
		_, _ = unix.Write(r.wakeW, []byte{0})
	case <-enough:
	case <-r.done:
	}
}

// release closes the wake-up pipe once.
func (r *Relay) release() {
	r.once.Do(func() {
		_ = unix.Close(r.wakeR)
		_ = unix.Close(r.wakeW)
	})
}

// pipeNonblock fills p with a close-on-exec, non-blocking pipe.
func pipeNonblock(p []int) error {
	if err := unix.Pipe(p); err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	for _, fd := range p {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return fmt.Errorf("make pipe non-blocking: %w", err)
		}
	}
	return nil
}
