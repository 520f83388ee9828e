package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"modernc.org/sqlite"
)

// Primary result codes of SQLite that callers can act on.
const (
	codeBusy       = 5
	codeLocked     = 6
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeConstraint = 19
	codeNotADB     = 26
	// codeNoRoomForIndex is an extended code: the index of the write-ahead log, which
	// readers need too, cannot be made as large as it has to be.
	codeNoRoomForIndex = 10 | 19<<8
)

// explain turns what the database says into one of this package's errors, where
// one fits, and keeps the original text.
func explain(path string, err error) error {
	serr, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	if serr.Code() == codeNoRoomForIndex {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	switch serr.Code() & 0xff {
	case codeBusy, codeLocked:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case codeCorrupt, codeNotADB:
		return damaged(path, serr.Error())
	case codeConstraint:
		return fmt.Errorf("%w: %w", ErrInvariant, err)
	case codeFull:
		return fmt.Errorf("%w: %w", ErrFull, err)
	default:
		return err
	}
}

// hasCode says whether err is the database's, with one of these primary codes.
func hasCode(err error, codes ...int) bool {
	serr, ok := errors.AsType[*sqlite.Error](err)
	return ok && slices.Contains(codes, serr.Code()&0xff)
}

// inTheWay says whether err is that another process holds what is needed: the ledger,
// or the spool.
func inTheWay(err error) bool {
	return errors.Is(err, ErrBusy) || hasCode(err, codeBusy, codeLocked)
}

// damaged says what is wrong with the file and how to go on without it.
func damaged(path, reason string) error {
	return fmt.Errorf("%w: %s; move it aside and a new one will be made: %s", ErrDamaged, reason, moveAside(path))
}

// moveAside is the shell command that takes a ledger out of the way, together
// with the log that belongs to it.
func moveAside(path string) string {
	var moves []string
	for _, suffix := range []string{"", "-wal"} {
		if _, err := os.Lstat(path + suffix); suffix == "" || !errors.Is(err, fs.ErrNotExist) {
			moves = append(moves, "mv "+quote(path+suffix)+" "+quote(path+".damaged"+suffix))
		}
	}
	return strings.Join(moves, "; ") // the log may be gone by then
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// refusal says whether err is a verdict on the fact that was to be written, and
// not trouble with the file: writing the same again would end the same.
func refusal(err error) bool {
	return errors.Is(err, ErrFenced) || errors.Is(err, ErrConflict) ||
		errors.Is(err, ErrInvariant) || errors.Is(err, ErrNotFound)
}
