package entry

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A program that begins at entry keeps ignored what was, and hands on the slack that it has
// not itself; one that does not knows nothing.
func TestEntry(t *testing.T) {
	t.Parallel()
	found, err := os.ReadFile("/proc/self/timerslack_ns")
	if err != nil {
		t.Skip(err)
	}
	was := string(found)
	ours := was
	if n, _ := strconv.Atoi(strings.TrimSpace(was)); n > 0 && n < ourSlack {
		ours = strconv.Itoa(ourSlack) + "\n"
	}
	for flags, want := range map[string]string{
		"-E github.com/ocr-run/ocr-run/supervisor/internal/entry.entry": "hangup\nbroken pipe\nuser defined signal 1\n" + ours + was,
		"": "hangup\n" + was + was,
	} {
		program := filepath.Join(t.TempDir(), "found")
		build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", flags, "-o", program, "./testdata/found")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", `trap "" HUP PIPE USR1 TERM; exec "$0"`, program).Output()
		if err != nil || string(out) != want {
			t.Errorf("linked with %q it finds %q, %v; want %q", flags, out, err, want)
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
