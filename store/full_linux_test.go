package store_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// fill leaves no room on the file system of dir and returns how to make some.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	must(t, err)
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	_ = f.Close() // the disk is full, as intended
	return func() { must(t, os.Remove(path)) }
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a file system of our own cannot be had: %v", err)
	}
	// Lazily: what another test is just starting has copies of our descriptors.
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	path := filepath.Join(dir, "ledger.db")
	d := store.NewRecorder(store.RecorderConfig{
		SpoolDir: t.TempDir(),
		Timeout:  time.Hour,
		Open: func(ctx context.Context) (*store.Ledger, error) {
			return store.Open(ctx, store.Config{Path: path})
		},
	})
	_, err := d.Announce(t.Context(), storetest.Announcement("u1", 100, 1000))
	must(t, err)
	inside := store.NewRecorder(store.RecorderConfig{SpoolDir: filepath.Join(dir, "spool")})
	must(t, inside.Probe())
	empty := fill(t, dir)
	wantError(t, inside.Probe(), unix.ENOSPC)
	big := storetest.Launch("u1", 102, 2000)
	big.Cgroup = strings.Repeat("x", 1<<18)
	must(t, d.Launched(t.Context(), big))
	if !d.Degraded() {
		t.Error("a full disk took it all")
	}
	empty()
	must(t, finish(t.Context(), d, storetest.Exit("u1", 0, 3000)))
	l, err := d.Ledger(t.Context())
	must(t, err)
	if e := execution(t, l, "u1"); e.Process.End != lifecycle.EndExited || e.StartedAtMS != 2000 {
		t.Errorf("the run ended %+v", e.Process)
	}
	must(t, d.Close())
	must(t, store.Check(t.Context(), path))
}
