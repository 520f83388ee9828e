package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
)

const (
	// defaultBusyTimeout is how long a statement waits for another writer.
	defaultBusyTimeout = 5 * time.Second
	// busySlice is how long SQLite itself waits. Nothing interrupts it then,
	// so it is kept short and asked again: see patiently.
	busySlice = 100 * time.Millisecond
	// busyPause lies between two tries, for the locks SQLite does not wait for.
	busyPause = 2 * time.Millisecond
	// longLog is how many pages of the write-ahead log are folded into the file by the
	// writer who makes it that long. Whoever begins it again then syncs it while all others
	// wait, and some disks take a second for that.
	longLog = 4096
)

// Config says which ledger to open.
type Config struct {
	// Path is the database file. It and its directory are created when they
	// are missing; required.
	Path string
	// BusyTimeout is how long a statement waits for another process to give
	// up the write lock; 0 means 5 seconds.
	BusyTimeout time.Duration
}

// Ledger is an open ledger. Its methods may be called from several goroutines;
// they take turns on one connection.
type Ledger struct {
	db   *sql.DB
	path string
	// busy is how long a write waits for another process.
	busy time.Duration
	// file is the database file as it was when it was opened, to notice that
	// another one has taken its place.
	file os.FileInfo
	// log is its write-ahead log, likewise; nil where none was to be seen.
	log      os.FileInfo
	compiled compiled // what it keeps ready
	folding  folding
}

// Open opens the ledger, making or migrating it when needed. The way for a
// ledger that is there and up to date is short: every run takes it.
//
// It fails with ErrTooNew, ErrDamaged or ErrBusy where one of them is the
// reason, and names the file and the way out.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", c.Path, err)
	}
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = defaultBusyTimeout
	}
	l := &Ledger{path: path, busy: c.BusyTimeout}
	err = l.patiently(ctx, func() error { return l.open(ctx) })
	if hasCode(err, codeCantOpen) {
		if err = createFile(path); err == nil {
			err = l.patiently(ctx, func() error { return l.open(ctx) })
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, explain(path, err))
	}
	return l, nil
}

// open connects to a file that must exist and brings its schema up to date.
func (l *Ledger) open(ctx context.Context) error {
	connector, err := sqlite.NewConnector(dsn(l.path, min(l.busy, busySlice)))
	if err != nil {
		return err
	}
	l.db = sql.OpenDB(connector)
	l.db.SetMaxOpenConns(1)
	l.db.SetMaxIdleConns(1)
	if err := l.ready(ctx); err != nil {
		return errors.Join(err, l.db.Close())
	}
	return nil
}

// calm is a context that never ends, and says how long a write may wait for
// others. A deadline would do, at the price of a timer and a goroutine for every
// statement, and of the thread switches they cost; and waiting for other writers
// is all that can take long.
type calm struct {
	context.Context //nolint:containedctx // it is a context

	patience time.Duration
}

// patiently runs fn, and again while another process is in the way, for as long as
// the ledger waits, or less if the context says so, and the context lasts. What
// SQLite itself waits counts: no slice is begun of which less than half is left.
func (l *Ledger) patiently(ctx context.Context, fn func() error) error {
	wait := l.busy
	if c, ok := ctx.(calm); ok {
		wait = min(wait, c.patience)
	}
	giveUp := time.NewTimer(wait - min(l.busy, busySlice)/2)
	defer giveUp.Stop()
	err := fn()
	if !inTheWay(err) {
		return err
	}
	again := time.NewTicker(busyPause)
	defer again.Stop()
	for inTheWay(err) {
		// First of all: of several that are ready select takes any.
		select {
		case <-giveUp.C:
			return err
		default:
		}
		select {
		case <-giveUp.C:
			return err
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-again.C:
			if ctx.Err() != nil {
				return errors.Join(err, ctx.Err())
			}
			err = fn()
		}
	}
	return err
}

