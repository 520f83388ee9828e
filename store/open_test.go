package store_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	// Another process, because a umask is a process's.
	path := filepath.Join(t.TempDir(), "a", "state dir", "ledger?#%.db")
	actor := play(t, "announce", path)
	out, err := actor.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]os.FileMode{
		"": 0o600, "-wal": 0o600, "-shm": 0o600,
	} {
		info, err := os.Stat(path + name)
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("mode of ledger%s is %o, want %o", name, info.Mode().Perm(), want)
		}
	}
	info, err := os.Stat(filepath.Dir(path))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the directory is %o", info.Mode().Perm())
	}
}

// play starts the test binary in a role of roles_test.go.
func play(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}

func TestFirstStartsRaceSafely(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state", "ledger.db")
	var wg sync.WaitGroup
	// Processes: whoever makes the file closes a descriptor of it, and with that gives up
	// every lock its process has of it.
	for i := range 12 {
		wg.Go(func() {
			if out, err := play(t, "announce", path).CombinedOutput(); err != nil {
				t.Errorf("process %d: %v: %s", i, err, out)
			}
		})
	}
	wg.Wait()
	must(t, store.Check(t.Context(), path))
	found, err := storetest.Open(t, path).Unsettled(t.Context())
	must(t, err)
	if len(found) != 12 {
		t.Errorf("%d rows, want 12", len(found))
	}
}

func TestMigrationsAreAppliedOnce(t *testing.T) {
	t.Parallel()
	path := populated(t)
	before := schemaOf(t, path)
	for range 3 {
		l, err := store.Open(t.Context(), store.Config{Path: path})
		must(t, err)
		must(t, l.Close())
	}
	if after := schemaOf(t, path); after != before {
		t.Errorf("schema went from %s to %s", before, after)
	}
	steps, err := filepath.Glob("migrations/*.sql")
	must(t, err)
	var version int
	must(t, raw(t, path, "").QueryRowContext(t.Context(), `PRAGMA user_version`).Scan(&version))
	if version != len(steps) || version == 0 {
		t.Errorf("version is %d after %d migrations", version, len(steps))
	}
}

func schemaOf(t *testing.T, path string) (schema string) {
	t.Helper()
	must(t, raw(t, path, "").QueryRowContext(t.Context(), `SELECT group_concat(name || sql) || (SELECT schema_version FROM pragma_schema_version) FROM sqlite_schema`).Scan(&schema))
	return schema
}

func TestANewFileIsInWALMode(t *testing.T) {
	t.Parallel()
	var mode string
	must(t, raw(t, populated(t), "").QueryRowContext(t.Context(), `PRAGMA journal_mode`).Scan(&mode))
	if mode != "wal" {
		t.Errorf("journal mode is %s", mode)
	}
}

func TestOpenOfAZeroByteFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	must(t, os.WriteFile(path, nil, 0o600))
	announce(t, storetest.Open(t, path), "u1", 100)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	garbage := []byte(strings.Repeat("this is no database. ", 500))
	for name, test := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  error
		text  string
	}{
		"garbage": {func(t *testing.T, path string) {
			t.Helper()
			must(t, os.WriteFile(path, garbage, 0o600))
		}, store.ErrDamaged, "mv '"},
		"spoiled pages": {func(t *testing.T, path string) {
			t.Helper()
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			_, err = f.WriteAt(garbage[:4000], 100)
			must(t, err)
			must(t, f.Close())
		}, store.ErrDamaged, ".damaged'"},
		"truncated": {func(t *testing.T, path string) {
			t.Helper()
			must(t, os.Truncate(path, 4096+100))
		}, store.ErrDamaged, "mv '"},
		"newer": {func(t *testing.T, path string) {
			t.Helper()
			_, err := raw(t, path, "").ExecContext(t.Context(), `PRAGMA user_version = 999`)
			must(t, err)
		}, store.ErrTooNew, "version 999"},
		"somebody else's": {func(t *testing.T, path string) {
			t.Helper()
			must(t, os.Remove(path))
			_, err := raw(t, path, "").ExecContext(t.Context(), `CREATE TABLE songs (title)`)
			must(t, err)
		}, store.ErrDamaged, "something else"},
		"a directory": {func(t *testing.T, path string) {
			t.Helper()
			must(t, os.Remove(path))
			must(t, os.Mkdir(path, 0o700))
		}, nil, "ledger.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := populated(t)
			test.spoil(t, path)
			l, err := store.Open(t.Context(), store.Config{Path: path})
			if err == nil {
				// Damage beyond the first page shows when it is read.
				_, err = l.Executions(t.Context(), store.Filter{})
				must(t, l.Close())
			}
			if test.want != nil {
				wantError(t, err, test.want)
			}
			if err == nil || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), path) {
				t.Errorf("error is %v; it should name %s and say %q", err, path, test.text)
			}
		})
	}
}

