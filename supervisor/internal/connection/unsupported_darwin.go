package connection

import (
	"errors"
	"fmt"
	"time"
)

// names is empty here: the system names no sockets to strangers.
type names struct{}

// Take cannot see the connections of other processes here.
func Take(_ []int, at time.Duration) (Look, error) {
	return Look{At: at}, fmt.Errorf("list connections: %w", errors.ErrUnsupported)
}

// Shut cannot reach into another process here.
func Shut(s Socket) (Act, error) {
	return Nothing, fmt.Errorf("shut connection to %s of process %d: %w", s.Peer, s.PID, errors.ErrUnsupported)
}

// Ask cannot reach into another process here.
func Ask(s Socket) (undo func() error, err error) {
	return nil, fmt.Errorf("ask %s for process %d: %w", s.Peer, s.PID, errors.ErrUnsupported)
}
