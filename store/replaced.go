package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errLogTaken is why a ledger can be neither closed nor opened again by this process. The
// last to close it would fold the log it has open, which nobody else can see any more, into
// a file to which the new log belongs by now; and two connections of a process to one file
// have the index of one log.
var errLogTaken = errors.New("its write-ahead log was removed, and another process has begun a new one")

// Replaced says whether another file, or none, is where the opened one or its write-ahead
// log was, or the file was emptied. What is written from then on goes to a file nobody will
// read: close the ledger and open it again. When nobody else has it open closing saves what
// a log that was removed holds.
func (l *Ledger) Replaced() (bool, error) {
	now, err := l.now()
	if now == nil || err != nil {
		return err == nil, err
	}
	there, ours := l.logNow()
	// Whoever opens an empty file next throws its log away.
	emptied := now.Size() == 0 && l.file.Size() > 0
	return emptied || !there || !ours, nil
}

// now is the opened file as it is now; nil when another one, or none, is in its place.
func (l *Ledger) now() (os.FileInfo, error) {
	now, err := os.Stat(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil //nolint:nilnil // none is an answer
	case err != nil:
		return nil, fmt.Errorf("look at ledger %s: %w", l.path, err)
	case !os.SameFile(l.file, now):
		return nil, nil //nolint:nilnil // it is gone all the same
	default:
		return now, nil
	}
}

// logTaken says whether the file is the one that was opened, and its log another one.
func (l *Ledger) logTaken() bool {
	now, err := l.now()
	there, ours := l.logNow()
	return now != nil && err == nil && there && !ours
}

// logNow says whether there is a log now, and whether it is the one that was opened. One
// that cannot be looked at, or could not then, is taken for that.
func (l *Ledger) logNow() (there, ours bool) {
	if l.log == nil {
		return true, true
	}
	now, err := os.Stat(l.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return false, false
	}
	return true, err != nil || os.SameFile(l.log, now)
}
