package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error { return &verbError{thing: "x", err: fmt.Errorf("y: %w", err)} }
	tests := []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("anything"), exitError},
		{usage("ps", "no"), exitUsage},
		{wrap(&store.AmbiguousError{Name: "a"}), exitAmbiguous},
		{wrap(store.ErrNotFound), exitNotFound},
		{wrap(lifecycle.CheckAdvance(lifecycle.KindReview, "context", "reviews", false)), exitTransition},
		{wrap(store.ErrInvariant), exitInvariant},
		{wrap(store.ErrConflict), exitInvariant},
		{&verbError{thing: "x", err: errors.New("bad"), kind: errSchema}, exitSchema},
		{wrap(store.ErrBusy), exitBusy},
		{wrap(store.ErrDamaged), exitError},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("exitCode(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}
