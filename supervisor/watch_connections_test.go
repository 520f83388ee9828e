package supervisor

import (
	"errors"
	"testing"
)

func TestConnectionsThatCannotBeListedAreGivenUp(t *testing.T) {
	t.Parallel()
	silent := errors.New("no answer")
	for _, tt := range []struct {
		name  string
		looks []error
		none  bool
	}{
		{"a kernel that answers", []error{nil, nil, nil, nil}, false},
		{"once in a while none", []error{silent, silent, nil, silent, silent}, false},
		{"never an answer", []error{silent, silent, silent}, true},
		{"a system that does not tell", []error{errors.ErrUnsupported}, true},
	} {
		var c connections
		for _, err := range tt.looks {
			c.answered(err)
		}
		if c.none != tt.none {
			t.Errorf("%s: given up %v", tt.name, c.none)
		}
	}
}