// ready checks the version, migrates if it must, and remembers the file.
func (l *Ledger) ready(ctx context.Context) error {
	var version int
	if err := l.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version != schemaVersion {
		if err := l.migrate(ctx, version); err != nil {
			return err
		}
	}
	info, err := os.Stat(l.path)
	l.file = info
	l.log, _ = os.Stat(l.path + "-wal") // without it there is nothing to compare
	return err
}

// dsn asks for an existing file: SQLite itself would create it readable by
// everybody. The pragmas are those that live with a connection; the journal
// mode lives in the file and is set once, when it is made.
func dsn(path string, busy time.Duration) string {
	escaped := escapePath(path)
	return "file:" + escaped + "?mode=rw&_txlock=immediate&_dqs=0" +
		"&_pragma=busy_timeout(" + strconv.FormatInt(busy.Milliseconds(), 10) + ")" +
		"&_pragma=foreign_keys(1)&_pragma=synchronous(1)&_pragma=wal_autocheckpoint(" + strconv.Itoa(longLog) + ")"
}

// createFile makes an empty database file only its owner can read, and its
// directory; one that is there, made by another process or somebody else, is
// left as it is. SQLite gives the files it puts beside it the same mode.
func createFile(path string) error {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		// What SQLite kept beside a file that is gone is no part of this one: it would be
		// taken for it by whoever finds it, and by those who have it open still.
		log, index := os.Rename(path+"-wal", path+"-wal.old"), os.Remove(path+"-shm")
		for _, err := range []error{log, index} {
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// lockDir keeps everybody else from making a file in a directory of ours meanwhile.
func lockDir(dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// Path is the absolute path of the database file.
func (l *Ledger) Path() string { return l.path }

// Close releases the ledger. The last process to close it folds the write-ahead
// log into the file; a process that is about to exit may leave that to others
// and not close at all: nothing committed is lost. Where another log has taken the
// place of the opened one it fails, and the ledger stays open: see errLogTaken.
//
//nolint:contextcheck,nolintlint // nothing here waits, and closing is not to be called off
func (l *Ledger) Close() error {
	if over := l.folding.done(); over != nil {
		<-over // the last close is to be ours
	}
	if l.logTaken() {
		return fmt.Errorf("close ledger %s: %w", l.path, errLogTaken)
	}
	// The last close removes the log by its name, which may by now belong to
	// the file that took this one's place.
	now, err := l.now()
	if now == nil {
		err = errors.Join(err, l.keepLog())
	}
	if err := errors.Join(err, l.db.Close(), l.folding.close()); err != nil {
		return fmt.Errorf("close ledger %s: %w", l.path, err)
	}
	return nil
}

// keepLog makes the connection leave the write-ahead log where it is.
func (l *Ledger) keepLog() error {
	conn, err := l.db.Conn(context.Background())
	if err != nil {
		return err
	}
	err = conn.Raw(func(driver any) error {
		control, ok := driver.(sqlite.FileControl)
		if !ok {
			return errors.New("driver has no file control")
		}
		_, err := control.FileControlPersistWAL("main", 1)
		return err
	})
	return errors.Join(err, conn.Close())
}

// Check reads the whole ledger and says whether its pages and rules are intact.
// It takes long for a large ledger and holds up no writer.
func Check(ctx context.Context, path string) error {
	l, err := Open(ctx, Config{Path: path})
	if err != nil {
		return err
	}
	return errors.Join(l.check(ctx), l.Close())
}

// check runs the integrity check; its answer is one row "ok" or the findings.
func (l *Ledger) check(ctx context.Context) error {
	var answer string
	if err := l.db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&answer); err != nil {
		return fmt.Errorf("check ledger %s: %w", l.path, explain(l.path, err))
	}
	if answer != "ok" {
		return fmt.Errorf("check ledger %s: %w", l.path, damaged(l.path, answer))
	}
	return nil
}
