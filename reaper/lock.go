package reaper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/reaper/proc"
)

// lockName is the file that the one sweep of a ledger that may signal holds.
const lockName = "reap.lock"

// ErrHeld says that another process is sweeping this ledger; see HeldError.
var ErrHeld = errors.New("another sweep is under way")

// HeldError names the process that is sweeping. It wraps ErrHeld.
type HeldError struct {
	// PID is its process id, 0 when it could not be told.
	PID int
}

// Error names the process.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return ErrHeld.Error()
	}
	return fmt.Sprintf("%s: process %d", ErrHeld, e.PID)
}

// Unwrap makes errors.Is(err, ErrHeld) hold.
func (e *HeldError) Unwrap() error { return ErrHeld }

// holder is what the lock file says about who holds it.
type holder struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

// Lock makes the caller the only one to sweep the ledger of a state directory,
// until it lets go or dies. It does not wait: the error is a *HeldError.
func Lock(stateDir string) (unlock func() error, err error) {
	path := filepath.Join(stateDir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = &HeldError{PID: whoHolds(f)}
	}
	if err == nil {
		_ = f.Chmod(0o600) // a umask may have taken from it what the next one opens it with
		err = sign(f)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, errors.Join(err, f.Close()))
	}
	// Who lets go takes his name away: he may live on. The lock is given up by name, for
	// a child that is being started has a copy, which would keep it.
	return func() error {
		return errors.Join(f.Truncate(0), unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close())
	}, nil
}

// underWay says whether a sweep of a state directory has signed, and lives. It asks
// for no lock, which would be in the way of somebody who wants it.
func underWay(stateDir string) bool {
	f, err := os.Open(filepath.Join(stateDir, lockName))
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return whoHolds(f) != 0
}

// sign writes down who holds the lock. The file stays when it is let go: removing
// it would let two processes lock two files of one name.
func sign(f *os.File) error {
	self, err := proc.Self()
	if err != nil {
		return err
	}
	b, err := json.Marshal(holder{PID: self.PID, Start: self.Start})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	return err
}

// whoHolds is the process that signed the file, if it lives; 0 otherwise: who
// took the lock a moment ago has not signed yet.
func whoHolds(f *os.File) int {
	var h holder
	b, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil || json.Unmarshal(b, &h) != nil || !proc.Alive(h.PID, h.Start) {
		return 0
	}
	return h.PID
}
