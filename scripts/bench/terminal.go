package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// launch says how a run differs from "everything on a fresh terminal".
type launch struct {
	// stdout replaces the terminal as the run's output; nil leaves it.
	stdout *os.File
	// limit ends the run; 0 means runLimit.
	limit time.Duration
}

// runLimit is how long a run may take before it counts as hung.
const runLimit = 30 * time.Second

// terminal is one run on a fresh terminal, of which the bench holds the leader.
// Whoever starts it calls wait, collect or abandon exactly once.
type terminal struct {
	cmd    *exec.Cmd
	fd     int    // blocking leader descriptor
	name   string // of the follower, as tty(1) prints it
	leader *os.File
	cancel context.CancelFunc
	began  int64 // monotonic, just before the launch
	ctx    context.Context
	// seen counts the bytes the drain has discarded.
	seen atomic.Int64
}

// start runs argv as the leader of a session on a fresh 80x24 terminal.
func (l *lab) start(ctx context.Context, argv []string, how launch) (*terminal, error) {
	leader, follower, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open terminal: %w", err)
	}
	defer follower.Close()
	t := &terminal{leader: leader, fd: int(leader.Fd()), name: follower.Name()}
	// The raw descriptor is read directly: the netpoller's wake-up would be
	// measured with every keystroke otherwise.
	err = errors.Join(unix.SetNonblock(t.fd, false), pty.Setsize(leader, &pty.Winsize{Rows: 24, Cols: 80}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare terminal: %w", err), leader.Close())
	}
	if how.limit == 0 {
		how.limit = runLimit
	}
	t.ctx, t.cancel = context.WithTimeoutCause(ctx, how.limit, errHung)
	t.cmd = l.command(t.ctx, argv)
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = follower, follower, follower
	if how.stdout != nil {
		t.cmd.Stdout = how.stdout
	}
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	t.began = monotonic()
	if err := t.cmd.Start(); err != nil {
		t.cancel()
		return nil, errors.Join(err, leader.Close())
	}
	return t, nil
}

var errHung = errors.New("still running at the time limit")

// command prepares a run in the scratch directory that dies as a whole tree
// when its context ends.
func (l *lab) command(ctx context.Context, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = l.dir, l.env
	cmd.Cancel = func() error {
		killTree(cmd.Process.Pid)
		return nil
	}
	return cmd
}

// read fills buf with what the terminal has; io.EOF once nobody holds it.
func (t *terminal) read(buf []byte) (int, error) {
	for {
		n, err := unix.Read(t.fd, buf)
		switch {
		case err == unix.EINTR:
		case err == unix.EIO || err == nil && n == 0:
			return 0, io.EOF
		default:
			return n, err
		}
	}
}

// press sends keystrokes.
func (t *terminal) press(keys ...byte) error {
	if _, err := unix.Write(t.fd, keys); err != nil {
		return fmt.Errorf("press key: %w", err)
	}
	return nil
}

// drain discards output until nobody holds the terminal.
func (t *terminal) drain() {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.read(buf)
		if err != nil {
			return
		}
		t.seen.Add(int64(n))
	}
}

// wait drains, waits for the exit, and returns the elapsed milliseconds from
// launch to exit.
func (t *terminal) wait() (float64, error) {
	drained := make(chan struct{})
	go func() { t.drain(); close(drained) }()
	err := t.cmd.Wait()
	elapsed := millisSince(t.began)
	err = t.verdict(err)
	t.release(drained)
	return elapsed, err
}

// release gives the drain a moment to see the end of the terminal, ends what
// still holds it, and closes it.
func (t *terminal) release(drained <-chan struct{}) {
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
		killAll(below(os.Getpid()))
		<-drained
	}
	t.cancel()
	_ = t.leader.Close()
}

// collect returns everything the run printed, once it has ended.
func (t *terminal) collect() ([]byte, error) {
	var all []byte
	buf := make([]byte, 4<<10)
	for {
		n, err := t.read(buf)
		all = append(all, buf[:n]...)
		if err != nil {
			break
		}
	}
	err := t.verdict(t.cmd.Wait())
	t.cancel()
	_ = t.leader.Close()
	return all, err
}

// abandon ends the run with everything below it.
func (t *terminal) abandon() {
	killTree(t.cmd.Process.Pid)
	_, _ = t.wait()
}

// verdict prefers the reason the run was cut short over how it then died.
func (t *terminal) verdict(err error) error {
	if t.ctx.Err() != nil && err != nil {
		return context.Cause(t.ctx)
	}
	return err
}

// verdictOr is the reason the run was cut short, else err.
func (t *terminal) verdictOr(err error) error {
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return err
}

// expect reads until the output ends with text.
func (t *terminal) expect(text string) error {
	var all []byte
	buf := make([]byte, 4<<10)
	for !strings.HasSuffix(string(all), text) {
		n, err := t.read(buf)
		if err != nil {
			return fmt.Errorf("expect %q after %q: %w", text, all, t.verdictOr(err))
		}
		all = append(all, buf[:n]...)
	}
	return nil
}

// ownSession keeps a run out of the bench's terminal and its ^C.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
