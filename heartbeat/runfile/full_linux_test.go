package runfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A disk without a free byte still takes in the way a run ended.
func TestExitRecordOnFullDisk(t *testing.T) {
	dir := smallDisk(t)
	f, err := Create(dir, "u")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Release(false) }()
	fill(t, dir)
	if err := WriteExit(f.Path(), numbered(1), true); err != nil {
		t.Errorf("WriteExit() = %v", err)
	}
	if rec, ok, err := ReadExit(f.Path()); !ok || rec.Generation != 1 {
		t.Errorf("ReadExit() = %+v, %v, %v", rec, ok, err)
	}
}

// A disk without a free byte is left without half a file, and what was kept before stays.
func TestLeftoversOnFullDisk(t *testing.T) {
	dir := smallDisk(t)
	path := Path(dir, "u")
	if err := WriteLeftovers(path, 1, stoppedOne()); err != nil {
		t.Fatal(err)
	}
	fill(t, dir)
	for _, path := range []string{path, Path(dir, "other")} {
		if err := WriteLeftovers(path, 1, stoppedOne()); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("WriteLeftovers() = %v", err)
		}
	}
	if left, err := ReadLeftovers(path, 1); err != nil || len(left.Stopped) != 1 {
		t.Errorf("ReadLeftovers() = %+v, %v", left, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(leftoversPath(path))); err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// smallDisk is an empty disk of a few pages.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("full", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("may not mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill leaves a disk without a free byte.
func fill(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "filler"), bytes.Repeat([]byte{1}, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}
