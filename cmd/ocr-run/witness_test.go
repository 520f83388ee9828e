package main

import (
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

// TestEndedByStranger: an agent that says it was interrupted was not, by its user,
// when another signal ended it that nobody we know of sent.
func TestEndedByStranger(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  store.Ending
		want bool
	}{
		{"TERM", store.Ending{Signal: new(15)}, true},
		{"TERM, reported as a code", store.Ending{ExitCode: new(143)}, true},
		{"INT", store.Ending{Signal: new(2)}, false},
		{"INT, reported as a code", store.Ending{ExitCode: new(130)}, false},
		{"our own TERM", store.Ending{Signal: new(15), StoppedBy: lifecycle.StoppedByUser}, false},
		{"an exit", store.Ending{ExitCode: new(1)}, false},
		{"an HTTP status as a code", store.Ending{ExitCode: new(173)}, false},
		{"a lost run", store.Ending{}, false},
	} {
		if got := endedByStranger(&c.end); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
