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
	dir := t.TempDir()
	if err := unix.Mount("full", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("may not mount: %v", err)
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	f, err := Create(dir, "u")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Release(false) }()
	if err := os.WriteFile(filepath.Join(dir, "filler"), bytes.Repeat([]byte{1}, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	if err := WriteExit(f.Path(), numbered(1), true); err != nil {
		t.Errorf("WriteExit() = %v", err)
	}
	if rec, ok, err := ReadExit(f.Path()); !ok || rec.Generation != 1 {
		t.Errorf("ReadExit() = %+v, %v, %v", rec, ok, err)
	}
}
