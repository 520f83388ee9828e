package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// ErrNotExamined says that a ledger cannot be looked into without writing beside
// it: its write-ahead log has lost its index. Opening it makes a new one.
var ErrNotExamined = errors.New("write-ahead log without an index")

// Integrity is what a check of the pages and rules of a ledger found.
type Integrity int

// The results of a check. The zero value is no result.
const (
	// IntegrityUnknown: the check did not end in time, or was not made.
	IntegrityUnknown Integrity = iota
	// IntegrityIntact: nothing is wrong.
	IntegrityIntact
	// IntegrityBroken: something is, and Examination.Broken says what.
	IntegrityBroken
)

// Examination is what a look at a ledger from outside tells. Counts are -1 when
// they could not be had in time.
type Examination struct {
	// Schema is the version of the ledger, 0 of one that is still empty; Known is
	// the last version this program knows.
	Schema, Known int
	// Bytes and LogBytes are the sizes of the file and of its write-ahead log.
	Bytes, LogBytes int64
	// Pages is how many pages the file has, FreePages how many of them are unused.
	Pages, FreePages int64
	// Executions counts the runs, OpenExecutions those that have not ended, and
	// DegradedExecutions those since the moment asked for that were recorded
	// outside of the ledger for a while.
	Executions, OpenExecutions, DegradedExecutions int64
	// Workflows and Events count the others.
	Workflows, Events int64
	Integrity         Integrity
	// Broken is the first thing the check found, empty without one.
	Broken string
}

// examineTries bounds how often a look is repeated because somebody began to write
// to a ledger that nobody had open.
const examineTries = 3

// Examine looks at the ledger at path and leaves everything as it is: it makes no
// file, migrates nothing and takes in nothing. sinceMS is wall time, for what is
// counted of late. What ctx leaves no time for is left out and is no error.
//
// The error is fs.ErrNotExist without a ledger, ErrNotExamined, ErrDamaged or
// ErrBusy where one of them is the reason.
func Examine(ctx context.Context, path string, sinceMS int64) (e Examination, err error) {
	for range examineTries {
		var again bool
		if e, again, err = examineOnce(ctx, path, sinceMS); !again {
			break
		}
	}
	if err != nil {
		return e, fmt.Errorf("examine ledger %s: %w", path, explain(path, err))
	}
	return e, nil
}

// examineOnce looks once. again says that what was seen may be torn.
func examineOnce(ctx context.Context, path string, sinceMS int64) (e Examination, again bool, err error) {
	e = Examination{
		Known: schemaVersion, Pages: -1, FreePages: -1, Executions: -1, OpenExecutions: -1, DegradedExecutions: -1, Workflows: -1, Events: -1,
	}
	before, err := os.Stat(path)
	if err != nil {
		return e, false, err
	}
	if !before.Mode().IsRegular() {
		return e, false, errors.New("it is no regular file") // to open a pipe would wait for its other end
	}
	e.Bytes, e.LogBytes = before.Size(), sizeOf(path+"-wal")
	way, err := quietWay(path, e.LogBytes)
	if err != nil {
		return e, false, err
	}
	connector, err := sqlite.NewConnector("file:" + escapePath(path) + way)
	if err != nil {
		return e, false, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	err = errors.Join(e.read(ctx, db, sinceMS), db.Close())
	after, gone := os.Stat(path)
	moved := gone != nil || !after.ModTime().Equal(before.ModTime()) || sizeOf(path+"-wal") > 0
	return e, way == wayAlone && moved, err
}

// Ways to open a ledger that touch nothing.
const (
	// wayAlone takes no lock, which is right as long as nobody has it open.
	wayAlone = "?mode=ro&immutable=1"
	// wayBeside reads the log through an index that others keep.
	wayBeside = "?mode=ro&readonly_shm=1&_pragma=query_only(1)"
	// wayJournal is for a ledger without a write-ahead log.
	wayJournal = "?mode=ro&_pragma=query_only(1)"
)

// quietWay chooses the way. Other ways to read a ledger with a write-ahead log make
// files beside it when there are none.
func quietWay(path string, logBytes int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	header := make([]byte, 20)
	if _, err := io.ReadFull(f, header); err == nil && header[18] == 1 && header[19] == 1 {
		return wayJournal, nil
	}
	if logBytes <= 0 {
		return wayAlone, nil
	}
	if _, err := os.Stat(path + "-shm"); err != nil {
		return "", ErrNotExamined
	}
	return wayBeside, nil
}

// escapePath is a path as a part of a URI.
func escapePath(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
}

// sizeOf is the size of a file, 0 without one.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// read asks for the version first: of a ledger of another one little can be said.
func (e *Examination) read(ctx context.Context, db *sql.DB, sinceMS int64) error {
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&e.Schema); err != nil {
		return err
	}
	counts := []struct {
		into  *int64
		query string
	}{
		{&e.Pages, "PRAGMA page_count"},
		{&e.FreePages, "PRAGMA freelist_count"},
		{&e.Executions, "SELECT count(*) FROM executions"},
		{&e.OpenExecutions, "SELECT count(*) FROM executions WHERE ended_at IS NULL"},
		{&e.DegradedExecutions, "SELECT count(*) FROM executions WHERE created_at >= ?1 AND degraded = 1"},
		{&e.Workflows, "SELECT count(*) FROM workflows"},
		{&e.Events, "SELECT count(*) FROM events"},
	}
	if e.Schema == 0 {
		counts = counts[:2] // there are no tables yet
	}
	for _, c := range counts {
		var args []any
		if strings.Contains(c.query, "?1") {
			args = []any{sinceMS}
		}
		err := db.QueryRowContext(ctx, c.query, args...).Scan(c.into)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // there was no time for more
		}
		if err != nil {
			return err
		}
	}
	return e.check(ctx, db)
}

// check reads all pages, for as long as there is time.
func (e *Examination) check(ctx context.Context, db *sql.DB) error {
	var answer string
	err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&answer)
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // there was no time for it
	case err != nil:
		return err
	case answer == "ok":
		e.Integrity = IntegrityIntact
	default:
		e.Integrity, e.Broken = IntegrityBroken, answer
	}
	return nil
}

// Remote says whether the ledger at path lies, or would lie, on a network file
// system: there it does without a write-ahead log, and the locks that prove a
// wrapper alive depend on the server. Of directories that do not exist yet the
// nearest one that does is asked.
func Remote(path string) (bool, error) {
	dir := filepath.Dir(path)
	for {
		remote, err := onRemoteFilesystem(dir)
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return remote, err
		}
		dir = filepath.Dir(dir)
	}
}

// Hold takes the lock that every writer needs, and keeps it until letGo is called:
// writers wait meanwhile, and readers do not. The ledger itself cannot be used until
// then.
func (l *Ledger) Hold(ctx context.Context) (letGo func() error, err error) {
	var tx *sql.Tx
	err = l.patiently(ctx, func() (err error) {
		tx, err = l.db.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return nil, l.failed("hold", l.path, err)
	}
	return tx.Rollback, nil
}
