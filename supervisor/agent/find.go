package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// FindRecord finds the history of the run of that invocation that began at since in
// that place: the one of the session if its name is known, else the only one written
// to since then that can be the run's. Other runs may be at work in the same place, and
// this one's tools may start some: a history that another question opens, or another
// kind of conversation, is none of it. Unless the invocation continues a session, one
// that is older than the run is not meant: somebody else goes on with it, or its run has
// just ended. Only a person may have turned to an older one in a conversation, and then
// it is written to in the run itself. An invocation that does continue one means an
// older one. It is false when there is none, or when several could be meant. A run that is
// told to keep none has none, whatever lies there.
func (a Agent) FindRecord(p Place, in Invocation, session string, since time.Time) (Record, bool) {
	if a.Unkept(p, in) {
		return Record{}, false
	}
	if a.record.database != nil {
		r := a.record.database(p, in, session, since)
		if _, err := os.Stat(r.Path); err != nil {
			return Record{}, false
		}
		r.Certain = session != ""
		return r, true
	}
	if a.record.files == nil {
		return Record{}, false
	}
	p = p.inTree(a.syntax, in)
	var all []candidate
	asks := in.asks(a.syntax)
	for _, path := range candidates(a.record.files(p, session), since) {
		ab := a.record.introduce(path)
		if ab.helper || session == "" && ab.dir != "" && !p.is(ab.dir) || session != "" && ab.session != "" && ab.session != session {
			continue
		}
		c := candidate{path: path, fresh: !ab.born.IsZero() && within(ab.born, since), aged: !ab.born.IsZero() && !within(ab.born, since)}
		c.touched, c.kin = touched(path, since), a.record.kinship(c, in, asks, since)
		all = append(all, c)
	}
	if session == "" {
		all = in.meant(all)
	}
	if len(all) != 1 {
		return Record{}, false
	}
	its := all[0].kin
	return Record{Path: all[0].path, Certain: session != "" || in.Mode == ModeHeadless && its == kinOwn, Strange: its == kinOther}, true
}

// Unkept says whether the agent is told, by its options or its environment, to keep no
// history of the session.
func (a Agent) Unkept(p Place, in Invocation) bool {
	on := a.record.unkept != "" && oneOf(strings.ToLower(p.env(a.record.unkept, "")), "1", "true", "yes", "on")
	return on || in.unkept(a.syntax)
}

// candidate is a history that may be the run's.
type candidate struct {
	path string
	// fresh: it was begun in the run; aged: before. Neither, where it does not say.
	fresh, aged bool
	// touched: it was written to in the run.
	touched bool
	kin     kin
}

// meant are those among the candidates that the invocation may mean, as few as can be
// told apart.
func (in Invocation) meant(all []candidate) []candidate {
	all = only(all, func(c candidate) bool { return c.kin != kinOther })
	goesOn := in.Resumes && !in.forks
	switch {
	case goesOn:
		// What is begun in it is somebody else's, unless it is asked the very same.
		all = only(all, func(c candidate) bool { return !c.fresh || in.Mode == ModeHeadless && c.kin == kinOwn })
	case !in.Resumes:
		all = only(all, func(c candidate) bool { return !c.aged || in.Mode != ModeHeadless && c.touched })
	}
	type choice = func(candidate) bool
	for _, better := range []choice{
		func(c candidate) bool { return c.kin == kinOwn },
		func(c candidate) bool { return goesOn && c.aged && c.touched },
		func(c candidate) bool { return !goesOn && c.fresh && (c.kin == kinOwn || in.Mode == ModeHeadless) },
	} {
		if best := only(all, better); len(all) > 1 && len(best) > 0 {
			all = best
		}
	}
	return all
}

// only are the candidates that are as wanted.
func only(all []candidate, wanted func(candidate) bool) (some []candidate) {
	for _, c := range all {
		if wanted(c) {
			some = append(some, c)
		}
	}
	return some
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
