package inhibit

import (
	"errors"
	"os"
)

// Lock keeps the machine awake until it is released. It belongs to its caller, who
// must keep it: one that is forgotten is released at some time.
type Lock struct {
	// pid is the process that holds it, when it is not this one.
	pid int
	// release gives it back; a second time it says os.ErrClosed.
	release func() error
}

// PID is the child that holds the lock; 0 when this process holds it itself.
func (l *Lock) PID() int { return l.pid }

// Release lets the machine sleep again. No lock, and one that was released before,
// need nothing.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	if err := l.release(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
