package agent

import (
	"io"
	"os"
	"path/filepath"
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

	below bool // it is some directory below Dir, and not Dir
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
	// Certain is true when the record itself shows that it is the run's, and false
	// when it is only the one that there is.
	Certain bool
	// Strange is true when what stands in it is not what the run was asked: whoever
	// named its session did not mean the run's.
	Strange bool
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
	// unkept is a variable that keeps it from being written when it is on; empty for none.
	unkept string
	// database finds a history that is kept in SQLite.
	database func(p Place, in Invocation, session string, since time.Time) Record
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

// Bounds on what is read of a history, in bytes: of its start, of its end, and of its
// end where that is a single entry, the answer of a tool for one.
const (
	headMost  = 256 << 10
	tailMost  = 4 << 20
	entryMost = 64 << 20
)

// introduce asks a history what it is about.
func (r record) introduce(path string) about {
	if r.about == nil {
		return about{}
	}
	b := start(path)
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

// stretch tells which entries of a history a run wrote that began at since.
type stretch struct {
	since time.Time
	// begun: it has told something. Histories are appended to, so that all that
	// follows is the run's, even when the clock was set back in between. What only
	// opens a history tells nothing: copies of older entries may follow it.
	begun bool
	// older: there was an entry from before.
	older bool
}

// take has a track take in one value of a history if the run wrote it.
func (s *stretch) take(r record, t *track, value []byte) {
	if s.begun {
		r.line(t, value)
		return
	}
	at := stamp(value)
	if !at.IsZero() && !within(at, s.since) {
		s.older = true
		return
	}
	turn, moves := t.Turn, t.Moves
	r.line(t, value)
	s.begun = !at.IsZero() && (t.Turn != turn || t.Moves != moves)
}

// ReadRecord says how the last turn since then stands in a history of JSON lines,
// read from its end. It says nothing when the file cannot be read, and that a turn is
// open when all that can be read is the middle of one entry.
func (a Agent) ReadRecord(r Record, since time.Time) Standing {
	if a.record.line == nil || r.Query != "" {
		return Standing{}
	}
	said, more := a.readTail(r.Path, since, tailMost)
	if more {
		said, _ = a.readTail(r.Path, since, entryMost)
	}
	return said
}

// readTail reads the last most bytes of a history. It asks for more of them when none
// of their entries tells anything, and there may be one before them that does.
func (a Agent) readTail(path string, since time.Time, most int64) (said Standing, more bool) {
	info, err := os.Stat(path)
	if err != nil {
		return Standing{}, false
	}
	from := max(0, info.Size()-most)
	// A value that was cut is no value, and is left out.
	var (
		t    track
		v    = values{junk: from > 0}
		s    = stretch{since: since}
		seen bool
	)
	each := func(value []byte) {
		seen = true
		s.take(a.record, &t, value)
	}
	stream(path, from, most, func(b []byte) { v.feed(b, each) })
	v.end(each)
	switch {
	case from == 0, s.older, t.Turn != TurnUnknown:
		return t.Standing, false
	case !seen && touched(path, since):
		t.struggles("", "its last entry is too long to be read")
	}
	return t.Standing, true
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

// start reads the start of a regular file, as far as it can be read.
func start(path string) (all []byte) {
	stream(path, 0, headMost, func(b []byte) { all = append(all, b...) })
	return all
}

// stream hands over part of a regular file piece by piece, as far as it can be read.
// Whatever else bears the name, a pipe that nobody writes to for one, holds nobody up.
func stream(path string, from, most int64, each func([]byte)) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return
	}
	defer f.Close() //nolint:errcheck // only read from
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	buf := make([]byte, min(most, 256<<10))
	for r := io.NewSectionReader(f, from, most); ; {
		n, err := r.Read(buf)
		each(buf[:n])
		if err != nil {
			return
		}
	}
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

// tailOf is where the last tailMost bytes of a file begin.
func tailOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return max(0, info.Size()-tailMost)
}