func TestTheWayOutOfDamageWorks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "it's a ledger.db")
	must(t, os.WriteFile(path, []byte(strings.Repeat("no database", 500)), 0o600))
	_, err := store.Open(t.Context(), store.Config{Path: path})
	wantError(t, err, store.ErrDamaged)
	_, command, found := strings.Cut(err.Error(), "will be made: ")
	if !found {
		t.Fatalf("no command in %v", err)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	announce(t, storetest.Open(t, path), "u1", 100)
}

func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	path := populated(t)
	must(t, store.Check(t.Context(), path))
	db := raw(t, path, "")
	for _, query := range []string{`PRAGMA writable_schema = 1`, `DELETE FROM sqlite_schema WHERE name = 'executions_created'`} {
		_, err := db.ExecContext(t.Context(), query)
		must(t, err)
	}
	wantError(t, store.Check(t.Context(), path), store.ErrDamaged)
}

// hold takes the write lock until the test ends.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	tx, err := raw(t, path, "").BeginTx(t.Context(), nil)
	must(t, err)
	release = sync.OnceFunc(func() { must(t, tx.Rollback()) })
	t.Cleanup(release)
	return release
}

func TestALockedLedgerIsBusy(t *testing.T) {
	t.Parallel()
	path := populated(t)
	l, err := store.Open(t.Context(), store.Config{Path: path, BusyTimeout: 10 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	release := hold(t, path)
	_, err = l.Announce(t.Context(), storetest.Announcement("u1", 900, 1))
	wantError(t, err, store.ErrBusy)
	_, err = l.Beat(t.Context(), store.Beat{UID: "live", Generation: 1, At: storetest.At(1)})
	wantError(t, err, store.ErrBusy)
	if _, err := l.Execution(t.Context(), "live"); err != nil {
		t.Errorf("a writer keeps readers out: %v", err)
	}
	second, err := store.Open(t.Context(), store.Config{Path: path, BusyTimeout: 10 * time.Millisecond})
	must(t, err)
	must(t, second.Close())
	release()
	_, err = l.Announce(t.Context(), storetest.Announcement("u1", 900, 1))
	must(t, err)
}

func TestAWriteEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := populated(t)
	l, err := store.Open(t.Context(), store.Config{Path: path, BusyTimeout: time.Hour})
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	release := hold(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = l.Announce(ctx, storetest.Announcement("u1", 900, 1))
	wantError(t, err, context.DeadlineExceeded)
	_, err = l.Beat(ctx, store.Beat{UID: "live", Generation: 1, At: storetest.At(1)})
	wantError(t, err, context.DeadlineExceeded)
	release()
	_, err = l.Announce(t.Context(), storetest.Announcement("u1", 900, 1))
	must(t, err)
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	path := populated(t)
	l, err := store.Open(t.Context(), store.Config{Path: path})
	must(t, err)
	want := func(l *store.Ledger, want bool) {
		t.Helper()
		if got, err := l.Replaced(); err != nil || got != want {
			t.Errorf("replaced is %v, %v; want %v", got, err, want)
		}
	}
	want(l, false)
	must(t, os.Remove(path))
	want(l, true)
	next := storetest.Open(t, path)
	announce(t, next, "u1", 100)
	want(l, true)
	want(next, false)
	// Closing the old one must leave the new one's log alone.
	must(t, l.Close())
	execution(t, storetest.Open(t, path), "u1")
	want(next, false)
}

func TestAReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o500))
	t.Cleanup(func() { must(t, os.Chmod(dir, 0o700)) })
	_, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "ledger.db")})
	wantError(t, err, os.ErrPermission)
}
