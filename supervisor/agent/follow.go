package agent

import (
	"os"
	"slices"
	"time"
)

// Follower reads an agent's own record of a session while it is written. It belongs
// to one goroutine at a time; Agent.Follow makes one.
type Follower struct {
	agent   Agent
	record  Record
	stretch stretch
	values  values
	track   track
	offset  int64
	// sizes and times of the files of the record, as last seen.
	seen []fileState
	// told are the events of rows that were handed out.
	told []Event
	// muted: the record was written anew, and its events cannot be told from those
	// that were handed out.
	muted bool
}

// fileState is how a file looks from outside.
type fileState struct {
	size int64
	at   time.Time
}

// Follow begins to follow a record for what is written since then.
func (a Agent) Follow(r Record, since time.Time) *Follower {
	return &Follower{agent: a, record: r, stretch: stretch{since: since}}
}

// Record is the record that is followed.
func (f *Follower) Record() Record { return f.record }

// Standing is what has been read so far.
func (f *Follower) Standing() Standing { return f.track.Standing }

// Grew says whether the record was written to since it was last asked; the first
// time it says so of one that is there.
func (f *Follower) Grew() bool {
	paths := []string{f.record.Path}
	if f.record.Query != "" {
		paths = append(paths, f.record.Path+"-wal")
	}
	var now []fileState
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			now = append(now, fileState{info.Size(), info.ModTime()})
		}
	}
	grew := !slices.Equal(now, f.seen)
	f.seen = now
	return grew
}

// Lines takes in what a record of JSON lines has gained, tailMost bytes at most, and
// answers with the events that completes.
func (f *Follower) Lines() []Event {
	if f.agent.record.line == nil || f.record.Query != "" {
		return nil
	}
	info, err := os.Stat(f.record.Path)
	if err != nil {
		return nil
	}
	if info.Size() < f.offset {
		f.values, f.track, f.offset, f.muted = values{}, track{}, 0, true
		f.stretch = stretch{since: f.stretch.since}
	}
	if skipped := info.Size() - tailMost; skipped > f.offset {
		// A value that was cut is no value, and is left out.
		f.values, f.offset = values{junk: true}, skipped
	}
	each := func(value []byte) { f.stretch.take(f.agent.record, &f.track, value) }
	stream(f.record.Path, f.offset, info.Size()-f.offset, func(b []byte) {
		f.offset += int64(len(b))
		f.values.feed(b, each)
	})
	return f.heard(f.track.take())
}

// Rows takes in all rows the record's query selects now, and answers with the events
// that are new. Rows are changed in place, and the oldest drop out: what no longer
// begins as it did has nothing new to tell.
func (f *Follower) Rows(rows []string) []Event {
	if f.agent.record.database == nil {
		return nil
	}
	var t track
	for _, row := range rows {
		before := t.Session
		f.agent.record.line(&t, []byte(row))
		if before != "" && t.Session != before {
			return nil // two sessions: nobody knows which is meant
		}
	}
	events := t.take()
	f.track = t
	if len(events) < len(f.told) || !slices.Equal(events[:len(f.told)], f.told) {
		f.muted = true
	}
	fresh := events[min(len(f.told), len(events)):]
	f.told = events
	return f.heard(fresh)
}

// heard is events that may be handed out.
func (f *Follower) heard(events []Event) []Event {
	if f.muted {
		return nil
	}
	return events
}
