package ocrdb

import (
	"errors"
	"fmt"
	"slices"

	"modernc.org/sqlite"
)

// Sentinel errors. Every error of this package names the file and the reason,
// and wraps one of these where a caller can act on it.
var (
	// ErrUnreadable: the file is no database of the product, is damaged, or may
	// not be read. What it says about a workflow is unknown.
	ErrUnreadable = errors.New("unreadable")
	// ErrBusy: other programs held the database for as long as we wait.
	ErrBusy = errors.New("database busy")
	// ErrTooNew: a later product than we know wrote the schema; it is only read.
	ErrTooNew = errors.New("schema too new to write")
	// ErrTooOld: the schema has no place for a uid (before 9); it is only read.
	ErrTooOld = errors.New("schema too old to write")
	// ErrForeign: the uid names a row that another program made.
	ErrForeign = errors.New("row of another program")
	// ErrNotStanding: a row was written, and another program's copy of the file
	// took its place. Writing it again is the answer.
	ErrNotStanding = errors.New("write did not stand")
)

// Primary result codes of SQLite.
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadonly = 8
	codeCorrupt  = 11
	codeCantOpen = 14
	codeNotADB   = 26
)

// extReadonlyMoved is what SQLite says when the file it opened has been
// replaced by another one.
const extReadonlyMoved = 1032

// hasCode says whether err is the database's, with one of these primary codes.
func hasCode(err error, codes ...int) bool {
	serr, ok := errors.AsType[*sqlite.Error](err)
	return ok && slices.Contains(codes, serr.Code()&0xff)
}

// inTheWay says whether err only means that another program was there first.
func inTheWay(err error) bool {
	serr, ok := errors.AsType[*sqlite.Error](err)
	return errors.Is(err, errContended) || hasCode(err, codeBusy, codeLocked) ||
		ok && serr.Code() == extReadonlyMoved
}

// refused says whether a write was answered with a no that stays one.
func refused(err error) bool {
	return errors.Is(err, ErrTooNew) || errors.Is(err, ErrTooOld) || errors.Is(err, ErrForeign) || errors.Is(err, ErrUnreadable)
}

// failed names the file and turns what the database says into one of this
// package's errors, where one fits.
func (h Host) failed(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case inTheWay(err):
		err = fmt.Errorf("%w: %w", ErrBusy, err)
	case hasCode(err, codeCorrupt, codeNotADB, codeCantOpen, codePerm):
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return fmt.Errorf("%s in %s: %w", what, h.Path, err)
}
