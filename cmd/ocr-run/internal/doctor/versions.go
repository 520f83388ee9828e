package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of asking a program for its version.
const (
	// versionOutput is how much of what it says is kept.
	versionOutput = 4 << 10
	// versionDrain is how long its output may stay open after it has ended.
	versionDrain = 200 * time.Millisecond
)

// Versions asks the agents that were found for their versions, all at once, and
// writes the answers into them. None gets a terminal or input; one that has not
// answered within limit is killed with its group.
func Versions(ctx context.Context, agents []Agent, environ []string, dir string, limit time.Duration) {
	var all sync.WaitGroup
	for i := range agents {
		if a := &agents[i]; a.Path != "" {
			all.Go(func() { a.Version, a.Failure = version(ctx, a.Path, environ, dir, limit) })
		}
	}
	all.Wait()
}

// version asks one program.
func version(ctx context.Context, path string, environ []string, dir string, limit time.Duration) (line, failure string) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, errs := &head{}, &head{}
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = environ, dir, out, errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = versionDrain
	err := cmd.Run()
	line = cmp.Or(out.versionLine(), errs.versionLine(), out.firstLine(), errs.firstLine())
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		return "", fmt.Sprintf("no answer within %s", limit)
	case exited && exit.ExitCode() >= 0:
		return "", strings.TrimSuffix(fmt.Sprintf("it exited %d: %s", exit.ExitCode(), cmp.Or(errs.firstLine(), out.firstLine())), ": ")
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return "", err.Error()
	case line == "":
		return "", "it said nothing"
	default:
		return line, ""
	}
}

// head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

// Write takes everything and keeps what there is room for.
func (h *head) Write(b []byte) (int, error) {
	if room := versionOutput - h.Len(); room > 0 {
		_, _ = h.Buffer.Write(b[:min(len(b), room)]) // a buffer in memory takes it
	}
	return len(b), nil
}

// firstLine is the first line that says something.
func (h *head) firstLine() string {
	return h.first(func(line string) bool { return line != "" })
}

// versionLine is the first line that has a version in it: some warn of other things before
// they tell theirs.
func (h *head) versionLine() string { return h.first(hasVersion) }

// first is the first line that is meant, without the space around it; empty for none.
func (h *head) first(meant func(line string) bool) string {
	for line := range strings.Lines(h.String()) {
		if line = strings.TrimSpace(line); meant(line) {
			return line
		}
	}
	return ""
}

// hasVersion says whether there are two numbers in a text with a dot between them.
func hasVersion(text string) bool {
	for i := 1; i < len(text)-1; i++ {
		if text[i] == '.' && digit(text[i-1]) && digit(text[i+1]) {
			return true
		}
	}
	return false
}

// digit says whether b is a decimal digit.
func digit(b byte) bool { return '0' <= b && b <= '9' }
