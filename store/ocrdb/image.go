package ocrdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
)

// errContended says that the file changed between our reading it and our
// putting a new one in its place.
var errContended = errors.New("file changed meanwhile")

// tempPattern names a file that is about to become the database, to make one
// and to find one that a killed process left behind.
const tempPattern = dbName + ".ocr-run-*.tmp"

// Bytes of a SQLite file header.
const (
	headerSize  = 100
	writeFormat = 18 // 1 is a rollback journal, 2 a write-ahead log
	readFormat  = 19
	legacy      = 1
)

// changeImage writes as the programs of the rename era do: it takes the whole
// file into memory, changes it there and exchanges the file for a new one. They
// read without any lock, so that a page changed in place could reach them half
// written, and they replace the file, so that a journal beside it could be
// played back into another one than it was written for. Unlike them it looks,
// in the moment of the exchange, whether the file is still the one it read,
// and starts again if not: no write of another program is ever lost to ours.
//
// The programs of ours go one after the other, and the one whose turn it is
// tries until it is through.
func (h Host) changeImage(ctx context.Context, fn changer) (err error) {
	path, err := filepath.EvalSymlinks(h.Path)
	if err != nil {
		return err
	}
	turn, err := takeTurn(ctx, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, turn.Close()) }()
	for sync := true; ; sync = false {
		err = inMemory(ctx, func(memory *sql.Conn) error { return tryImage(ctx, path, memory, fn, sync) })
		if !errors.Is(err, errContended) || ctx.Err() != nil {
			return err
		}
	}
}

// errNotAlone says that somebody has opened the file in SQLite meanwhile, or
// has made it one that is written natively.
var errNotAlone = errors.New("file is in use")

// inMemory lends out a database in memory. It serves one content only: SQLite
// keeps what it knows of the first one's tables.
func inMemory(ctx context.Context, fn func(*sql.Conn) error) (err error) {
	connector, err := sqlite.NewConnector("file::memory:?_dqs=0&_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	memory, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, memory.Close()) }()
	return fn(memory)
}

// tryImage is one try on the file as it is now. Everything that takes time and
// needs no look at the file comes before the look. A new file reaches the disk
// before it is put in its place, so that after a power cut there is one of the
// two; but where others replace the file faster than that, which they do without
// ever waiting for the disk, it follows right after.
func tryImage(ctx context.Context, path string, memory *sql.Conn, fn changer, sync bool) (err error) {
	base, err := openBase(path, os.O_RDWR)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.Close()) }()
	if base.liveSidecar() {
		return errNotAlone
	}
	content, err := base.content()
	if err != nil {
		return err
	}
	after, err := edit(ctx, memory, content, fn)
	if err != nil || after == nil {
		return err
	}
	return replace(path, base, after, sync)
}

// edit runs fn on a database in memory and returns its new content, nil when
// nothing changed. The result never asks for a write-ahead log.
func edit(ctx context.Context, memory *sql.Conn, content []byte, fn changer) (after []byte, err error) {
	if len(content) < headerSize {
		return nil, fmt.Errorf("%w: %d bytes are no database", ErrUnreadable, len(content))
	}
	content[writeFormat], content[readFormat] = legacy, legacy
	if err := memory.Raw(func(c any) error { return c.(image).Deserialize(content) }); err != nil {
		return nil, err
	}
	tx, err := memory.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	changed, err := fn.run(ctx, tx, lastRenameEra)
	if err != nil || !changed {
		return nil, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	err = memory.Raw(func(c any) error {
		after, err = c.(image).Serialize()
		return err
	})
	return after, err
}

// image is a driver connection whose whole content can be taken and given.
type image interface {
	Serialize() ([]byte, error)
	Deserialize(content []byte) error
}

// replace puts a new file in the place of the one that base is, or fails with
// errContended and leaves everything as it was. Only the exchange itself
// happens under a lock.
func replace(path string, base *baseFile, content []byte, sync bool) (err error) {
	next, err := writeTemp(filepath.Dir(path), base.info, content)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, next.Close(), os.Remove(next.Name())) }()
	if sync {
		if err := next.Sync(); err != nil {
			return err
		}
	}
	if err := base.shutOut(); err != nil {
		return err
	}
	if base.changed() {
		return errContended
	}
	if err := exchangeFor(base.info, next.Name(), path); err != nil || sync {
		return err
	}
	return next.Sync()
}

// writeTemp writes a file with the owner and mode of the one it is to replace.
func writeTemp(dir string, like os.FileInfo, content []byte) (*os.File, error) {
	f, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return nil, err
	}
	giveTo(f, like)
	if err = f.Chmod(like.Mode().Perm()); err == nil {
		_, err = f.Write(content)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// exchangeFor swaps the file at next with the one at path, provided that this
// is base; else it puts everything back. Between our look and the swap another
// program may have put its own file there; it comes out at next, goes back, and
// whatever was put there meanwhile comes out in turn: the newest stays.
func exchangeFor(base os.FileInfo, next, path string) error {
	want := base
	for tries := 0; ; tries++ {
		placed, err := os.Lstat(next)
		if err != nil {
			return err
		}
		if err := exchange(next, path); err != nil {
			return err
		}
		got, err := os.Lstat(next)
		switch {
		case err != nil:
			return err
		case os.SameFile(got, want) && tries == 0:
			return nil
		case os.SameFile(got, want):
			return errContended
		}
		want = placed
	}
}

// content reads the whole file while no program writes in place.
func (b *baseFile) content() ([]byte, error) {
	if err := b.holdStill(); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.NewSectionReader(b.File, 0, b.info.Size()))
	b.header = append([]byte(nil), content[:min(len(content), headerSize)]...)
	return content, errors.Join(err, b.release())
}
