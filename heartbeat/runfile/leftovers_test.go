package runfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// stoppedOne is what became of one process.
func stoppedOne() lifecycle.Leftovers {
	return lifecycle.Leftovers{Stopped: []lifecycle.Leftover{{PID: 7, StartTicks: 8, Command: "tool", Signal: "SIGTERM"}}}
}

func TestLeftoversAreKeptForOneGeneration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := Path(dir, "a")
	if left, err := ReadLeftovers(path, 1); err != nil || !left.None() {
		t.Errorf("of a run without any: %+v, %v", left, err)
	}
	want := stoppedOne()
	if err := WriteLeftovers(path, 2, want); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(CompanionPath(dir, "a.leftovers"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if left, err := ReadLeftovers(path, 1); err != nil || !left.None() {
		t.Errorf("of another generation: %+v, %v", left, err)
	}
	if left, err := ReadLeftovers(path, 2); err != nil || len(left.Stopped) != 1 || left.Stopped[0] != want.Stopped[0] {
		t.Errorf("read %+v, %v", left, err)
	}
	for range 2 {
		if err := RemoveLeftovers(path); err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(leftoversPath(path))); err != nil || len(entries) != 0 {
		t.Errorf("still there: %v, %v", entries, err)
	}
}

// What cannot be read is told from what may be read another time, and can be removed.
func TestUnreadableLeftoversAreCalledThat(t *testing.T) {
	t.Parallel()
	written := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for name, place := range map[string]func(path string) error{
		"empty": written(""), "half": written(`{"generation":2,"left`),
		"fifo":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := Path(t.TempDir(), "a")
			if err := errors.Join(MakeDir(filepath.Dir(leftoversPath(path))), place(leftoversPath(path))); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadLeftovers(path, 2); !errors.Is(err, ErrUnreadable) {
				t.Errorf("read: %v", err)
			}
			if err := RemoveLeftovers(path); err != nil {
				t.Error(err)
			}
			if _, err := ReadLeftovers(path, 2); err != nil {
				t.Errorf("once removed: %v", err)
			}
		})
	}
}
