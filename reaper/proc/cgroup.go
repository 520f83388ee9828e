package proc

import (
	"errors"
	"strings"
)

// ErrNoCgroup says that no control group of our own is to be had here: there is no
// unified hierarchy, or our part of it is not ours to divide.
var ErrNoCgroup = errors.New("no control group of our own")

// groupPrefix begins the name of every group that we make.
const groupPrefix = "ocr-run-"

// Group is a control group that was made for one run. Who is born in it stays in
// it, whatever it does to its session, its parents or its environment; only somebody
// with the right to write to the groups can take it out or put another one in. The
// zero value is none: it has no members, and everything done to it is ErrNoCgroup.
type Group struct {
	// dir is the group in the file system, path the same as the kernel names it.
	dir, path string
}

// Path is the group as [Cgroup] names it; empty for none.
func (g Group) Path() string { return g.path }

// groupName is what the group of an execution is called, empty where its uid is no
// name for a directory.
func groupName(uid string) string {
	if uid == "" || len(uid) > 200 || strings.ContainsAny(uid, "/\n\x00") {
		return ""
	}
	return groupPrefix + uid
}

// unifiedCgroup takes the one line of the unified hierarchy out of a process's
// list of control groups.
func unifiedCgroup(list string) string {
	for line := range strings.Lines(list) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			return path
		}
	}
	return ""
}

// InCgroup says whether a process in control group path is in the group top or
// below it. The root holds everybody and is nobody's own.
func InCgroup(path, top string) bool {
	top = strings.TrimSuffix(top, "/")
	return top != "" && (path == top || strings.HasPrefix(path, top+"/"))
}
