package ignored

import (
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A program that begins at entry keeps ignored what was; one that does not knows nothing.
func TestKeep(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]string{
		"-E github.com/ocr-run/ocr-run/supervisor/internal/ignored.entry": "hangup\nbroken pipe\nuser defined signal 1\n",
		"": "hangup\n",
	} {
		program := filepath.Join(t.TempDir(), "kept")
		build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", flags, "-o", program, "./testdata/kept")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", `trap "" HUP PIPE USR1 TERM; exec "$0"`, program).Output()
		if err != nil || string(out) != want {
			t.Errorf("linked with %q it keeps %q, %v", flags, out, err)
		}
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	if all := kept(1<<(unix.SIGPIPE-1) | 1<<(unix.SIGCHLD-1)); len(all) != 1 || all[0] != unix.SIGPIPE {
		t.Errorf("kept %v", all)
	}
	if all := kept(0); all != nil {
		t.Errorf("kept %v", all)
	}
}
