package archtest

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/ocr-run/ocr-run"

// layer is one directory of the house and everything below it that has no
// layer of its own.
type layer struct {
	// path is relative to the module. A last element of "*" makes every child
	// directory a layer of its own.
	path string
	// may lists what it may import of ours, besides itself.
	may []string
}

// layers is the import direction, lowest first.
func layers() []layer {
	leaves := []string{"heartbeat/clock", "reaper/proc", "heartbeat/runfile"}
	supervisor := slices.Concat(leaves, []string{
		"lifecycle", "store", "heartbeat", "supervisor/agent", "supervisor/internal/*", "supervisor/monitor",
	})
	return []layer{
		{path: "heartbeat/clock"},
		{path: "reaper/proc"},
		{path: "supervisor/agent"},
		{path: "supervisor/internal/wire", may: []string{"lifecycle"}},
		{path: "supervisor/internal/*"},
		{path: "supervisor/monitor", may: slices.Concat(leaves, []string{"lifecycle", "supervisor/internal/*"})},
		{path: "cmd/ocr-run/internal/*"},
		{path: "supervisor/ptytest", may: []string{"supervisor/internal/*"}},

		{path: "lifecycle"},
		{path: "store", may: []string{"lifecycle"}},
		{path: "heartbeat/runfile", may: []string{"lifecycle"}},
		{path: "heartbeat", may: slices.Concat(leaves, []string{"lifecycle", "store"})},
		{path: "reaper", may: slices.Concat(leaves, []string{"lifecycle", "store", "heartbeat", "supervisor/agent"})},
		{path: "supervisor", may: append(supervisor, "supervisor/ptytest")},
		{path: "cmd/ocr-run", may: slices.Concat(leaves, []string{
			"lifecycle", "store", "heartbeat", "supervisor", "supervisor/agent", "supervisor/monitor", "supervisor/ptytest",
			"reaper", "cmd/ocr-run/internal/*",
		})},
		{path: "scripts", may: slices.Concat(leaves, []string{
			"lifecycle", "store", "heartbeat", "reaper", "supervisor/ptytest",
		})},
	}
}

// keepers says which directories alone may import a package of others, or
// anything below it.
func keepers() map[string][]string {
	return map[string][]string{
		"database/sql":               {"store"},
		"modernc.org/sqlite":         {"store"},
		"github.com/creack/pty":      {"supervisor", "scripts"},
		"github.com/urfave/cli":      {"cmd/ocr-run"},
		"github.com/shirou/gopsutil": {"scripts"},
	}
}

// topLevel lists the directories the repository has, hidden ones aside.
// Nothing else may appear beside them.
func topLevel() []string {
	return []string{"cmd", "supervisor", "heartbeat", "lifecycle", "store", "reaper", "scripts", "docs"}
}

// violations explains everything wrong with a package importing these.
func violations(pkg string, imports []string) []string {
	var found []string
	from, ok := layerOf(relative(pkg))
	if !ok {
		return []string{fmt.Sprintf("%s is in no layer", pkg)}
	}
	for _, imp := range imports {
		if reason := refuse(from, relative(pkg), imp); reason != "" {
			found = append(found, fmt.Sprintf("%s imports %s: %s", relative(pkg), imp, reason))
		}
	}
	return found
}

// refuse says why a package of a layer may not import another, or "".
func refuse(from layer, pkg, imp string) string {
	if !within(imp, module) {
		return refuseForeign(pkg, imp)
	}
	to, ok := layerOf(relative(imp))
	switch {
	case !ok:
		return "it is in no layer"
	case to.path == from.path, slices.Contains(from.may, to.path), slices.Contains(from.may, family(to.path)):
		return ""
	default:
		return fmt.Sprintf("%s may import of ours only %v", from.path, from.may)
	}
}

// refuseForeign says why a package may not import one of others, or "".
func refuseForeign(pkg, imp string) string {
	for kept, by := range keepers() {
		if !within(versionless(imp), kept) {
			continue
		}
		if !slices.ContainsFunc(by, func(dir string) bool { return within(pkg, dir) }) {
			return fmt.Sprintf("only %v may", by)
		}
	}
	return ""
}

// layerOf finds the layer of a path: the longest that contains it.
func layerOf(path string) (layer, bool) {
	var best layer
	for _, l := range layers() {
		parent, many := strings.CutSuffix(l.path, "/*")
		if many && within(path, parent) && path != parent {
			child, _, _ := strings.Cut(path[len(parent)+1:], "/")
			l.path = parent + "/" + child
		}
		if within(path, l.path) && len(l.path) > len(best.path) {
			best = l
		}
	}
	return best, best.path != ""
}

// family is the path that stands for a layer and its siblings.
func family(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i] + "/*"
	}
	return path
}

// within says whether path is dir or below it.
func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// relative is a package path inside the module.
func relative(pkg string) string {
	return strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")
}

// versionless drops major version elements, so that one rule covers them all.
func versionless(imp string) string {
	var kept []string
	for e := range strings.SplitSeq(imp, "/") {
		if len(e) < 2 || e[0] != 'v' || strings.Trim(e[1:], "0123456789") != "" {
			kept = append(kept, e)
		}
	}
	return strings.Join(kept, "/")
}
