package ocrdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// memoryWriter behaves as the product's long-lived program of the rename era:
// it holds the whole database in memory, numbers its own rows itself, takes up
// what it finds in the file when that has changed, and saves by writing a new
// file and renaming it over the old one, with no lock and no look.
type memoryWriter struct {
	t     *testing.T
	path  string
	conn  *sql.Conn
	mtime time.Time
	mine  []string
	// merges says whether it takes up rows of command_executions, as from 1.11.
	merges bool
}

func newMemoryWriter(t *testing.T, path string, merges bool) *memoryWriter {
	t.Helper()
	db := raw(t, ":memory:", "")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &memoryWriter{t: t, path: path, conn: conn, merges: merges}
	w.load(conn)
	return w
}

// load reads the file in one go, without a lock, into a connection.
func (w *memoryWriter) load(conn *sql.Conn) {
	content, err := os.ReadFile(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	content[writeFormat], content[readFormat] = legacy, legacy
	if err := conn.Raw(func(c any) error { return c.(image).Deserialize(content) }); err != nil {
		w.t.Fatal(err)
	}
}

// merge takes up rows by their integer id, the file's replacing its own.
func (w *memoryWriter) merge() {
	info, err := os.Stat(w.path)
	if err != nil || !w.merges || !info.ModTime().After(w.mtime) {
		return
	}
	w.mtime = info.ModTime()
	db := raw(w.t, ":memory:", "")
	defer db.Close()
	disk, err := db.Conn(context.Background())
	if err != nil {
		w.t.Error(err)
		return
	}
	defer disk.Close()
	w.load(disk)
	rows, err := disk.QueryContext(context.Background(), `SELECT id, uid, command, args, exit_code, started_at, finished_at,
		workflow_id, vendor, vendor_session_id, last_heartbeat_at, notes, name FROM command_executions`)
	if err != nil {
		w.t.Error("load: ", err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		values := make([]any, 13)
		into := make([]any, 13)
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Error(err)
		}
		w.do(`INSERT OR REPLACE INTO command_executions (id, uid, command, args, exit_code, started_at, finished_at,
			workflow_id, vendor, vendor_session_id, last_heartbeat_at, notes, name) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`, values...)
	}
	if err := rows.Err(); err != nil {
		w.t.Error(err)
	}
}

// do runs a statement in its memory.
func (w *memoryWriter) do(query string, args ...any) {
	if _, err := w.conn.ExecContext(context.Background(), query, args...); err != nil {
		w.t.Error("write: ", err)
	}
}

// add writes one row of its own, numbered by its own counter, and saves.
func (w *memoryWriter) add(n int) {
	id := fmt.Sprintf("dash-%d", n)
	w.do(`INSERT INTO command_executions (uid, command, args, started_at, exit_code, finished_at)
		VALUES (?, 'ocr progress', '[]', ?, 0, ?)`, id, stamp(noon), stamp(noon))
	w.mine = append(w.mine, id)
	w.save()
}

// save merges and then replaces the file.
func (w *memoryWriter) save() {
	w.merge()
	var content []byte
	err := w.conn.Raw(func(c any) (err error) {
		content, err = c.(image).Serialize()
		return err
	})
	tmp := fmt.Sprintf("%s.%d.tmp", w.path, os.Getpid())
	if err == nil {
		err = os.WriteFile(tmp, content, 0o644)
	}
	if err == nil {
		err = os.Rename(tmp, w.path)
	}
	if info, statErr := os.Stat(w.path); err == nil && statErr == nil {
		w.mtime = info.ModTime()
	}
	if err != nil {
		w.t.Error("save: ", err)
	}
}

// shortLived behaves as one command of the product: it loads, adds an event and
// saves at once.
func shortLived(t *testing.T, path string, n int) {
	w := newMemoryWriter(t, path, false)
	defer w.conn.Close()
	w.do(`INSERT INTO orchestration_events (session_id, event_type, phase, metadata)
		SELECT id, 'phase_transition', 'reviews', ? FROM sessions LIMIT 1`, fmt.Sprint("cli-", n))
	w.save()
}

// TestNoRowIsLostToRenames lets runs write while a program replaces the whole
// file over and over, and looks for every row of either side at the end.
func TestNoRowIsLostToRenames(t *testing.T) {
	for _, c := range []struct {
		name, era string
		merges    bool
		each      int
	}{
		{"a program that merges", "v11", true, 3},
		{"a program that forgets", "v9", false, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hostWith(t, c.era)
			stop, over := make(chan struct{}), make(chan struct{})
			w := newMemoryWriter(t, h.Path, c.merges)
			defer w.conn.Close()
			go func() {
				defer close(over)
				// Its own work and the saving take as long again as the pause.
				again := time.NewTicker(period())
				defer again.Stop()
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					case <-again.C:
						w.add(n)
					}
				}
			}()
			runs := race(t, h, 20, beats(c.each))
			close(stop)
			<-over
			// The program has saved for the last time; what is put back now stays.
			for _, r := range runs {
				if _, err := r.row.Finish(t.Context(), r.end); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%d renames", len(w.mine))
			if len(w.mine) < 5 {
				t.Errorf("only %d renames: nothing was hammered", len(w.mine))
			}
			allThere(t, h, w.mine, runs)
			sound(t, h, c.era)
		})
	}
}

