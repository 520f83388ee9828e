package ocrdb

import (
	"context"
	"database/sql"
	"os"
)

// hasSidecar says whether SQLite's write-ahead log or its memory lies beside
// the file.
func hasSidecar(path string) bool {
	_, wal := os.Lstat(path + "-wal")
	_, shm := os.Lstat(path + "-shm")
	return wal == nil || shm == nil
}

// liveSidecar says whether, beside a file of the rename era, a write-ahead log
// may hold what the file does not: somebody has the file open in a SQLite tool,
// or died with it open. A log that nobody has open and that is older than the
// file belongs to one that has been replaced since: replaying it would destroy
// what came with the new file, and so it is left alone, as the product's own
// programs leave it.
func (b *baseFile) liveSidecar() bool {
	if !hasSidecar(b.path) {
		return false
	}
	wal, err := os.Stat(b.path + "-wal")
	return err != nil || wal.Size() == 0 || !wal.ModTime().Before(b.info.ModTime()) || b.inUse()
}

// settle takes a file of the rename era out of write-ahead logging when nobody
// else has it open, which also removes what lies beside it. When somebody has,
// the write goes where that one will see it. It tells the caller to look again
// when the file has become an ordinary one.
func settle(ctx context.Context, db *sql.DB, path string) error {
	s, err := schemaOf(ctx, db)
	if err != nil || s.version > lastRenameEra {
		return err
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode=DELETE").Scan(&mode); err != nil {
		if hasCode(err, codeBusy, codeLocked) {
			return nil
		}
		return err
	}
	if mode == "delete" && !hasSidecar(path) {
		return errContended
	}
	return nil
}
