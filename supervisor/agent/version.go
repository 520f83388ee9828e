package agent

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// installedVersion is the version of the package of that name that a program belongs
// to, as the description beside it or above it says; empty when there is none. A
// launcher written by hand, or by something else than npm, belongs to none.
func installedVersion(program, name string) string {
	actual, err := filepath.EvalSymlinks(program)
	if err != nil || !filepath.IsAbs(actual) {
		return ""
	}
	for dir := filepath.Dir(actual); ; dir = filepath.Dir(dir) {
		var described struct{ Name, Version string }
		decode(start(filepath.Join(dir, "package.json")), &described)
		if described.Name == name {
			return described.Version
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// since says whether a version is 0.minor.0 or one that follows it.
func since(version string, minor int) bool {
	major, its, ok := minorVersion(version)
	return ok && (major > 0 || its >= minor)
}

// minorVersion takes a version X.Y.Z apart. One that leads up to X.Y.0 is not it, and
// counts as none.
func minorVersion(version string) (major, minor int, ok bool) {
	parts, early, ok := takeApart(version)
	return parts[0], parts[1], ok && (!early || parts[2] > 0)
}

// atLeast says whether a version is X.Y.Z or one that follows it; what is no version
// is not, and neither is one that leads up to X.Y.Z.
func atLeast(version string, x, y, z int) bool {
	parts, early, ok := takeApart(version)
	order := slices.Compare(parts[:], []int{x, y, z})
	return ok && (order > 0 || order == 0 && !early)
}

// takeApart takes a version X.Y.Z apart, and says whether it is one that leads up to
// that.
func takeApart(version string) (parts [3]int, early, ok bool) {
	version, _, _ = strings.Cut(version, "+")
	core, _, early := strings.Cut(version, "-")
	fields := strings.Split(core, ".")
	if len(fields) != len(parts) {
		return parts, early, false
	}
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 31)
		if err != nil {
			return parts, early, false
		}
		parts[i] = int(n)
	}
	return parts, early, true
}
