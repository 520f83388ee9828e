package main

import (
	"path/filepath"
	"testing"

	"github.com/ocr-run/ocr-run/store/ocrdb"
	"github.com/ocr-run/ocr-run/store/ocrdb/ocrdbtest"
)

// TestHostedWorkMovesOn: every step of the host's workflow counts once, and only if
// it is the run's.
func TestHostedWorkMovesOn(t *testing.T) {
	t.Parallel()
	root, ctx := t.TempDir(), t.Context()
	p := ocrdbtest.In(root)
	if err := p.Install(filepath.Join("..", "..", "store", "ocrdb", "testdata", "v14.db")); err != nil {
		t.Fatal(err)
	}
	host, ok, err := ocrdb.Find(root)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	const uid = "01975e3a-0000-7000-8000-00001f0c9a2e"
	h := &hosting{host: host, uid: uid, row: host.Row(ocrdb.Announcement{UID: uid, Command: []string{"agent"}, StartedMS: 1})}
	if err := h.row.Announce(ctx, 1); err != nil {
		t.Fatal(err)
	}
	do := func(verb, id, phase string) {
		t.Helper()
		if err := p.State(ctx, verb, map[string]string{"session-id": id, "branch": "b", "phase": phase}, uid); err != nil {
			t.Fatal(err)
		}
	}
	steps := func(want uint64) {
		t.Helper()
		for range 2 {
			h.observe(ctx)
		}
		if got := h.moved(); got != want {
			t.Errorf("%d steps, want %d", got, want)
		}
	}
	steps(0)
	do("begin", "w1", "")
	steps(1)
	do("advance", "w1", "change-context")
	steps(2)
	if err := p.State(ctx, "begin", map[string]string{"session-id": "w2", "branch": "b"}, "another"); err != nil {
		t.Fatal(err)
	}
	steps(2)
	if (*hosting)(nil).moved() != 0 {
		t.Error("no host moves nothing")
	}
}
