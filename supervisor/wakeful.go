package supervisor

import (
	"context"
	"sync"

	"github.com/ocr-run/ocr-run/supervisor/internal/inhibit"
)

// wakefulness keeps the machine from going to sleep for as long as that is wanted.
// Asking the system takes its time and is done on a goroutine, one at a time. A nil
// one wants nothing.
type wakefulness struct {
	// acquire is inhibit.Acquire for the reason given.
	acquire func(context.Context) (releaser, error)
	// failed is told once why the machine cannot be kept awake.
	failed func(error)
	// held is told which child keeps it awake, 0 for none. It must return at once.
	held func(pid int)

	mu      sync.Mutex
	wanted  bool
	lock    releaser // nil while none is held
	asking  bool
	refused bool
	ctx     context.Context //nolint:containedctx // it is the life of the goroutine
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// newWakefulness prepares it. release must follow.
func newWakefulness(why string, held func(pid int), failed func(error)) *wakefulness {
	ctx, cancel := context.WithCancel(context.Background())
	acquire := func(ctx context.Context) (releaser, error) { return inhibit.Acquire(ctx, why) }
	return &wakefulness{acquire: acquire, held: held, failed: failed, ctx: ctx, cancel: cancel}
}

// releaser is a lock that can be given back. PID is the child that holds it, 0 for none.
type releaser interface {
	Release() error
	PID() int
}

// want says whether the machine is to stay awake from now on.
func (k *wakefulness) want(on bool) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = on
	if !on {
		k.letGo()
		return
	}
	if k.lock == nil && !k.asking && !k.refused && k.ctx.Err() == nil {
		k.asking = true
		k.wg.Go(k.ask)
	}
}

// ask asks the system. What is no longer wanted by then is given back.
func (k *wakefulness) ask() {
	lock, err := k.acquire(k.ctx)
	k.take(lock, err)
	// Unlocked: whoever is told may take its time, and want must never wait.
	if err != nil && k.ctx.Err() == nil {
		k.failed(err)
	}
}

// take takes in the answer.
func (k *wakefulness) take(lock releaser, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asking = false
	if err != nil {
		k.refused = true
		return
	}
	k.lock = lock
	k.held(lock.PID())
	if !k.wanted {
		k.letGo()
	}
}

// letGo gives the lock back. The caller holds the mutex.
func (k *wakefulness) letGo() {
	if k.lock != nil {
		_ = k.lock.Release() // it ends with our process at the latest
		k.lock = nil
		k.held(0)
	}
}

// release ends it, and returns when nothing is held.
func (k *wakefulness) release() {
	if k == nil {
		return
	}
	k.cancel()
	k.wg.Wait()
	k.want(false)
}
