package ocrdb

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAWriteBetweenLookAndExchangeIsNotLost(t *testing.T) {
	t.Parallel()
	replaced := func(t *testing.T, h Host) {
		put(t, h.Path+".1.tmp", "newer")
		if err := os.Rename(h.Path+".1.tmp", h.Path); err != nil {
			t.Fatal(err)
		}
	}
	inPlace := func(t *testing.T, h Host) {
		edited(t, h, "UPDATE sessions SET branch = 'elsewhere'")
	}
	for name, meanwhile := range map[string]func(*testing.T, Host){"renamed": replaced, "in place": inPlace} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hostWith(t, "v11")
			base, err := openBase(h.Path, os.O_RDWR)
			if err != nil {
				t.Fatal(err)
			}
			defer base.Close()
			content, err := base.content()
			if err != nil {
				t.Fatal(err)
			}
			meanwhile(t, h)
			want, err := os.ReadFile(h.Path)
			if err != nil {
				t.Fatal(err)
			}
			if err := replace(h.Path, base, content, true); !errors.Is(err, errContended) {
				t.Errorf("replace: %v", err)
			}
			if got, err := os.ReadFile(h.Path); err != nil || string(got) != string(want) {
				t.Errorf("the newer file is gone, %v", err)
			}
			if left := strange(t, h); left != "" {
				t.Errorf("left: %s", left)
			}
		})
	}
}

// TestAFileThatSlipsInGoesBack: between the look and the exchange itself
// another program's file came to the path.
func TestAFileThatSlipsInGoesBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, next := filepath.Join(dir, "ocr.db"), filepath.Join(dir, "next")
	put(t, path, "as we read it")
	base, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	put(t, path+".tmp", "newer")
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
	put(t, next, "ours")
	if err := exchangeFor(base, next, path); !errors.Is(err, errContended) {
		t.Errorf("exchange: %v", err)
	}
	for name, want := range map[string]string{path: "newer", next: "ours"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}
}

func TestRenameKeeping(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, next := filepath.Join(dir, "path"), filepath.Join(dir, "next")
	put(t, path, "old")
	put(t, next, "new")
	if err := renameKeeping(next, path); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "new", next: "old"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}
}

func TestTheFileKeepsItsModeAndItsLinkAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v9")
	target := filepath.Join(t.TempDir(), "kept.db")
	if err := os.Rename(h.Path, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, h.Path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, 0o640); err != nil {
		t.Fatal(err)
	}
	// What a killed writer of ours left.
	put(t, filepath.Join(filepath.Dir(target), "ocr.db.ocr-run-123.tmp"), "half")
	if err := h.Row(run(1)).Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if link, err := os.Readlink(h.Path); err != nil || link != target {
		t.Errorf("link %q, %v", link, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(target)); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestAProjectMayHaveAnyName(t *testing.T) {
	t.Parallel()
	for _, era := range eras() {
		h := hostWith(t, era)
		root := filepath.Join(t.TempDir(), "a [b? #c%20 'd\\e")
		if err := os.Rename(h.Root, root); err != nil {
			t.Fatal(err)
		}
		h, ok, err := Find(root)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := h.Row(run(1)).Announce(t.Context(), noon); err != nil {
			t.Error(err)
		}
		if _, ok, err := h.Execution(t.Context(), uid(1)); !ok || err != nil {
			t.Errorf("%s: %v, %v", era, ok, err)
		}
	}
}

// TestASQLiteToolThatIsOpenSeesOurRow: a file of the rename era whose header
// asks for a log is open in a SQLite tool. The write must not go past it.
func TestASQLiteToolThatIsOpenSeesOurRow(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v9")
	tool := raw(t, h.Path, "")
	execute(t, tool, "UPDATE sessions SET branch = 'from the tool' WHERE id = '2026-11-21-fix-rate-limit'")
	r := h.Row(run(1))
	if err := r.Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if got := dump(t, tool, "SELECT uid FROM command_executions WHERE uid = ?", uid(1)); len(got) != 1 {
		t.Errorf("the tool sees %v", got)
	}
	if list, err := h.Workflows(t.Context(), Ask{ID: "2026-11-21-fix-rate-limit"}); err != nil || len(list) != 1 || list[0].Branch != "from the tool" {
		t.Errorf("we do not see the tool's write: %+v, %v", list, err)
	}
	if err := tool.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Finish(t.Context(), ended(0)); err != nil {
		t.Fatal(err)
	}
	if list, err := h.Workflows(t.Context(), Ask{ID: "2026-11-21-fix-rate-limit"}); err != nil || len(list) != 1 || list[0].Branch != "from the tool" {
		t.Errorf("the tool's write is lost: %+v, %v", list, err)
	}
	sound(t, h, "v9")
}

// TestALogOfAFileThatIsGoneIsNotReplayed: a tool died, and then the product
// renamed a new file over the one its log belongs to.
func TestALogOfAFileThatIsGoneIsNotReplayed(t *testing.T) {
	t.Parallel()
	h := hostWith(t, "v9")
	newer, err := os.ReadFile(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	tool := raw(t, h.Path, "&_pragma=wal_autocheckpoint(0)")
	execute(t, tool, "DELETE FROM orchestration_events")
	log, err := os.ReadFile(h.Path + "-wal")
	if err != nil || len(log) == 0 {
		t.Fatalf("no log: %v", err)
	}
	if err := tool.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, h.Path+"-wal", string(log))
	old := time.UnixMilli(noon)
	if err := os.Chtimes(h.Path+"-wal", old, old); err != nil {
		t.Fatal(err)
	}
	put(t, h.Path, string(newer))
	if err := h.Row(run(1)).Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.Path + "-wal"); err != nil {
		t.Error(err)
	}
	db := copyOf(t, h)
	if got := dump(t, db, "SELECT id FROM orchestration_events"); len(got) == 0 {
		t.Error("the product's events are gone")
	}
	if got := dump(t, db, "SELECT id FROM command_executions WHERE uid = ?", uid(1)); len(got) != 1 {
		t.Errorf("our row: %v", got)
	}
}

