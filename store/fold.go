package store

import (
	"context"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// shortLog is how many pages the write-ahead log may have for who is alone with it.
	// The first to open a ledger after all others have gone reads the whole log: 3 µs a
	// page, while its command waits to be launched. Folding takes a sync or two, which
	// few shall wait for: a short run writes some ten pages.
	shortLog = 64
	// aliveByte is the byte of the log's index that everybody who has the ledger open
	// holds a shared lock of. Source: UNIX_SHM_DMS in SQLite's os_unix.c.
	aliveByte = 128
)

// fold moves what a log that is not short holds into the file, so that the next to
// write begins it again. Where others have the ledger open it is left to them: then
// nobody reads the log, and all wait while it is begun again.
func (l *Ledger) fold(ctx context.Context) error {
	var busy, pages, folded int
	// Asks only. Without a log the numbers are -1.
	err := l.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &pages, &folded)
	if err != nil || pages < shortLog || l.index.shared(l.path) {
		return err
	}
	_, err = l.db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return err
}

// logIndex is a look at the index of the log, through a descriptor of its own. The zero
// value has none.
//
// It is closed after the ledger: closing any descriptor of a file gives up every lock
// the process has of it, SQLite's included.
type logIndex struct {
	mu   sync.Mutex
	file *os.File
}

// shared says whether another process has the ledger open, or cannot tell.
func (x *logIndex) shared(ledger string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.file == nil {
		f, err := os.OpenFile(ledger+"-shm", os.O_RDWR, 0)
		if err != nil {
			return true
		}
		x.file = f
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: aliveByte, Len: 1}
	return unix.FcntlFlock(x.file.Fd(), unix.F_GETLK, &lock) != nil || lock.Type != unix.F_UNLCK
}

// close gives the descriptor up.
func (x *logIndex) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.file == nil {
		return nil
	}
	return x.file.Close()
}
