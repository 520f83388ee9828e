package runfile

import (
	"os"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
)

func TestLeftoversAreKeptForOneGeneration(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := Path(dir, "a")
	if left, err := ReadLeftovers(path, 1); err != nil || !left.None() {
		t.Errorf("of a run without any: %+v, %v", left, err)
	}
	want := lifecycle.Leftovers{Stopped: []lifecycle.Leftover{{PID: 7, StartTicks: 8, Command: "tool", Signal: "SIGTERM"}}}
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
	if err := os.WriteFile(leftoversPath(path), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLeftovers(path, 2); err == nil {
		t.Error("half a file was read")
	}
}
