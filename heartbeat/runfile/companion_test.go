package runfile

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCompanionsGoWithTheirRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Now()
	place := func(name string, age time.Duration) string {
		path := CompanionPath(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	living, err := Create(dir, "lives")
	if err != nil {
		t.Fatal(err)
	}
	stays := []string{place("lives.json", time.Hour), place("young.ts", time.Second)}
	goes := []string{place("dead.js", time.Hour), place("dead.json.orig", time.Hour)}
	check := func(step string, want bool, paths ...string) {
		t.Helper()
		for _, path := range paths {
			if _, err := os.Stat(path); (err == nil) != want {
				t.Errorf("%s: %s: %v", step, path, err)
			}
		}
	}
	if err := SweepCompanions(dir, now); err != nil {
		t.Fatal(err)
	}
	check("swept", true, stays...)
	check("swept", false, goes...)
	if err := RemoveCompanions(dir, "lives"); err != nil {
		t.Fatal(err)
	}
	check("removed", false, stays[0])
	check("removed", true, stays[1])
	if err := living.Release(true); err != nil {
		t.Fatal(err)
	}
	if err := SweepCompanions(filepath.Join(dir, "nothing"), now); err != nil {
		t.Errorf("no directory: %v", err)
	}
}
