package runfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A umask that takes from the owner makes none of our directories and files useless to
// him. It is the whole process's: no other test runs meanwhile.
func TestAUmaskTakesNothingFromTheOwner(t *testing.T) { //nolint:paralleltest // see above
	dir := filepath.Join(t.TempDir(), "a", "b")
	theirs := filepath.Join(t.TempDir(), "theirs")
	if err := os.Mkdir(theirs, 0o500); err != nil {
		t.Fatal(err)
	}
	before := unix.Umask(0o777)
	f, err := Create(dir, "u")
	left := WriteLeftovers(Path(dir, "u"), 1, stoppedOne())
	old := MakeDir(theirs)
	unix.Umask(before)
	if err != nil || left != nil || old != nil {
		t.Fatal(err, left, old)
	}
	defer func() { _ = f.Release(true) }()
	for path, want := range map[string]fs.FileMode{
		filepath.Dir(dir): 0o700, dir: 0o700, filepath.Dir(f.Path()): 0o700, f.Path(): 0o600,
		leftoversPath(f.Path()): 0o600, theirs: 0o500,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestWhatIsNoDirectoryIsCalledThat(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{path, filepath.Join(path, "below")} {
		if err := MakeDir(dir); err == nil {
			t.Errorf("MakeDir(%s) made one", dir)
		}
	}
}
