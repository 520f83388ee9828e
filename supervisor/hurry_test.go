package supervisor

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A wish for the end may come as long as somebody asks for one, also after others
// have asked.
func TestHurryIsHeardLate(t *testing.T) {
	t.Parallel()
	r := &run{sigs: make(chan os.Signal, 1)}
	res := Result{Hurried: r.hurried}
	if res.Hurried() {
		t.Error("nobody is in a hurry yet")
	}
	r.sigs <- unix.SIGINT
	if !res.Hurried() {
		t.Error("the interrupt is lost")
	}
}
