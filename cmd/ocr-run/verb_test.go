package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ocr-run/ocr-run/store"
)

// invoke runs the program in this process, with an empty state directory, and
// returns its exit code and what it printed.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	env := processEnvironment()
	env.args, env.dir = args, dir
	env.lookup = vars(map[string]string{"XDG_STATE_HOME": filepath.Join(dir, "state")})
	out, read := capture(t)
	errs, readErrs := capture(t)
	env.stdout, env.stderr = out, errs
	code = run(t.Context(), env)
	return code, read(), readErrs()
}

// capture is a file to write to, and a function that closes it and gives what
// was written.
func capture(t *testing.T) (*os.File, func() string) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	return f, func() string {
		t.Helper()
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		return string(b)
	}
}

// TestUsageErrors checks for every verb that a wrong call names the verb and
// the next step, prints nothing else, and exits 2.
func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		if v.silent {
			continue
		}
		for _, wrong := range [][]string{{"--no-such-flag"}, {"a", "b", "c", "d"}} {
			if v.command && !isFlag(wrong[0]) {
				continue // that is a command
			}
			t.Run(v.name+" "+wrong[0], func(t *testing.T) {
				t.Parallel()
				code, stdout, stderr := invoke(t, append(strings.Fields(v.name), wrong...)...)
				lines := strings.Split(stderr, "\n")
				if code != exitUsage || stdout != "" || len(lines) != 3 ||
					!strings.HasPrefix(lines[0], "ocr-run: "+v.name+": ") || !strings.HasPrefix(lines[1], "Try: ocr-run "+v.name) {
					t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
				}
			})
		}
	}
}

// TestSilentVerbs checks that programs get no answer from what they must not take
// for one, however they call it.
func TestSilentVerbs(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"hook"}, {"hook", "--no-such-flag"}, {"hook", "a", "b", "c"}, {"hook", "nobody"}, {"hook", "claude", "{"}} {
		if code, stdout, stderr := invoke(t, args...); code != exitOK || stdout != "" || stderr != "" {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestWrapRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--nope", "true"}, {"--quiet"}, {"--"}, {"--timeout", "5", "true"}, {"--cwd", "absent", "true"}} {
		code, stdout, stderr := invoke(t, args...)
		if code != exitNotLaunched || stdout != "" || !strings.HasPrefix(stderr, "ocr-run: ") || !strings.HasSuffix(stderr, "\nTry: ocr-run --help\n") {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

// TestMisplacedFlag checks that a flag of a wrapped run in front of a verb is
// answered with both things that can have been meant.
func TestMisplacedFlag(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args      []string
		flag, try string
	}{
		{[]string{"--name", "x", "ps"}, "--name", "ocr-run ps, or, to wrap a command of that name: ocr-run --name x -- ps"},
		{
			[]string{"--json", "--env=A=b c", "ps", "aux", "--json"},
			"--env",
			"ocr-run ps aux --json, or, to wrap a command of that name: ocr-run --json '--env=A=b c' -- ps aux --json",
		},
		{[]string{"-q", "state", "list"}, "-q", "ocr-run state list, or, to wrap a command of that name: ocr-run -q -- state list"},
	} {
		code, stdout, stderr := invoke(t, tt.args...)
		verb, _, _ := strings.Cut(strings.Fields(tt.try)[1], ",")
		want := "ocr-run: " + verb + ": " + tt.flag + " is a flag of a wrapped run, and " + verb + " is a verb\nTry: " + tt.try + "\n"
		if code != exitUsage || stdout != "" || stderr != want {
			t.Errorf("%q: exit %d, stdout %q, stderr %q, want %q", tt.args, code, stdout, stderr, want)
		}
	}
	for _, args := range [][]string{{"--json", "ps"}, {"--json", "state", "list"}, {"--help", "ps"}} {
		if code, _, stderr := invoke(t, args...); code != exitOK {
			t.Errorf("%q: exit %d, stderr %q", args, code, stderr)
		}
	}
}

// TestReaderGone checks that a reader who leaves early is no failure.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !outputGone(w) {
		t.Error("a pipe without a reader counts as read")
	}
	env := processEnvironment()
	env.stdout = w
	for _, args := range [][]string{{"--help"}, {"help"}, {"completion", "bash"}, {"ps", "--help"}} {
		env.args = args
		if code := run(t.Context(), env); code != exitOK {
			t.Errorf("%q: exit %d", args, code)
		}
	}
}

func TestReportKeepsOneNextStep(t *testing.T) {
	t.Parallel()
	f, read := capture(t)
	env := environment{stderr: f}
	code := report(env, &verbError{thing: "show", err: store.ErrNotFound, try: "ocr-run history"})
	if got := read(); code != exitNotFound || got != "ocr-run: show: not found\nTry: ocr-run history\n" {
		t.Errorf("exit %d, stderr %q", code, got)
	}
}

// BenchmarkWrapOptions measures what stands between the start of a wrapped run
// and its launch on our side: taking the arguments apart.
func BenchmarkWrapOptions(b *testing.B) {
	args := []string{"--name", "n", "--quiet", "--", "true"}
	for b.Loop() {
		line := split(args, takesValue(wrapFlags()), isVerb)
		c, err := parseFlags(b.Context(), program, wrapFlags(), line.flags)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := parseOptions(c, "/"); err != nil {
			b.Fatal(err)
		}
	}
}
