package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goPackage is what `go list` tells about one package.
type goPackage struct {
	ImportPath, Dir                    string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// systems lists the operating systems the house is built for.
func systems() []string { return []string{"linux", "darwin"} }

func TestImportsGoDownOnly(t *testing.T) {
	t.Parallel()
	for _, goos := range systems() {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			for _, p := range list(t, goos) {
				for _, v := range violations(p.ImportPath, slices.Concat(p.Imports, p.TestImports, p.XTestImports)) {
					t.Error(v)
				}
			}
		})
	}
}

func TestEveryPackageSaysWhatItPromises(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, goos := range systems() {
		for _, p := range list(t, goos) {
			if seen[p.ImportPath] || len(p.GoFiles) == 0 {
				continue
			}
			seen[p.ImportPath] = true
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, "doc.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
			switch {
			case err != nil:
				t.Errorf("%s: %v", p.ImportPath, err)
			case len(strings.Fields(file.Doc.Text())) < 5:
				t.Errorf("%s: doc.go has no package comment", p.ImportPath)
			}
		}
	}
}

func TestTopLevelDirectories(t *testing.T) {
	t.Parallel()
	// What is not in git is somebody's own: a build, an install, a notebook.
	cmd := exec.CommandContext(t.Context(), "git", "ls-files")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("this is no clone, so nobody knows which files belong to it: %v", err)
	}
	seen := []string{}
	for file := range strings.Lines(string(out)) {
		dir, _, below := strings.Cut(file, "/")
		if !below || dir[0] == '.' || slices.Contains(seen, dir) {
			continue
		}
		seen = append(seen, dir)
		if !slices.Contains(topLevel(), dir) {
			t.Errorf("directory %s is not part of the house; there are only %v", dir, topLevel())
		}
	}
	if len(seen) == 0 {
		t.Error("git names no directory")
	}
}

// TestRulesBite feeds the rules what they must refuse, and what they must not.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	cases := []struct {
		pkg, imp string
		refused  bool
	}{
		{"lifecycle", module + "/store", true},
		{"lifecycle", "strings", false},
		{"store", module + "/lifecycle", false},
		{"store/ocrdb", module + "/store", false},
		{"store", module + "/reaper/proc", true},
		{"store/ocrdb", module + "/heartbeat", true},
		{"heartbeat", module + "/store", false},
		{"heartbeat", module + "/heartbeat/clock", false},
		{"heartbeat", module + "/reaper", true},
		{"heartbeat/clock", module + "/heartbeat", true},
		{"heartbeat/clock/clocktest", module + "/heartbeat/clock", false},
		{"heartbeat/clock", module + "/lifecycle", true},
		{"reaper", module + "/reaper/proc", false},
		{"reaper", module + "/supervisor", true},
		{"reaper/proc", module + "/heartbeat/clock", true},
		{"supervisor", module + "/reaper", true},
		{"supervisor", module + "/reaper/proc", false},
		{"supervisor", module + "/reaper/proc/activity", false},
		{"reaper/proc/activity", module + "/reaper/proc", false},
		{"reaper/proc/activity", module + "/heartbeat/clock", true},
		{"supervisor", module + "/supervisor/internal/screen", false},
		{"supervisor/internal/screen", module + "/supervisor/internal/terminal", true},
		{"supervisor/agent", module + "/supervisor", true},
		{"supervisor", module + "/cmd/ocr-run", true},
		{"cmd/ocr-run", module + "/cmd/ocr-run/internal/render", false},
		{"cmd/ocr-run/internal/render", module + "/store", true},
		{"cmd/ocr-run", module + "/scripts/bench", true},
		{"scripts/bench", module + "/supervisor", true},
		{"supervisorless", "strings", true},
		{"cmd/ocr-run", "database/sql", true},
		{"cmd/ocr-run", "database/sql/driver", true},
		{"store/ocrdb", "modernc.org/sqlite", false},
		{"heartbeat", "modernc.org/sqlite/lib", true},
		{"supervisor/internal/terminal", "github.com/creack/pty", false},
		{"reaper", "github.com/creack/pty", true},
		{"reaper", "github.com/creack/ptyless", false},
		{"supervisor", "github.com/urfave/cli/v2", true},
		{"cmd/ocr-run", "github.com/urfave/cli/v3", false},
		{"supervisor", "github.com/shirou/gopsutil/v3/process", true},
	}
	for _, c := range cases {
		got := violations(module+"/"+c.pkg, []string{c.imp})
		if (len(got) > 0) != c.refused {
			t.Errorf("%s importing %s: %q, want refused = %v", c.pkg, c.imp, got, c.refused)
		}
	}
}

// root is the repository, seen from this package.
const root = "../.."

// list asks the go command for every package of the module.
func list(t *testing.T, goos string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v\n%s", goos, err, stderr.String())
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read go list for %s: %v", goos, err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatalf("go list for %s names no package", goos)
	}
	return all
}
