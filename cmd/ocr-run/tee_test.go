package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
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
		log, err := newTee(path, 4, clock.System())
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

// newPipe is a named pipe, and its end to read from.
func newPipe(t *testing.T) (path string, from *os.File) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	from, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = from.Close() })
	return path, from
}

// A pipe that nobody reads is refused, and one whose reader takes nothing is given up.
func TestTeeIsHeldUpByNoReader(t *testing.T) {
	t.Parallel()
	path, from := newPipe(t)
	log, err := newTee(path, 4, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	log.patience = 10 * time.Millisecond
	log.copy(make([]byte, 1<<20))
	if log.err == nil || !strings.Contains(log.err.Error(), "its reader takes nothing") {
		t.Errorf("copy: %v", log.err)
	}
	_ = from.Close()
	if _, err := newTee(path, 4, clock.System()); err == nil || !strings.Contains(err.Error(), "nobody reads it") {
		t.Errorf("without a reader: %v", err)
	}
}

// A reader that takes longer for all of it than one may take nothing gets all of it.
func TestTeeWaitsForASlowReader(t *testing.T) {
	t.Parallel()
	const most = 256 << 10
	path, from := newPipe(t)
	log, err := newTee(path, 4, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	log.patience = 250 * time.Millisecond
	got := make(chan int)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		n, b := 0, make([]byte, 4<<10)
		for range tick.C {
			m, err := from.Read(b)
			if n += m; err != nil {
				break
			}
		}
		got <- n
	}()
	log.copy(make([]byte, most))
	log.close()
	if n := <-got; n != most || log.err != nil {
		t.Errorf("%d bytes, %v", n, log.err)
	}
}
