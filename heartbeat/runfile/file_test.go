package runfile

import (
	"bufio"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// begin starts a helper and returns once it has said what is expected of it.
func begin(t *testing.T, what, arg, says string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], helperArg, what, arg)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(cmd) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != says {
		t.Fatalf("helper says %q, %v", line, err)
	}
	return cmd
}

// end kills a helper and takes in its exit.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func held(t *testing.T, path string) bool {
	t.Helper()
	held, err := Held(path)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

func TestRunFileLife(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "state"), "u")
	if err != nil {
		t.Fatal(err)
	}
	path := f.Path()
	if path != Path(filepath.Join(dir, "state"), "u") || !held(t, path) || !held(t, path) {
		t.Errorf("lease at %s is not held", path)
	}
	for p, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", p, st.Mode(), err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("there is more than the run file: %v", entries)
	}
	if _, err := Create(filepath.Join(dir, "state"), "u"); !errors.Is(err, ErrTaken) {
		t.Errorf("a second wrapper got %v", err)
	}
	if err := f.Release(false); err != nil {
		t.Error(err)
	}
	if held(t, path) {
		t.Error("a released lease is held")
	}
	if err := f.Release(true); err != nil {
		t.Error(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatalf("a file that was kept: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "state"), "u"); !errors.Is(err, ErrTaken) {
		t.Errorf("who comes after one that left its record got %v", err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the record was replaced: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	g, err := Create(filepath.Join(dir, "state"), "u")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Release(true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) || held(t, path) {
		t.Errorf("a removed file is there: %v", err)
	}
}

// Of many who take a run at once one gets it, and the others leave nothing behind.
func TestARunIsTakenOnce(t *testing.T) {
	t.Parallel()
	for range 50 {
		dir := t.TempDir()
		var all sync.WaitGroup
		var got atomic.Int32
		start := make(chan struct{})
		for range 8 {
			all.Go(func() {
				<-start
				switch _, err := Create(dir, "u"); {
				case err == nil:
					got.Add(1)
				case !errors.Is(err, ErrTaken):
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		entries, err := os.ReadDir(filepath.Join(dir, runsDir))
		if n := got.Load(); n != 1 || len(entries) != 1 || err != nil {
			t.Fatalf("%d of 8 got it; there are %v, %v", n, entries, err)
		}
	}
}

// Both ways to give a file its name leave alone what has it.
func TestPublishingReplacesNothing(t *testing.T) {
	t.Parallel()
	for name, publish := range map[string]func(from, to string) error{"rename": renameNew, "link": linkNew} {
		dir := t.TempDir()
		path := func(name string) string { return filepath.Join(dir, name) }
		for _, from := range []string{"a", "b"} {
			if err := os.WriteFile(path(from), []byte(from), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := publish(path("a"), path("u")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := publish(path("b"), path("u")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s over another: %v", name, err)
		}
		if err := publish(path("gone"), path("v")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of nothing: %v", name, err)
		}
		entries, err := os.ReadDir(dir)
		content, _ := os.ReadFile(path("u"))
		if err != nil || len(entries) != 2 || string(content) != "a" {
			t.Errorf("%s left %v, %q, %v", name, entries, content, err)
		}
	}
}

// Askers do not disturb each other, nor leave a lock behind.
func TestLeaseHeldLeavesNoLock(t *testing.T) {
	t.Parallel()
	f, err := Create(t.TempDir(), "u")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Release(false); err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := flock(other, unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if held(t, f.Path()) {
		t.Error("another asker is taken for a wrapper")
	}
	if err := flock(other, unix.LOCK_EX); err != nil {
		t.Errorf("a lock was left behind: %v", err)
	}
}

// The kernel frees the lease of a wrapper that is killed, and not of one that
// is stopped.
func TestLeaseFollowsItsHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := begin(t, "hold", dir, "holding <nil>")
	path := Path(dir, "u")
	if err := cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if !held(t, path) {
		t.Error("a stopped wrapper lost its lease")
	}
	end(cmd)
	if held(t, path) {
		t.Error("a dead wrapper holds its lease")
	}
}

// No child inherits the lease, or a descriptor of any kind.
func TestLeaseIsNotInherited(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Create(dir, "u")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(os.Args[0], helperArg, "descriptors", f.Path()).Output()
	if err != nil || !strings.HasPrefix(string(out), "false ") {
		t.Errorf("child says %q, %v", out, err)
	}
	begin(t, "hold", t.TempDir(), "holding <nil>") // lives on
	if err := f.Release(false); err != nil {
		t.Error(err)
	}
	if held(t, f.Path()) {
		t.Error("a child holds the lease")
	}
}

func TestExitRecordInFile(t *testing.T) {
	t.Parallel()
	f, err := Create(t.TempDir(), "u")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Release(true) }()
	if rec, ok, err := ReadExit(f.Path()); ok || err != nil {
		t.Errorf("an empty file holds %+v, %v", rec, err)
	}
	for i := range int64(3) {
		if err := WriteExit(f.Path(), numbered(i), true); err != nil {
			t.Fatal(err)
		}
		if rec, ok, err := ReadExit(f.Path()); !ok || err != nil || !reflect.DeepEqual(rec, numbered(i)) {
			t.Errorf("ReadExit() = %+v, %v, %v", rec, ok, err)
		}
	}
	if st, err := os.Stat(f.Path()); err != nil || st.Size() != recordSize {
		t.Errorf("the file has grown: %d bytes, %v", st.Size(), err)
	}
	if !held(t, f.Path()) {
		t.Error("writing the record dropped the lease")
	}
}

func TestExitRecordWithoutFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "u")
	if _, ok, err := ReadExit(path); ok || err != nil {
		t.Errorf("ReadExit() = %v, %v", ok, err)
	}
	if err := WriteExit(path, numbered(1), true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("WriteExit() = %v", err)
	}
}

func TestExitRecordTorn(t *testing.T) {
	t.Parallel()
	whole, err := numbered(150).encode()
	if err != nil {
		t.Fatal(err)
	}
	other, err := numbered(199).encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "u")
	used := len(strings.TrimRight(string(whole), "\n"))
	for cut := range used {
		for _, rest := range [][]byte{nil, make([]byte, recordSize-cut), other[cut:]} {
			if err := os.WriteFile(path, append(append([]byte{}, whole[:cut]...), rest...), 0o600); err != nil {
				t.Fatal(err)
			}
			if rec, ok, _ := ReadExit(path); ok && !reflect.DeepEqual(rec, numbered(199)) {
				t.Fatalf("cut at %d reads as %+v", cut, rec)
			}
		}
	}
}

// A writer killed at any moment leaves a whole record.
func TestExitRecordSurvivesKill(t *testing.T) {
	t.Parallel()
	f, err := Create(t.TempDir(), "u")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Release(true) }()
	for range 15 {
		cmd := begin(t, "write", f.Path(), "writing")
		var read int64
		for stop := time.Now().Add(time.Duration(rand.IntN(10)) * time.Millisecond); time.Now().Before(stop); {
			if rec, ok, _ := ReadExit(f.Path()); ok && !reflect.DeepEqual(rec, numbered(rec.Generation)) {
				t.Fatalf("a mixture while writing: %+v", rec)
			}
			read++
		}
		end(cmd)
		if rec, ok, err := ReadExit(f.Path()); err != nil || (ok && !reflect.DeepEqual(rec, numbered(rec.Generation))) {
			t.Fatalf("after the kill: %+v, %v, %v", rec, ok, err)
		}
	}
}

func BenchmarkCreateRunFile(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		f, err := Create(dir, "u")
		if err != nil {
			b.Fatal(err)
		}
		if err := f.Release(true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteExit(b *testing.B) {
	f, err := Create(b.TempDir(), "u")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := WriteExit(f.Path(), numbered(1), true); err != nil {
			b.Fatal(err)
		}
	}
	_ = f.Release(true)
}
