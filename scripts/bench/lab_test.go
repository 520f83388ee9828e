package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The control groups of runs that are killed outright outlive the bench unless their
// ledger is swept, also after an interrupt.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "ocr-run")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$XDG_STATE_HOME $*\" >>said\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	l := &lab{options: options{ocrRun: program}, dir: dir, env: append(os.Environ(), "XDG_STATE_HOME=here"), log: io.Discard}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l.sweep(ctx)
	said, err := os.ReadFile(filepath.Join(dir, "said"))
	if want := "here reap --yes --quiet"; err != nil || strings.TrimSpace(string(said)) != want || len(l.notes) > 0 {
		t.Errorf("%q, %v, %q, want %q", said, err, l.notes, want)
	}
}
