package proc

import "strings"

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
