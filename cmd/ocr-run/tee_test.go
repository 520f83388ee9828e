package main

import (
	"os"
	"path/filepath"
	"testing"
)

// A full file becomes FILE.1; a device is never full, and never renamed.
func TestTee(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	device := filepath.Join(dir, "device")
	if err := os.Symlink(os.DevNull, device); err != nil {
		t.Fatal(err)
	}
	for path, rotates := range map[string]bool{filepath.Join(dir, "file"): true, device: false} {
		log, err := newTee(path, 4)
		if err != nil {
			t.Fatal(err)
		}
		log.copy([]byte("abcdefghij"))
		log.close()
		if log.err != nil {
			t.Error(log.err)
		}
		before, err := os.ReadFile(path + ".1")
		if rotates != (err == nil) || rotates && string(before) != "efgh" {
			t.Errorf("%s.1: %q, %v", path, before, err)
		}
		if b, err := os.ReadFile(path); err != nil || rotates && string(b) != "ij" {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
}
