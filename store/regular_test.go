package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/store/storetest"
)

// What is no file holds nobody up, whatever its name: those who take in all there is leave
// it alone, and whoever asks for that very run learns that it cannot be read or written.
func TestOnlyRegularFilesAreSpools(t *testing.T) {
	t.Parallel()
	place := map[string]func(path string) error{
		"fifo":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink("/dev/zero", path) },
		"socket":    listenAt,
	}
	for _, suffix := range []string{".jsonl", ".jsonl.taken"} {
		for name, place := range place {
			t.Run(name+suffix, func(t *testing.T) {
				t.Parallel()
				var err error
				d := newDesk(t)
				l := storetest.Open(t, d.path)
				must(t, os.Mkdir(d.spool, 0o700))
				must(t, place(filepath.Join(d.spool, "u1"+suffix)))
				soon(t, func() { readAround(t, l, d) })
				if _, err := os.Lstat(filepath.Join(d.spool, "u1"+suffix)); err != nil {
					t.Error(err)
				}
				r := withoutLedger(t, d.spool)
				soon(t, func() { _, err = r.Announce(t.Context(), storetest.Announcement("u1", 100, 1000)) })
				must(t, err)
				if trouble := r.Trouble(); (trouble != nil) != (suffix == ".jsonl") {
					t.Errorf("Trouble() = %v", trouble)
				}
			})
		}
	}
}

// readAround has everybody look into the spool who does.
func readAround(t *testing.T, l *store.Ledger, d *desk) {
	t.Helper()
	if n, err := store.IngestSpool(t.Context(), l, d.spool); n != 0 || err != nil {
		t.Errorf("IngestSpool() = %d, %v", n, err)
	}
	if waiting, _, err := store.SpoolState(d.spool); waiting != 0 || err != nil {
		t.Errorf("SpoolState() = %d, %v", waiting, err)
	}
	if err := store.IngestRun(t.Context(), l, d.spool, "u1"); err == nil {
		t.Error("the run's facts were taken in")
	}
	// What may have been told of turns is not known, and silence is not to pass for an end.
	if turn, err := d.LastTurn(t.Context(), "u1"); err == nil {
		t.Errorf("LastTurn() = %q", turn)
	}
}

// withoutLedger is a recorder that has a spool alone.
func withoutLedger(t *testing.T, spool string) *store.Recorder {
	t.Helper()
	r := store.NewRecorder(store.RecorderConfig{
		SpoolDir: spool, Open: func(context.Context) (*store.Ledger, error) { return nil, errAway },
	})
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// listenAt puts a socket at path.
func listenAt(path string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Close(fd))
}

// soon fails when something waits.
func soon(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits")
	}
}
