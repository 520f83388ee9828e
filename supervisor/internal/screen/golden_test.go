package screen

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite what the agents' recordings show")

// TestTerminals: what real programs wrote shows as it did on a real terminal.
func TestTerminals(t *testing.T) {
	t.Parallel()
	eachRecording(t, "terminal", func(t *testing.T, _ string, raw []byte, want string) {
		s := Text(raw, 80, 24)
		got := s.Alternate
		if !s.Open {
			got = append(s.Before, s.Lines...)
		}
		if text := strings.Join(got, "\n") + "\n"; text != want {
			t.Errorf("shows\n%s\nwant\n%s", text, want)
		}
	})
}

// TestAgents: what agents wrote last shows as recorded; -update records it.
func TestAgents(t *testing.T) {
	t.Parallel()
	eachRecording(t, "agents", func(t *testing.T, file string, raw []byte, want string) {
		got := parts(Text(afterCut(raw), 110, 36))
		if *update {
			rewrite(t, file, got)
		} else if got != want {
			t.Errorf("shows\n%s\nwant\n%s", got, want)
		}
	})
}

// TestNarrow: the edge of a narrow terminal breaks no line of text.
func TestNarrow(t *testing.T) {
	t.Parallel()
	eachRecording(t, "agents", func(t *testing.T, file string, raw []byte, want string) {
		if strings.Contains(file, "-tui-") {
			t.Skip("its lines were laid out for one width")
		}
		if got := parts(Text(afterCut(raw), 31, 7)); got != want {
			t.Errorf("shows\n%s\nwant\n%s", got, want)
		}
	})
}

// TestStartAnywhere: however much of the start is missing, the last line of what
// was written shows.
func TestStartAnywhere(t *testing.T) {
	t.Parallel()
	eachRecording(t, "agents", func(t *testing.T, _ string, raw []byte, _ string) {
		whole := Text(raw, 110, 36).All()
		last := whole[len(whole)-1]
		for n := len(raw) - len(last) - 20; n > 0; n -= 7 {
			got := Text(raw[n:], 110, 36).All()
			if len(got) == 0 || !strings.HasSuffix(last, got[len(got)-1]) && !strings.HasSuffix(got[len(got)-1], last) {
				t.Fatalf("from byte %d the last line is not %q but %q", n, last, got[max(0, len(got)-1):])
			}
		}
	})
}

// eachRecording runs a test for each file of a kind: Go string literals under
// "raw", what they show under "want".
func eachRecording(t *testing.T, kind string, test func(t *testing.T, file string, raw []byte, want string)) {
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var raw []byte
			want := ""
			for _, f := range a.Files {
				if f.Name == "want" {
					want = string(f.Data)
					continue
				}
				for l := range strings.Lines(string(f.Data)) {
					s, err := strconv.Unquote(strings.TrimSuffix(l, "\n"))
					if err != nil {
						t.Fatalf("read %q: %v", l, err)
					}
					raw = append(raw, s...)
				}
			}
			test(t, file, raw, want)
		})
	}
}

// parts is what shows, with the parts told apart where there are several.
func parts(s Shown) string {
	text := func(lines []string) string { return strings.Join(append(slices.Clone(lines), ""), "\n") }
	if s.Alternate == nil && s.Before == nil {
		return text(s.Lines)
	}
	return "[before]\n" + text(s.Before) + "[alternate]\n" + text(s.Alternate) + "[lines]\n" + text(s.Lines)
}

// rewrite records what a recording shows.
func rewrite(t *testing.T, file, got string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a.Files = append(a.Files[:1], txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(file, txtar.Format(a), 0o600); err != nil {
		t.Fatal(err)
	}
}
