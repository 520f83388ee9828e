package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
)

// schemaVersion is the number of the last migration.
const schemaVersion = 5

// migrations holds the numbered steps, NNNN_name.sql. They only ever add: the
// wrappers of the previous release keep writing for as long as their runs last.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings a ledger from version from to the present one.
func (l *Ledger) migrate(ctx context.Context, from int) error {
	if from > schemaVersion {
		return tooNew(from)
	}
	// The journal mode first: whoever then finds a version finds the mode set.
	if from == 0 {
		if err := l.setJournal(ctx); err != nil {
			return err
		}
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := applyMigrations(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// tooNew says which version is needed.
func tooNew(version int) error {
	return fmt.Errorf("%w: its schema is version %d and this ocr-run knows versions up to %d; use a newer ocr-run, or another ledger",
		ErrTooNew, version, schemaVersion)
}

// setJournal chooses the write-ahead log, which needs memory shared by all who
// have the file open: on a network file system it takes the rollback journal.
// Two first starts may be in each other's way; opening tries again.
func (l *Ledger) setJournal(ctx context.Context) error {
	mode := "WAL"
	if remote, err := onRemoteFilesystem(filepath.Dir(l.path)); err == nil && remote {
		mode = "DELETE"
	}
	_, err := l.db.ExecContext(ctx, "PRAGMA journal_mode="+mode)
	return err
}

// applyMigrations runs, inside the write lock, every step another process has
// not run in the meantime.
func applyMigrations(ctx context.Context, tx *sql.Tx) error {
	var version, tables int
	err := tx.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)").
		Scan(&version, &tables)
	if err != nil {
		return err
	}
	if version > schemaVersion {
		return tooNew(version)
	}
	if version == 0 && tables > 0 {
		return fmt.Errorf("%w: it is the database of something else; choose another path", ErrDamaged)
	}
	names, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	for i := version; i < len(names); i++ {
		step, err := migrations.ReadFile("migrations/" + names[i].Name())
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(step)); err != nil {
			return fmt.Errorf("migrate with %s: %w", names[i].Name(), err)
		}
	}
	_, err = tx.ExecContext(ctx, "PRAGMA user_version="+strconv.Itoa(len(names)))
	return err
}
