package ocrdb

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// noon is the time the newest fixture speaks of, in wall-clock milliseconds.
const noon = 1785412800000 // 2026-07-30T12:00:00Z

// eras are the fixtures: one database per generation of the product.
func eras() []string { return []string{"v9", "v11", "v14"} }

// renameEra says whether a fixture is written by renaming whole files.
func renameEra(name string) bool { return name != "v14" }

// hostWith copies a fixture into a project of its own.
func hostWith(t testing.TB, name string) Host {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".db"))
	if err != nil {
		t.Fatal(err)
	}
	h := Host{Root: t.TempDir()}
	h.Path = filepath.Join(h.Root, ".ocr", "data", "ocr.db")
	put(t, h.Path, string(content))
	return h
}

// put writes a file and the directories above it.
func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// raw opens the file as any other program would, until the test ends.
func raw(t testing.TB, path, options string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"+options)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// copyOf is a private copy of the database, to look at without leaving a trace.
func copyOf(t testing.TB, h Host) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(h.Path + suffix)
		if err == nil {
			put(t, path+suffix, string(content))
		}
	}
	return raw(t, path, "")
}

// execute runs a statement that must work.
func execute(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// edited changes the database as a SQLite tool would, and leaves nothing open.
func edited(t testing.TB, h Host, query string, args ...any) {
	t.Helper()
	db := raw(t, h.Path, "")
	if renameEraFile(t, db) {
		execute(t, db, "PRAGMA journal_mode=DELETE")
	}
	execute(t, db, query, args...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// renameEraFile asks a database for its era.
func renameEraFile(t testing.TB, db *sql.DB) bool {
	t.Helper()
	var version int
	if err := db.QueryRow("SELECT max(version) FROM schema_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version <= lastRenameEra
}

// dump is a table as text, one line per row.
func dump(t testing.TB, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, cells := make([]any, len(columns)), make([]string, len(columns))
		for i := range values {
			values[i] = new(sql.NullString)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if s := v.(*sql.NullString); s.Valid {
				cells[i] = columns[i] + "=" + s.String
			} else {
				cells[i] = columns[i] + " null"
			}
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// sound fails the test unless the database is intact and, in the rename era,
// as its programs want it: no log beside it and none asked for.
func sound(t testing.TB, h Host, name string) {
	t.Helper()
	db := copyOf(t, h)
	if got := dump(t, db, "PRAGMA integrity_check"); len(got) != 1 || !strings.HasSuffix(got[0], "=ok") {
		t.Errorf("integrity: %v", got)
	}
	if got := dump(t, db, "PRAGMA foreign_key_check"); len(got) != 0 {
		t.Errorf("foreign keys: %v", got)
	}
	if !renameEra(name) {
		return
	}
	content, err := os.ReadFile(h.Path)
	if err != nil {
		t.Fatal(err)
	}
	if content[writeFormat] != legacy || content[readFormat] != legacy {
		t.Errorf("header asks for a log: %d, %d", content[writeFormat], content[readFormat])
	}
	if left := strange(t, h); left != "" {
		t.Errorf("left beside the database: %s", left)
	}
}

// strange lists what lies beside the database and is not the product's.
func strange(t testing.TB, h Host) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(h.Path))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		if e.Name() != dbName && e.Name() != ".cache" {
			left = append(left, e.Name())
		}
	}
	return strings.Join(left, " ")
}

// uid makes a uid that no fixture has.
func uid(n int) string { return fmt.Sprintf("0198c0de-0000-7000-8000-%012d", n) }

// run is an announcement of a run of claude at noon.
func run(n int) Announcement {
	return Announcement{UID: uid(n), Command: []string{"claude", "-p", "review <this> & that"}, Vendor: "claude", StartedMS: noon}
}
