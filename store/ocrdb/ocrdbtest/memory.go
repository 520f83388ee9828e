package ocrdbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// Bytes of a SQLite file header, and what they hold without a write-ahead log.
const (
	writeFormat = 18
	readFormat  = 19
	legacy      = 1
)

// image is a driver connection whose whole content can be taken and given.
type image interface {
	Serialize() ([]byte, error)
	Deserialize(content []byte) error
}

// doInMemory runs fn on the file's content in memory and puts a new file in its
// place.
func (p Product) doInMemory(ctx context.Context, fn func(*sql.Tx) error) error {
	content, err := os.ReadFile(p.Path)
	if err != nil {
		return err
	}
	after, err := changed(ctx, content, fn)
	if err != nil {
		return err
	}
	return p.Replace(after)
}

// Replace renames a file with this content over the database, as a program does that
// saves what it has in memory.
func (p Product) Replace(content []byte) error {
	next := fmt.Sprintf("%s.%d.tmp", p.Path, os.Getpid())
	if err := os.WriteFile(next, content, 0o644); err != nil { //nolint:gosec // as the product makes it
		return err
	}
	return os.Rename(next, p.Path)
}

// changed is the content of a database after fn.
func changed(ctx context.Context, content []byte, fn func(*sql.Tx) error) (after []byte, err error) {
	db, err := sql.Open("sqlite", "file::memory:?_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	content[writeFormat], content[readFormat] = legacy, legacy
	raw := func(do func(image) error) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		return errors.Join(conn.Raw(func(c any) error { return do(c.(image)) }), conn.Close())
	}
	if err := raw(func(m image) error { return m.Deserialize(content) }); err != nil {
		return nil, err
	}
	if err := inOne(ctx, db, fn); err != nil {
		return nil, err
	}
	err = raw(func(m image) error {
		after, err = m.Serialize()
		return err
	})
	return after, err
}
