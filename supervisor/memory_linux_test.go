package supervisor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/lifecycle"
)

func TestUnchanged(t *testing.T) {
	t.Parallel()
	got := unchanged([]byte(`00400000-008e7000 r-xp 00000000 fe:00 99 /usr/bin/a b
Size:               5020 kB
Anonymous:             0 kB
008e7000-00d74000 r--p 004e7000 fe:00 99                     /usr/bin/a
Anonymous:             0 kB
00d74000-00d75000 r--p 00974000 fe:00 99                     /usr/bin/relocated
Anonymous:             4 kB
00d75000-00daf000 rw-p 00974000 fe:00 99                     /usr/bin/a
Anonymous:             0 kB
00daf000-02dec000 r--p 00000000 00:00 0
Anonymous:             0 kB
7ffd1000-7ffd3000 r--s 00000000 00:00 7                      /shared
Anonymous:             0 kB
7ffd1000-7ffd3000 r-xp 00000000 00:00 0                      [vdso]
Anonymous:             0 kB
`))
	if want := []mapping{{0x400000, 0x8e7000}, {0x8e7000, 0xd74000}}; !slices.Equal(got, want) {
		t.Errorf("%x", got)
	}
}

// fileMemory is the resident part of files, in kB.
func fileMemory(t *testing.T) (kb int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}

// TestUnloadProgram: the program goes on after it was let go of.
func TestUnloadProgram(t *testing.T) {
	before := fileMemory(t)
	unloadProgram()
	if after := fileMemory(t); after >= before {
		t.Errorf("%d kB before, %d kB after", before, after)
	}
}

func TestKillsIn(t *testing.T) {
	t.Parallel()
	for vmstat, want := range map[string]int64{
		"nr_free_pages 5\noom_kill 3\nunevictable 0\n": 3,
		"nr_free_pages 5\noom_kill 0":                  0,
		"nr_free_pages 5\noom_kills 3\n":               -1,
		"nr_free_pages 5\noom_kill x\n":                -1,
		"":                                             -1,
	} {
		if got := killsIn([]byte(vmstat)); got != want {
			t.Errorf("%q: %d, want %d", vmstat, got, want)
		}
	}
}

func TestKilledForMemory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after int64
		want          lifecycle.Cause
	}{{2, 3, lifecycle.CauseOOM}, {2, 2, ""}, {-1, 3, ""}, {2, -1, ""}} {
		r := &run{cfg: Config{Clock: clock.System()}, starved: c.before}
		r.noteStarved(c.after)
		var got lifecycle.Cause
		for _, e := range r.evidence {
			got = e.Points
		}
		if got != c.want {
			t.Errorf("%d kills before, %d after: %q, want %q", c.before, c.after, got, c.want)
		}
	}
	for _, c := range []struct {
		exit exitReport
		want bool
	}{{exitReport{code: -1, signal: unix.SIGKILL}, true}, {exitReport{code: 137}, true}, {exitReport{code: -1, signal: unix.SIGTERM}, false}, {exitReport{code: 9}, false}} {
		if got := killedOutright(c.exit); got != c.want {
			t.Errorf("%+v: %v, want %v", c.exit, got, c.want)
		}
	}
}
