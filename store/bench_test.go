package store_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "ledger.db")
	storetest.Open(b, path)
	for b.Loop() {
		l, err := store.Open(b.Context(), store.Config{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBeat(b *testing.B) {
	l := storetest.New(b)
	if _, err := l.Announce(b.Context(), storetest.Announcement("u", 100, 1)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := l.Beat(b.Context(), store.Beat{UID: "u", Generation: 1, At: storetest.At(2)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnnounceFinish(b *testing.B) {
	l := storetest.New(b)
	for n := 1; b.Loop(); n++ {
		uid := strconv.Itoa(n)
		if _, err := l.Announce(b.Context(), storetest.Announcement(uid, 100, 1)); err != nil {
			b.Fatal(err)
		}
		if err := finish(b.Context(), l, storetest.Exit(uid, 0, 2)); err != nil {
			b.Fatal(err)
		}
	}
}
