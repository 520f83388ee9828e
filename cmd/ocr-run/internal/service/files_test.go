package service

import (
	"os"
	"path/filepath"
	"testing"
)

// write makes a file and its directories.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	ours := "# " + Mark + "\nnew\n"
	for name, tt := range map[string]struct {
		make func(t *testing.T, path string)
		want Standing
	}{
		"nothing":         {func(*testing.T, string) {}, Missing},
		"the same":        {func(t *testing.T, path string) { t.Helper(); write(t, path, ours, 0o644) }, Same},
		"older":           {func(t *testing.T, path string) { t.Helper(); write(t, path, "# "+Mark+"\nold\n", 0o644) }, Differs},
		"somebody else's": {func(t *testing.T, path string) { t.Helper(); write(t, path, "[Unit]\n", 0o644) }, Foreign},
		"masked":          {func(t *testing.T, path string) { t.Helper(); link(t, "/dev/null", path) }, Foreign},
		"a directory":     {func(t *testing.T, path string) { t.Helper(); write(t, filepath.Join(path, "x"), "", 0o644) }, Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.service")
			tt.make(t, path)
			found, err := Look(File{Path: path, Text: ours})
			if err != nil || found.Standing != tt.want || (found.Why != "") != (tt.want == Foreign) {
				t.Errorf("%+v, %v, want %s", found, err, tt.want)
			}
		})
	}
}

func TestLookAtLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := filepath.Join(dir, "timers.target.wants", "x.timer")
	write(t, filepath.Join(filepath.Dir(at), "beside"), "", 0o644)
	f := File{Path: at, Target: "../x.timer"}
	standing := func() Standing {
		found, err := Look(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(at)
		return found.Standing
	}
	for target, want := range map[string]Standing{
		"../x.timer":                    Same,
		filepath.Join(dir, "x.timer"):   Same, // as systemctl makes it
		"../y.timer":                    Foreign,
		"/usr/lib/systemd/user/x.timer": Foreign,
	} {
		link(t, target, at)
		if got := standing(); got != want {
			t.Errorf("a link to %s is %s, want %s", target, got, want)
		}
	}
	if got := standing(); got != Missing {
		t.Errorf("no link is %s", got)
	}
	write(t, at, "", 0o644)
	if got := standing(); got != Foreign {
		t.Errorf("a file is %s", got)
	}
}

func link(t *testing.T, target, at string) {
	t.Helper()
	if err := os.Symlink(target, at); err != nil {
		t.Fatal(err)
	}
}
