package main

import (
	"context"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A signal ends the context of what must not be cut short, and is owed afterwards. It
// does not run in parallel: signals are for the whole process.
func TestHeeding(t *testing.T) {
	for sig, want := range map[syscall.Signal]int{unix.SIGINT: 130, unix.SIGTERM: 143, unix.SIGHUP: 129} {
		owed := heeding(t.Context(), func(ctx context.Context) {
			if err := unix.Kill(os.Getpid(), sig); err != nil {
				t.Error(err)
			}
			<-ctx.Done()
		})
		if code, ok := answeredCode(owed); !ok || code != want {
			t.Errorf("%s: %v", sig, owed)
		}
	}
	if owed := heeding(t.Context(), func(context.Context) {}); owed != nil {
		t.Errorf("without a signal: %v", owed)
	}
}
