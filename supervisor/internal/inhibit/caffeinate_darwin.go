package inhibit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// Acquire keeps the machine awake until the lock is released or this process ends.
// The system has no use for why.
func Acquire(ctx context.Context, _ string) (*Lock, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("keep awake: %w", err)
	}
	// It outlives ctx: what ends it is the lock, or the end of this process, which
	// -w makes it wait for.
	cmd := exec.Command("/usr/bin/caffeinate", "-i", "-w", strconv.Itoa(os.Getpid())) //nolint:noctx // see above
	// A ^C at the terminal is not for it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("keep awake: %w", err)
	}
	end := sync.OnceFunc(func() {
		// It has nothing to say about how it ended, and nobody to tell.
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &Lock{pid: cmd.Process.Pid, release: func() error { end(); return nil }}, nil
}
