package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
)

const (
	// shortLog is how many pages the write-ahead log may have for who is alone with it.
	// The first to open a ledger after all others have gone reads the whole log: 3 µs a
	// page, while its command waits to be launched. Folding takes two syncs, and beginning
	// the log again a third: few shall have them, and a short run writes some ten pages.
	shortLog = 128
	// foldWait is how long the end of a short run waits for the folding, so that its write
	// begins the log again: a disk of usual speed takes a few milliseconds.
	foldWait = 20 * time.Millisecond
	// foldTries is how often what has been written meanwhile is folded as well: no log is
	// begun again before all of it is.
	foldTries = 3
	// aliveByte is the byte of the log's index that everybody who has the ledger open
	// holds a shared lock of. Source: UNIX_SHM_DMS in SQLite's os_unix.c.
	aliveByte = 128
)

// folding is the move of what a long log holds into the file, at most one for each time a
// ledger is open. The zero value has not begun.
type folding struct {
	mu sync.Mutex
	// index is the log's index, to see through it who else has the ledger open. It is
	// closed after the ledger, and no other Ledger of the process may have the same file
	// open then: closing any descriptor of a file gives up every lock the process has of
	// it, SQLite's included.
	index *os.File
	over  chan struct{} // closed when it is over; nil before it has begun
}

// fold begins to move what a log that is not short holds into the file, so that the next
// to write begins it again. Where others have the ledger open it is left to them: then
// nobody reads the log, and all wait while it is begun again.
func (l *Ledger) fold(ctx context.Context) error {
	var busy, pages, folded int
	// Asks only. Without a log the numbers are -1.
	err := l.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &pages, &folded)
	if err != nil || pages < shortLog {
		return err
	}
	if replaced, err := l.Replaced(); replaced || err != nil {
		return err
	}
	l.folding.mu.Lock()
	defer l.folding.mu.Unlock()
	if l.folding.over != nil || l.shared() {
		return nil
	}
	l.folding.over = make(chan struct{})
	go func() {
		defer close(l.folding.over)
		_ = l.checkpoint(context.WithoutCancel(ctx)) // what is not folded now is later
	}()
	return nil
}

// shared says whether another process has the ledger open, or cannot tell.
func (l *Ledger) shared() bool {
	f, err := os.OpenFile(l.path+"-shm", os.O_RDWR, 0)
	if err != nil {
		return true
	}
	l.folding.index = f
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: aliveByte, Len: 1}
	return unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock) != nil || lock.Type != unix.F_UNLCK
}

// checkpoint folds, on a connection of its own: who writes meanwhile need not wait for
// the disk. Being killed over it loses nothing.
func (l *Ledger) checkpoint(ctx context.Context) error {
	connector, err := sqlite.NewConnector(dsn(l.path, busySlice))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	pages, folded := 1, 0
	for try := 0; try < foldTries && err == nil && folded < pages; try++ {
		var busy int
		err = db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &folded)
	}
	return errors.Join(err, db.Close())
}

// done is closed when a folding that has begun is over; nil if none has.
func (f *folding) done() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

// await waits until a folding that has begun is over, or the time is.
func (f *folding) await(limit time.Duration) {
	over := f.done()
	if over == nil {
		return
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-over:
	case <-t.C:
	}
}

// close gives the index up.
func (f *folding) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index == nil {
		return nil
	}
	return f.index.Close()
}
