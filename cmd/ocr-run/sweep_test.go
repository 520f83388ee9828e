package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A umask that takes from the owner does not keep later runs from sweeping. It is the
// whole process's: no other test runs meanwhile.
func TestAUmaskLeavesTheMarkToItsOwner(t *testing.T) { //nolint:paralleltest // see above
	mark := filepath.Join(t.TempDir(), "swept")
	before := unix.Umask(0o777)
	first := due(mark, time.Now())
	unix.Umask(before)
	if info, err := os.Stat(mark); !first || err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("due: %v; %v, %v", first, info.Mode(), err)
	}
}