// beats is how often a run of the hammer beats: once where the race detector
// makes every statement twenty times as slow.
func beats(n int) int {
	if raceDetector {
		return 1
	}
	return n
}

// period is the pause between two saves.
func period() time.Duration {
	if raceDetector {
		return 60 * time.Millisecond
	}
	return 5 * time.Millisecond
}

// racer is one run of the hammer.
type racer struct {
	row *Row
	end Ending
}

// race announces, beats and ends n runs at the same time.
func race(t *testing.T, h Host, n, beats int) []racer {
	runs := make([]racer, n)
	var wg sync.WaitGroup
	for i := range runs {
		runs[i] = racer{
			row: h.Row(run(i)),
			end: Ending{Process: lifecycle.Process{End: lifecycle.EndExited, ExitCode: new(i % 3)}, Cause: lifecycle.CauseFinished, AtMS: noon + 1e6},
		}
		wg.Go(func() {
			ctx := context.Background()
			passing(t, runs[i].row.Announce(ctx, noon))
			for b := range beats {
				_, err := runs[i].row.Beat(ctx, noon+int64(b+1)*60_000)
				passing(t, err)
			}
			_, err := runs[i].row.Finish(ctx, runs[i].end)
			passing(t, err)
		})
	}
	wg.Wait()
	return runs
}

// passing allows what a busy file may answer: the next call makes up for it.
func passing(t *testing.T, err error) {
	if err != nil && !errors.Is(err, ErrNotStanding) && !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}

// allThere looks for every row of the other program and of ours.
func allThere(t *testing.T, h Host, theirs []string, runs []racer) {
	t.Helper()
	list, err := h.Executions(t.Context(), Select{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Execution{}
	for _, e := range list {
		found[e.UID] = e
	}
	for _, id := range theirs {
		if _, ok := found[id]; !ok {
			t.Errorf("row %s of the other program is lost", id)
		}
	}
	for i, r := range runs {
		e, ok := found[uid(i)]
		if !ok || !e.Ours || e.ExitCode == nil || *e.ExitCode != *r.end.Process.ExitCode {
			t.Errorf("row %d of ours: %+v", i, e)
		}
	}
}

// TestNoEventIsLostToRuns lets commands of the product come one after another
// while runs write: they do not merge and do not look, and so whatever they
// wrote must be there unless one of themselves replaced it.
func TestNoEventIsLostToRuns(t *testing.T) {
	h := hostWith(t, "v9")
	const commands = 25
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range commands {
			shortLived(t, h.Path, n)
		}
	})
	runs := race(t, h, 6, beats(8))
	wg.Wait()
	for _, r := range runs {
		if _, err := r.row.Finish(t.Context(), r.end); err != nil {
			t.Error(err)
		}
	}
	if got := dump(t, copyOf(t, h), "SELECT id FROM orchestration_events WHERE metadata LIKE 'cli-%'"); len(got) != commands {
		t.Errorf("%d of %d events are there", len(got), commands)
	}
	allThere(t, h, nil, runs)
	sound(t, h, "v9")
}

// TestManyWritersInTheNativeEra has 50 connections of the product's kind and 20
// runs write at once.
func TestManyWritersInTheNativeEra(t *testing.T) {
	h := hostWith(t, "v14")
	var wg sync.WaitGroup
	var theirs []string
	for i := range 50 {
		id := fmt.Sprintf("dash-%d", i)
		theirs = append(theirs, id)
		db := raw(t, h.Path, "&_txlock=immediate")
		wg.Go(func() {
			for _, q := range []string{
				"INSERT INTO command_executions (uid, command, started_at, last_heartbeat_at) VALUES (?1, 'ocr review x', datetime('now'), datetime('now'))",
				"UPDATE command_executions SET last_heartbeat_at = datetime('now') WHERE uid = ?1",
				"UPDATE command_executions SET exit_code = 0, finished_at = datetime('now') WHERE uid = ?1 AND finished_at IS NULL",
			} {
				if _, err := db.Exec(q, id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runs := race(t, h, 20, beats(4))
	wg.Wait()
	for _, r := range runs {
		if _, err := r.row.Finish(t.Context(), r.end); err != nil {
			t.Error(err)
		}
	}
	allThere(t, h, theirs, runs)
	sound(t, h, "v14")
	if _, err := os.Stat(filepath.Join(filepath.Dir(h.Path), ".cache", "command-history.jsonl")); err != nil {
		t.Error(err)
	}
}