// TestReadingLeavesNoTrace: in the rename era a look must not even touch the
// file, whatever its header says.
func TestReadingLeavesNoTrace(t *testing.T) {
	t.Parallel()
	for _, era := range []string{"v9", "v11"} {
		h := hostWith(t, era)
		before, err := os.ReadFile(h.Path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Executions(t.Context(), Select{}); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(h.Path)
		if err != nil || string(before) != string(after) || strange(t, h) != "" {
			t.Errorf("%s: changed, or left %q, %v", era, strange(t, h), err)
		}
	}
}

// TestALockedDatabaseIsGivenUpOnInTime: another program holds the write lock
// and does not let go.
func TestALockedDatabaseIsGivenUpOnInTime(t *testing.T) {
	t.Parallel()
	for _, era := range []string{"v11", "v14"} {
		h := hostWith(t, era)
		release := locked(t, h, era)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := h.Row(run(1)).Announce(ctx, noon); err == nil {
			t.Errorf("%s: written through a lock", era)
		}
		release()
		if err := h.Row(run(1)).Announce(t.Context(), noon); err != nil {
			t.Errorf("%s: after the lock: %v", era, err)
		}
	}
}

// locked holds the write lock as another process would. Up to 11 that is the
// lock itself: those of a connection in this process go with any file closed.
func locked(t *testing.T, h Host, era string) (release func()) {
	t.Helper()
	if renameEra(era) {
		base, err := openBase(h.Path, os.O_RDWR)
		if err == nil {
			err = base.shutOut()
		}
		if err != nil {
			t.Fatal(err)
		}
		return func() { _ = base.Close() }
	}
	tx, err := raw(t, h.Path, "&_txlock=immediate").Begin()
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// TestNobodyWaitsLongForUs: while runs write without a pause, another program's
// writes are never held up by more than a moment. The bound is generous: a
// machine may stop us anywhere; most waits must be far below it.
func TestNobodyWaitsLongForUs(t *testing.T) {
	h := hostWith(t, "v14")
	stop, over := make(chan struct{}), make(chan struct{})
	r := h.Row(run(1))
	if err := r.Announce(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(over)
		for n := int64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
				_, err := r.Beat(context.Background(), noon+n*60_000)
				passing(t, err)
			}
		}
	}()
	tool := raw(t, h.Path, "&_txlock=immediate")
	const tries = 60
	slow := 0
	for range tries {
		began := time.Now()
		execute(t, tool, "UPDATE sessions SET updated_at = updated_at WHERE id = '2026-07-30-main-map'")
		if time.Since(began) > 50*time.Millisecond {
			slow++
		}
	}
	close(stop)
	<-over
	if slow > tries/4 && !raceDetector {
		t.Errorf("%d of %d writes took more than 50 ms", slow, tries)
	}
}

// TestCallsMayBeCancelled: a caller that gives up is obeyed.
func TestCallsMayBeCancelled(t *testing.T) {
	t.Parallel()
	for _, era := range eras() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h := hostWith(t, era)
		if _, err := h.Row(run(1)).Beat(ctx, noon); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", era, err)
		}
	}
}
