package signals

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestKept(t *testing.T) {
	t.Parallel()
	if all := kept(1<<(unix.SIGPIPE-1) | 1<<(unix.SIGCHLD-1)); len(all) != 1 || all[0] != unix.SIGPIPE {
		t.Errorf("kept %v", all)
	}
	if all := kept(0); all != nil {
		t.Errorf("kept %v", all)
	}
}
