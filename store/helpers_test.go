package store_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/ocr-run/ocr-run/store"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(playRole(role))
	}
	goleak.VerifyTestMain(m)
}

// wantSame compares by what a reader of JSON would see.
func wantSame(t *testing.T, got, want any) {
	t.Helper()
	g, err := json.MarshalIndent(got, "", " ")
	must(t, err)
	w, err := json.MarshalIndent(want, "", " ")
	must(t, err)
	if string(g) != string(w) {
		t.Errorf("got %s\nwant %s", g, w)
	}
}

// finisher is a ledger or a recorder.
type finisher interface {
	Finish(ctx context.Context, e store.Ending) (alone bool, err error)
}

// finish is Finish for a test that only wants to know whether it worked.
func finish(ctx context.Context, to finisher, e store.Ending) error {
	_, err := to.Finish(ctx, e)
	return err
}
