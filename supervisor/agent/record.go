package agent

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Place is where a run's agent lives. Nothing is read from our own environment.
type Place struct {
	// Dir is the directory the agent runs in.
	Dir string
	// Home is the user's home directory.
	Home string
	// Env looks up a variable in the agent's environment; nil for none.
	Env func(string) string
}

// env is a variable's value, or otherwise when it is unset.
func (p Place) env(name, otherwise string) string {
	if p.Env != nil {
		if v := p.Env(name); v != "" {
			return v
		}
	}
	return otherwise
}

// dirs lists the names the agent may know its directory by.
func (p Place) dirs() []string {
	if actual, err := filepath.EvalSymlinks(p.Dir); err == nil && actual != p.Dir {
		return []string{actual, p.Dir}
	}
	return []string{p.Dir}
}

// Record is where an agent keeps the history of a session.
type Record struct {
	// Path is a file of JSON lines or, when Query is set, an SQLite database.
	Path string
	// Query selects one text column, oldest row first; each row is for ReadRows.
	Query string
	// Args are the values for the query's parameters.
	Args []any
}

// record is how an agent keeps its histories. Its zero value keeps none.
type record struct {
	// files lists glob patterns of the histories that may be meant.
	files func(p Place, session string) []string
	// about reads from a history's first value the directory and the session it
	// is about, and whether it is one of a helper's rather than the user's.
	about func([]byte) about
	// line takes in one value of a history.
	line func(*track, []byte)
	// database finds a history that is kept in SQLite.
	database func(p Place, session string, since time.Time) Record
}

// about is what a history says of itself; an empty field says nothing.
type about struct {
	dir, session string
	helper       bool
	born         time.Time
}

// slack is how much earlier than the start of a run the file of its history may be
// dated: file systems round, some to two seconds, and kernels lag behind.
const slack = 2 * time.Second

// within says whether an entry with that stamp was written in a run that began at
// since. Programs round down, to seconds or milliseconds; more is not forgiven, for
// the run before may have ended a moment ago.
func within(at, since time.Time) bool {
	if at.Nanosecond() == 0 {
		return !at.Before(since.Truncate(time.Second))
	}
	return !at.Before(since.Truncate(time.Millisecond))
}

// FindRecord finds the history of the run of that invocation that began at since in
// that place: the one of the session if its name is known, else the only one written
// to since then. Unless the invocation continues a session, one that is older than
// the run is not meant: somebody else goes on with it, or its run has just ended. Only
// a person may have turned to an older one in a conversation, and then it is written to
// in the run itself. It is false when there is none, or when several could be meant.
func (a Agent) FindRecord(p Place, in Invocation, session string, since time.Time) (Record, bool) {
	if a.record.database != nil {
		r := a.record.database(p, session, since)
		if _, err := os.Stat(r.Path); err != nil {
			return Record{}, false
		}
		return r, true
	}
	if a.record.files == nil {
		return Record{}, false
	}
	var found, born []string
	for _, path := range candidates(a.record.files(p, session), since) {
		ab := a.record.introduce(path)
		if ab.helper || session == "" && ab.dir != "" && !slices.Contains(p.dirs(), ab.dir) || session != "" && ab.session != "" && ab.session != session {
			continue
		}
		fresh := !ab.born.IsZero() && within(ab.born, since)
		older := session == "" && !in.Resumes && !ab.born.IsZero() && !fresh
		if older && (in.Mode == ModeHeadless || !touched(path, since)) {
			continue
		}
		found = append(found, path)
		if fresh {
			born = append(born, path)
		}
	}
	if len(found) != 1 && session == "" {
		found = born
	}
	if len(found) != 1 {
		return Record{}, false
	}
	return Record{Path: found[0]}, true
}

// touched says whether a file was written to in a run that began at since.
func touched(path string, since time.Time) bool {
	info, err := os.Stat(path)
	return err == nil && within(info.ModTime(), since)
}

// candidates lists the files the patterns fit that were written to since then.
func candidates(patterns []string, since time.Time) []string {
	var all []string
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			info, err := os.Stat(path)
			if err == nil && info.Mode().IsRegular() && !info.ModTime().Before(since.Add(-slack)) && !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// headMost and tailMost bound what is read of a history, in bytes.
const (
	headMost = 256 << 10
	tailMost = 4 << 20
)

// introduce asks a history what it is about.
func (r record) introduce(path string) about {
	if r.about == nil {
		return about{}
	}
	b := section(path, 0, headMost)
	var first about
	var v values
	each := func(value []byte) {
		ab := r.about(value)
		if first.dir == "" {
			first.dir = ab.dir
		}
		if first.session == "" {
			first.session = ab.session
		}
		if first.born.IsZero() {
			first.born = stamp(value)
		}
		first.helper = first.helper || ab.helper
	}
	v.feed(b, each)
	v.end(each)
	return first
}

// ReadRecord says how the last turn since then stands in a history of JSON lines,
// read from its end. It says nothing when the file cannot be read.
func (a Agent) ReadRecord(r Record, since time.Time) Standing {
	if a.record.line == nil || r.Query != "" {
		return Standing{}
	}
	info, err := os.Stat(r.Path)
	if err != nil {
		return Standing{}
	}
	from := max(0, info.Size()-tailMost)
	b := section(r.Path, from, tailMost)
	if from > 0 {
		_, rest, _ := strings.Cut(string(b), "\n")
		b = []byte(rest)
	}
	var t track
	v := values{}
	each := func(value []byte) {
		if at := stamp(value); at.IsZero() || within(at, since) {
			a.record.line(&t, value)
		}
	}
	v.feed(b, each)
	v.end(each)
	return t.Standing
}

// ReadRows says the same of the rows a Record's query selected.
func (a Agent) ReadRows(rows []string) Standing {
	var t track
	if a.record.database == nil {
		return t.Standing
	}
	for _, row := range rows {
		before := t.Session
		a.record.line(&t, []byte(row))
		if before != "" && t.Session != before {
			return Standing{} // two sessions: nobody knows which is meant
		}
	}
	return t.Standing
}

// section reads part of a regular file, as far as it can be read. Whatever else bears
// the name, a pipe that nobody writes to for one, holds nobody up.
func section(path string, from, most int64) []byte {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read from
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	b, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return nil
	}
	return b
}

// stamp is when an entry of a history was written, zero if it does not say.
func stamp(value []byte) time.Time {
	var entry struct {
		Timestamp string `json:"timestamp"`
	}
	decode(value, &entry)
	at, err := time.Parse(time.RFC3339, entry.Timestamp)
	if err != nil {
		return time.Time{}
	}
	return at
}
