package runfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A file that no ledger knows of is of no use once it is old and nobody's.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	f, err := Create(t.TempDir(), "u")
	if err != nil {
		t.Fatal(err)
	}
	now, later := time.Now(), time.Now().Add(25*time.Hour)
	if Abandoned(f.Path(), later) {
		t.Error("a living run is abandoned")
	}
	if err := f.Release(false); err != nil {
		t.Fatal(err)
	}
	if Abandoned(f.Path(), now) || !Abandoned(f.Path(), later) || Abandoned(f.Path()+"x", later) || Abandoned(filepath.Dir(f.Path()), later) {
		t.Errorf("abandoned young %v, old %v", Abandoned(f.Path(), now), Abandoned(f.Path(), later))
	}
}

// A sweep takes what dead creators left, and nothing else.
func TestSweepUnfinished(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	if err := SweepUnfinished(state, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Errorf("without a run ever made: %v", err)
	}
	named, err := Create(state, "named")
	if err != nil {
		t.Fatal(err)
	}
	if err := named.Release(false); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(named.Path())
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, age := range map[string]time.Duration{
		".dead.1": time.Hour, ".young.1": time.Second, ".of-the-future.1": -time.Hour, ".held.1": time.Hour, "named": time.Hour,
	} {
		path := filepath.Join(dir, name)
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if name == ".held.1" {
			if err := flock(f, unix.LOCK_EX); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := SweepUnfinished(state, now.Add(30*time.Second)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left strings.Builder
	for _, e := range entries {
		left.WriteString(e.Name() + " ")
	}
	if want := ".directory .held.1 .of-the-future.1 .young.1 named "; left.String() != want {
		t.Errorf("left %s, want %s", left.String(), want)
	}
}

// A sweep that takes every file for old, as after a step of the clock, costs a
// creator another attempt and never its lease.
func TestSweepBesideCreators(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	sweep, swept := make(chan struct{}), make(chan error, 1)
	go func() {
		for range sweep {
			swept <- SweepUnfinished(state, time.Now().Add(time.Hour))
		}
	}()
	defer close(sweep)
	for i := range 300 {
		sweep <- struct{}{}
		f, err := Create(state, fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := <-swept; err != nil {
			t.Error(err)
		}
		if !held(t, f.Path()) {
			t.Error("the lease is not held")
		}
		if err := f.Release(true); err != nil {
			t.Error(err)
		}
	}
}
