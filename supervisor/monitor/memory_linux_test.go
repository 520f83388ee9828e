package monitor

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
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

// TestUnloadProgram: the program goes on after it was let go of, and comes back in small
// pieces.
func TestUnloadProgram(t *testing.T) {
	before := fileMemory(t)
	UnloadProgram()
	pieces := len(mappings(t))
	UnloadProgram()
	if after := fileMemory(t); after >= before {
		t.Errorf("%d kB before, %d kB after", before, after)
	}
	all := mappings(t)
	for _, m := range all {
		if m.to-m.from > uintptr(max(windowSize, os.Getpagesize())) {
			t.Errorf("%#x to %#x in one piece", m.from, m.to)
		}
	}
	if len(all) != pieces {
		t.Errorf("%d pieces of a program, and %d once more", pieces, len(all))
	}
	if pieces < 10 {
		t.Errorf("only %d pieces of a program", pieces)
	}
}

// mappings are the program's own now.
func mappings(t *testing.T) []mapping {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	return unchanged(smaps)
}
