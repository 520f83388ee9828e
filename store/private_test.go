package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// A umask that takes from the owner makes none of our directories and files useless to
// him. It is the whole process's: no other test runs meanwhile.
func TestAUmaskTakesNothingFromTheOwner(t *testing.T) { //nolint:paralleltest // see above
	dir := filepath.Join(t.TempDir(), "a", "b")
	path, spool := filepath.Join(dir, "ledger.db"), filepath.Join(dir, "spool")
	broken := withoutLedger(t, spool)
	before := unix.Umask(0o777)
	l, opened := store.Open(t.Context(), store.Config{Path: path})
	_, announced := broken.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	unix.Umask(before)
	must(t, errors.Join(opened, announced, broken.Trouble()))
	t.Cleanup(func() { must(t, l.Close()) })
	for path, want := range map[string]os.FileMode{
		filepath.Dir(dir): 0o700, dir: 0o700, spool: 0o700, path: 0o600, path + "-wal": 0o600,
		filepath.Join(spool, "u1.jsonl"): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}
