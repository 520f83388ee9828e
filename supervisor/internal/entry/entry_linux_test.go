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
		atEntry: fmt.Sprintf("hangup\nbroken pipe\nuser defined signal 1\n%d\n%d\n%d\n", was, was, most),
		"":      fmt.Sprintf("hangup\n%d\n%d\n%d\n", was, was, was),
	} {
		out := finds(t, build(t, flags), `trap "" HUP PIPE USR1 TERM; exec "$0" 3>&1`)
		if !told(t) {
			out, want = lessLast(out), lessLast(want)
		}
		if out != want {
			t.Errorf("linked with %q it finds %q, want %q", flags, out, want)
		}
	}
}

// A program that begins at entry knows which standard descriptors were closed, and what it
// becomes has those closed; for one that does not they are /dev/null.
func TestClosed(t *testing.T) {
	t.Parallel()
	const look = `for fd in 0 1 2; do [ -e /proc/self/fd/$fd ] || echo "left closed $fd" >&3; done`
	knowing, other := build(t, atEntry), build(t, "")
	for closed := range 1 << 3 {
		redirections, known, left := "", "", ""
		for fd := range 3 {
			if closed&(1<<fd) != 0 {
				redirections += fmt.Sprintf(" %d>&-", fd)
				known += fmt.Sprintf("closed %d\n", fd)
				left += fmt.Sprintf("left closed %d\n", fd)
			}
		}
		script := `exec "$0" '` + look + `' 3>&1` + redirections
		if out := finds(t, knowing, script); out != known+left {
			t.Errorf("with%s it finds %q, want %q", redirections, out, known+left)
		}
		if out := finds(t, other, script); out != "" {
			t.Errorf("linked without the flag it finds %q with%s", out, redirections)
		}
	}
}

// atEntry is the flag of the linker by which a program begins at entry.
const atEntry = "-E github.com/ocr-run/ocr-run/supervisor/internal/entry.entry"

// build builds the program found with flags for the linker.
func build(t *testing.T, flags string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "found")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", flags, "-o", program, "./testdata/found")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// finds is what a shell script writes that starts program, its $0.
func finds(t *testing.T, program, script string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", script, program).Output()
	if err != nil {
		t.Errorf("%s: %v", script, err)
	}
	return string(out)
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
