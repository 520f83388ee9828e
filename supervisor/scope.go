package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
)

// ErrNoScope says that the run could not be put into a scope of the user's
// systemd, as was asked for. Nothing was launched then.
var ErrNoScope = errors.New("no scope to be had")

// scopeWait is how long systemd may take to make a scope. It was measured at some
// ten milliseconds; a manager that is still starting up takes longer.
const scopeWait = 5 * time.Second

// The waits for the process to be in its scope grow from the first to the last.
const (
	scopeFirst = time.Millisecond
	scopeLast  = 50 * time.Millisecond
)

// enterScope has the user's systemd put a process into a new scope, which is
// delegated: what is in it may be divided further. It returns when the process is
// there. The message goes through busctl, which knows where the manager listens.
func enterScope(ctx context.Context, pid int, uid string, environ []string) error {
	ctx, cancel := context.WithTimeout(ctx, scopeWait)
	defer cancel()
	unit := "ocr-run-" + uid + ".scope"
	cmd := exec.CommandContext(ctx, "busctl", append([]string{
		"--user", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
		"StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail",
	}, scopeProperties(pid, uid)...)...)
	cmd.Env = withRuntimeDir(environ)
	if out, err := cmd.CombinedOutput(); err != nil {
		if said := bytes.TrimSpace(out); len(said) > 0 {
			err = errors.New(string(said))
		}
		return fmt.Errorf("ask the user's systemd for %s: %w: %w", unit, ErrNoScope, err)
	}
	for pause := scopeFirst; ; pause = min(2*pause, scopeLast) {
		at, err := proc.Cgroup(pid)
		switch {
		case err == nil && path.Base(at) == unit:
			return nil
		case err == nil && at == "":
			err = errors.New("this machine has no unified control groups")
		case err == nil && clock.Wait(ctx, pause) == nil:
			continue
		case err == nil:
			err = fmt.Errorf("systemd did not put process %d into it within %s", pid, scopeWait)
		}
		return fmt.Errorf("enter %s: %w: %w", unit, ErrNoScope, err)
	}
}

// scopeProperties are what the scope is to be, and that nothing else is to be
// started with it, in the words of busctl(1). A scope that failed is not kept in
// memory: the ledger remembers it.
func scopeProperties(pid int, uid string) []string {
	return []string{
		"4",
		"Description", "s", "ocr-run " + uid,
		"PIDs", "au", "1", strconv.Itoa(pid),
		"Delegate", "b", "true",
		"CollectMode", "s", "inactive-or-failed",
		"0",
	}
}

// withRuntimeDir adds where a user's manager listens, for those who came here
// without a login: from cron, or from another user's shell.
func withRuntimeDir(environ []string) []string {
	dir := "/run/user/" + strconv.Itoa(os.Getuid())
	given := slices.ContainsFunc(environ, func(kv string) bool { return strings.HasPrefix(kv, "XDG_RUNTIME_DIR=/") })
	if _, err := os.Stat(dir); given || err != nil {
		return environ
	}
	return append(slices.Clip(environ), "XDG_RUNTIME_DIR="+dir)
}
