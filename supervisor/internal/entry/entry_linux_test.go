package entry

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A program that begins at entry keeps ignored what was, and has and hands on the slack
// that was, all but one thread; one that does not knows nothing.
func TestEntry(t *testing.T) {
	t.Parallel()
	was, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	most := max(was, ourSlack)
	if was == 0 { // of a thread in real time
		most = 0
	}
	for flags, want := range map[string]string{
		"-E github.com/ocr-run/ocr-run/supervisor/internal/entry.entry": fmt.Sprintf("hangup\nbroken pipe\nuser defined signal 1\n%d\n%d\n%d\n", was, was, most),
		"": fmt.Sprintf("hangup\n%d\n%d\n%d\n", was, was, was),
	} {
		program := filepath.Join(t.TempDir(), "found")
		build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", flags, "-o", program, "./testdata/found")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b, err := exec.CommandContext(t.Context(), "sh", "-c", `trap "" HUP PIPE USR1 TERM; exec "$0"`, program).Output()
		out := string(b)
		if !told(t) {
			out, want = lessLast(out), lessLast(want)
		}
		if err != nil || out != want {
			t.Errorf("linked with %q it finds %q, %v; want %q", flags, out, err, want)
		}
	}
}

// told says whether the kernel tells of the threads of others.
func told(t *testing.T) bool {
	t.Helper()
	return exec.CommandContext(t.Context(), "cat", "/proc/1/timerslack_ns").Run() == nil
}

// lessLast is a text without its last line.
func lessLast(text string) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[:max(len(lines)-2, 0)], "")
}
