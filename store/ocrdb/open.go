package ocrdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
)

const (
	// patience is how long a call waits for other programs, all its tries
	// together.
	patience = 5 * time.Second
	// busySlice is how long SQLite itself waits at a time: nothing interrupts it.
	busySlice = 100 * time.Millisecond
	// pause lies between two tries.
	pause = 3 * time.Millisecond
)

// view runs fn on a consistent state of the database and changes nothing. A
// file of the rename era is opened as the unchanging file it is: SQLite would
// leave a log and its memory beside one whose header asks for them.
func (h Host) view(ctx context.Context, fn func(context.Context, queryer, schema) error) error {
	return bounded(ctx, func(ctx context.Context) error { return h.tryView(ctx, fn) })
}

// tryView is view within a bound of time.
func (h Host) tryView(ctx context.Context, fn func(context.Context, queryer, schema) error) error {
	return patiently(ctx, func() error {
		native, err := h.peek(ctx, fn)
		if !native {
			return err
		}
		return h.connected("&_pragma=query_only(1)", func(db *sql.DB) error {
			// One read transaction: all of fn sees the same moment.
			tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
			if err != nil {
				return err
			}
			defer tx.Rollback() //nolint:errcheck // nothing was changed
			s, err := schemaOf(ctx, tx)
			if err != nil {
				return err
			}
			return fn(ctx, tx, s)
		})
	})
}

// peek opens the file as one that does not change and runs fn on it, or says
// that it must be opened natively for that.
func (h Host) peek(ctx context.Context, fn func(context.Context, queryer, schema) error) (native bool, err error) {
	base, err := openBase(h.Path, os.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer base.Close() //nolint:errcheck // only read
	if err := base.holdStill(); err != nil {
		return false, err
	}
	connector, err := sqlite.NewConnector(dsn(h.Path, "mode=ro&immutable=1"))
	if err != nil {
		return false, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	s, err := schemaOf(ctx, db)
	switch {
	case err != nil:
		return hasSidecar(h.Path), err
	case s.version > lastRenameEra || base.liveSidecar():
		return true, nil
	case fn == nil:
		return false, nil
	}
	return false, fn(ctx, db, s)
}

// change runs fn in one write transaction. fn says whether it changed anything;
// it may run several times, each time on the state it is to be judged by.
func (h Host) change(ctx context.Context, fn changer) error {
	return bounded(ctx, func(ctx context.Context) error { return h.tryChange(ctx, fn) })
}

// tryChange is change within a bound of time.
func (h Host) tryChange(ctx context.Context, fn changer) error {
	return patiently(ctx, func() error {
		native, err := h.peek(ctx, nil)
		switch {
		case err != nil && !native:
			return err
		case native:
			return h.changeNative(ctx, fn)
		default:
			err := h.changeImage(ctx, fn)
			if errors.Is(err, errNotAlone) {
				return errors.Join(errContended, err)
			}
			return err
		}
	})
}

// changer is one write: it decides on what it sees and says whether it changed
// anything.
type changer func(context.Context, *sql.Tx, schema) (bool, error)

// run puts a changer in front of a transaction, unless the schema forbids it or
// is newer than this way of writing is for.
func (fn changer) run(ctx context.Context, tx *sql.Tx, newest int) (bool, error) {
	s, err := schemaOf(ctx, tx)
	if err != nil {
		return false, err
	}
	if s.version > newest {
		return false, errNotAlone
	}
	if err := s.writable(); err != nil {
		return false, err
	}
	return fn(ctx, tx, s)
}

// changeNative writes through SQLite itself, in whatever journal mode the file
// is. The write lock is held for the few statements of fn. Nothing is folded
// in on the way; the last one to close does that, as the product does.
func (h Host) changeNative(ctx context.Context, fn changer) error {
	return h.connected("&_txlock=immediate&_pragma=wal_autocheckpoint(0)", func(db *sql.DB) error {
		if err := settle(ctx, db, h.Path); err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		changed, err := fn.run(ctx, tx, math.MaxInt)
		if err != nil || !changed {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
}

// connected lends out a native connection to the file, which must exist.
func (h Host) connected(options string, fn func(*sql.DB) error) (err error) {
	busy := strconv.FormatInt(busySlice.Milliseconds(), 10)
	connector, err := sqlite.NewConnector(dsn(h.Path, "mode=rw&_dqs=0&_pragma=busy_timeout("+busy+")&_pragma=foreign_keys(1)&_pragma=synchronous(1)"+options))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(db)
}

// dsn names an existing database file.
func dsn(path, options string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + options
}

// patiently runs fn again while another program is in the way, for as long as
// the context lasts.
func patiently(ctx context.Context, fn func() error) error {
	err := fn()
	if !inTheWay(err) {
		return err
	}
	again := time.NewTicker(pause)
	defer again.Stop()
	for inTheWay(err) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-again.C:
			err = fn()
		}
	}
	return err
}

// bounded runs fn for as long as we wait in all. What it was interrupted in then
// says nothing; that others were in the way does.
func bounded(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrBusy)
	defer cancel()
	err := fn(ctx)
	if err != nil && errors.Is(context.Cause(ctx), ErrBusy) && !errors.Is(err, ErrBusy) {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}
