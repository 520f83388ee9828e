package ocrdbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// Product is the product in one project.
type Product struct {
	// Path is its database file.
	Path string
}

// In is the product in the project at root.
func In(root string) Product { return Product{filepath.Join(root, ".ocr", "data", "ocr.db")} }

// Install gives the project a copy of a database.
func (p Product) Install(fixture string) error {
	content, err := os.ReadFile(fixture)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(p.Path), 0o755) //nolint:gosec // as the product makes it
	}
	if err != nil {
		return err
	}
	return os.WriteFile(p.Path, content, 0o644) //nolint:gosec // as the product makes it
}

// Do runs statements as one program of the product: all of them or none.
func (p Product) Do(ctx context.Context, fn func(*sql.Tx) error) error {
	legacy, err := p.renames()
	if err != nil {
		return err
	}
	if legacy {
		return p.doInMemory(ctx, fn)
	}
	return opened(p.Path, "&_txlock=immediate", func(db *sql.DB) error { return inOne(ctx, db, fn) })
}

// Exec is Do of one statement.
func (p Product) Exec(ctx context.Context, statement string, args ...any) error {
	return p.Do(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}

// Link links the row of a run to a session, and says whether there was one.
func (p Product) Link(ctx context.Context, id, uid string) (linked bool, err error) {
	err = p.Do(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE command_executions SET workflow_id = ? WHERE uid = ?", id, uid)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		linked = n > 0
		return err
	})
	return linked, err
}

// Rows is what a query gives, a line for each row, its cells joined by bars and NULL
// for what is null. It looks at a copy and leaves no trace.
func (p Product) Rows(ctx context.Context, query string, args ...any) (lines []string, err error) {
	err = p.copied(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // only read
		for rows.Next() {
			line, err := lineOf(rows)
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
		return rows.Err()
	})
	return lines, err
}

// lineOf is the current row as a line.
func lineOf(rows *sql.Rows) (string, error) {
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	if err := rows.Scan(into...); err != nil {
		return "", err
	}
	words := make([]string, len(cells))
	for i, c := range cells {
		words[i] = "NULL"
		if c.Valid {
			words[i] = c.String
		}
	}
	return strings.Join(words, "|"), nil
}

// Sound says what is wrong with the file: damage, a broken reference, and up to
// schema 11 a header that asks for a log or one that lies beside it.
func (p Product) Sound(ctx context.Context) error {
	var errs []error
	for check, want := range map[string]string{"integrity_check": "ok", "foreign_key_check": ""} {
		lines, err := p.Rows(ctx, "PRAGMA "+check)
		if got := strings.Join(lines, "; "); err == nil && got != want {
			err = fmt.Errorf("%s: %s", check, got)
		}
		errs = append(errs, err)
	}
	old, err := p.renames()
	if err != nil || !old {
		return errors.Join(append(errs, err)...)
	}
	content, err := os.ReadFile(p.Path)
	if err == nil && (content[writeFormat] != legacy || content[readFormat] != legacy) {
		err = errors.New("the header asks for a write-ahead log")
	}
	left, globErr := filepath.Glob(p.Path + "?*")
	if len(left) > 0 {
		globErr = fmt.Errorf("beside the database lies %q", left)
	}
	return errors.Join(append(errs, err, globErr)...)
}

// Hold keeps others from the database until release: from writing it, or when all is
// set from reading it too.
func (p Product) Hold(ctx context.Context, all bool) (release func() error, err error) {
	options, begin := "&_pragma=busy_timeout(2000)", "BEGIN IMMEDIATE"
	if all {
		options, begin = options+"&_pragma=locking_mode(EXCLUSIVE)", "BEGIN EXCLUSIVE"
	}
	db, err := sql.Open("sqlite", dsn(p.Path, options))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, begin)
	}
	if err == nil {
		// A lock on the whole is taken with the first page.
		_, err = conn.ExecContext(ctx, "UPDATE sessions SET id = id")
	}
	return func() error { return errors.Join(conn.Close(), db.Close()) }, err
}

// renames says whether the file is of the era that renames.
func (p Product) renames() (old bool, err error) {
	err = p.copied(func(db *sql.DB) error {
		return db.QueryRow("SELECT max(version) <= 11 FROM schema_version").Scan(&old) //nolint:noctx // a file of our own
	})
	return old, err
}

// copied lends out a copy of the database with its log.
func (p Product) copied(fn func(*sql.DB) error) error {
	dir, err := os.MkdirTemp("", "ocrdbtest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	path := filepath.Join(dir, "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(p.Path + suffix)
		if errors.Is(err, os.ErrNotExist) && suffix != "" {
			continue
		}
		if err == nil {
			err = os.WriteFile(path+suffix, content, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return opened(path, "", fn)
}

// opened lends out a connection.
func opened(path, options string, fn func(*sql.DB) error) (err error) {
	db, err := sql.Open("sqlite", dsn(path, "&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"+options))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	return fn(db)
}

// dsn names a file that must exist.
func dsn(path, options string) string { return "file:" + path + "?mode=rw" + options }

// inOne runs fn in one transaction.
func inOne(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
