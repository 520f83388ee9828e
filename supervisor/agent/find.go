package agent

import (
	"os"
	"path/filepath"
	"slices"
	"time"
)

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
