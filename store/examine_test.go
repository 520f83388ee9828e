package store_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// picture is everything in a directory: names, contents and times.
func picture(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	seen := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		info, err := e.Info()
		must(t, err)
		seen[e.Name()] = info.ModTime().String() + string(b)
	}
	return seen
}

// copied is a copy of some of the files of a ledger.
func copied(t *testing.T, path string, suffixes ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "ledger.db")
	for _, s := range suffixes {
		b, err := os.ReadFile(path + s)
		must(t, err)
		must(t, os.WriteFile(to+s, b, 0o600))
	}
	return to
}

// seeded is an open ledger with a run that has ended degraded and one that has not.
func seeded(t *testing.T) (l *store.Ledger, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	l, err := store.Open(t.Context(), store.Config{Path: path})
	must(t, err)
	for uid, at := range map[string]int64{"u1": 1000, "u2": 2000} {
		generation, err := l.Announce(t.Context(), storetest.Announcement(uid, 100, at))
		must(t, err)
		if uid == "u2" {
			end := storetest.Exit(uid, 0, 3000)
			end.Generation, end.Degraded = generation, true
			_, err = l.Finish(t.Context(), end)
			must(t, err)
		}
	}
	return l, path
}

// TestExamineChangesNothing looks at a ledger in every state its files may be in.
func TestExamineChangesNothing(t *testing.T) {
	t.Parallel()
	open, path := seeded(t)
	cut := copied(t, path, "", "-wal", "-shm")
	closed := copied(t, path, "", "-wal", "-shm")
	l, err := store.Open(t.Context(), store.Config{Path: closed})
	must(t, err)
	must(t, l.Close())
	for name, path := range map[string]string{"open": path, "left by a kill": cut, "closed": closed} {
		before := picture(t, filepath.Dir(path))
		e, err := store.Examine(t.Context(), path, 1500)
		must(t, err)
		if e.Executions != 2 || e.OpenExecutions != 1 || e.DegradedExecutions != 1 || e.Events < 3 || e.Workflows != 0 || e.Schema != e.Known ||
			e.Integrity != store.IntegrityIntact || e.Pages < 2 || e.Bytes == 0 || (e.LogBytes > 0) == (name == "closed") {
			t.Errorf("%s: %+v", name, e)
		}
		after := picture(t, filepath.Dir(path))
		if name == "open" { // by this very process, which has one index for both
			delete(before, "ledger.db-shm")
			delete(after, "ledger.db-shm")
		}
		if !maps.Equal(before, after) {
			t.Errorf("%s: the files have changed", name)
		}
	}
	must(t, open.Close())
}

// TestExamineSaysWhy looks at what is no ledger that could be looked into.
func TestExamineSaysWhy(t *testing.T) {
	t.Parallel()
	open, path := seeded(t)
	defer open.Close()
	garbage := filepath.Join(t.TempDir(), "ledger.db")
	must(t, os.WriteFile(garbage, make([]byte, 5000), 0o600))
	for name, c := range map[string]struct {
		path string
		want error
	}{
		"none":     {filepath.Join(t.TempDir(), "ledger.db"), fs.ErrNotExist},
		"garbage":  {garbage, store.ErrDamaged},
		"no index": {copied(t, path, "", "-wal"), store.ErrNotExamined},
	} {
		before := []string{}
		for file := range pictureIfThere(t, filepath.Dir(c.path)) {
			before = append(before, file)
		}
		if _, err := store.Examine(t.Context(), c.path, 0); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if after := pictureIfThere(t, filepath.Dir(c.path)); len(after) != len(before) {
			t.Errorf("%s: there is something new", name)
		}
	}
	empty := filepath.Join(t.TempDir(), "ledger.db")
	must(t, os.WriteFile(empty, nil, 0o600))
	if e, err := store.Examine(t.Context(), empty, 0); err != nil || e.Schema != 0 || e.Executions != -1 {
		t.Errorf("%+v, %v", e, err)
	}
}

// What is no file is told, and not opened: a pipe would wait for its other end.
func TestExamineOpensFilesOnly(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "ledger.db")
	must(t, unix.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, t.TempDir(), "/dev/null"} {
		answer := make(chan error, 1)
		go func() {
			_, err := store.Examine(t.Context(), path, 0)
			answer <- err
		}()
		select {
		case err := <-answer:
			if err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("%s: %v", path, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: no answer", path)
		}
	}
}

// pictureIfThere is picture of a directory that may not exist.
func pictureIfThere(t *testing.T, dir string) map[string]string {
	t.Helper()
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return picture(t, dir)
}

// A broken page is found, and a look without time tells less and is no error.
func TestExamineFindsBrokenPages(t *testing.T) {
	t.Parallel()
	l, path := seeded(t)
	must(t, l.Close())
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := store.Examine(late, path, 0); err == nil && e.Integrity != store.IntegrityUnknown {
		t.Errorf("%+v, %v", e, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	info, err := f.Stat()
	must(t, err)
	const page = 4096
	for at := int64(3 * page); at < info.Size(); at += page {
		_, err := f.WriteAt(make([]byte, page/2), at)
		must(t, err)
	}
	must(t, f.Close())
	if e, err := store.Examine(t.Context(), path, 0); err == nil && e.Integrity != store.IntegrityBroken || err != nil && !errors.Is(err, store.ErrDamaged) {
		t.Errorf("%+v, %v", e, err)
	}
}

// Who holds the ledger keeps writers out, and readers not, until it lets go.
func TestHold(t *testing.T) {
	t.Parallel()
	l, path := seeded(t)
	defer l.Close()
	other, err := store.Open(t.Context(), store.Config{Path: path, BusyTimeout: 50 * time.Millisecond})
	must(t, err)
	defer other.Close()
	letGo, err := l.Hold(t.Context())
	must(t, err)
	if _, err := other.Announce(t.Context(), storetest.Announcement("u3", 100, 5000)); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a writer got through: %v", err)
	}
	if _, err := other.Hold(t.Context()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("it is held twice: %v", err)
	}
	if e, err := store.Examine(t.Context(), path, 0); err != nil || e.Executions != 2 {
		t.Errorf("%+v, %v", e, err)
	}
	must(t, letGo())
	_, err = other.Announce(t.Context(), storetest.Announcement("u3", 100, 5000))
	must(t, err)
}

func TestRemote(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "ledger.db"), filepath.Join(t.TempDir(), "not", "there", "ledger.db")} {
		if remote, err := store.Remote(path); remote || err != nil {
			t.Errorf("%s: %v, %v", path, remote, err)
		}
	}
}
