package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/service"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// service is the service for the ledger that is used here, run by this program.
func (c call) service() (service.Control, error) {
	dir, err := c.stateDir()
	if err != nil {
		return service.Control{}, &verbError{thing: c.verb, err: err}
	}
	home := c.get("HOME")
	if !filepath.IsAbs(home) {
		return service.Control{}, &verbError{thing: c.verb, err: errors.New("HOME is not set, or no absolute path")}
	}
	binary, err := c.ownPath()
	if err != nil {
		return service.Control{}, err
	}
	s := service.Spec{
		Manager: service.Here(), Binary: filepath.Clean(binary), StateHome: filepath.Dir(dir), Home: filepath.Clean(home),
		ConfigHome: c.get("XDG_CONFIG_HOME"), Path: c.get("PATH"), UID: os.Geteuid(),
	}
	return service.Control{Spec: s, Runner: managerRunner{c.environment}, Wait: clock.Wait}, nil
}

// inGoBuild says whether a program is one that "go run" has made for itself.
func inGoBuild(path string) bool {
	return strings.HasPrefix(path, filepath.Clean(os.TempDir())+"/go-build")
}

// ownerOf is the user that a directory belongs to, and whether it is us. One that
// cannot be looked at is taken for ours: what comes next will say more.
func ownerOf(dir string) (uid int, ours bool) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, true
	}
	return int(stat.Uid), int(stat.Uid) == os.Geteuid()
}

// userName is the user's name; empty when nobody knows it.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// managerPatience is how long the manager's command may take: it waits for a sweep,
// which stops what resists for a quarter of a minute and may read a large ledger.
const managerPatience = 2 * time.Minute

// errNotInstalled: the manager's command is not there.
var errNotInstalled = errors.New("it is not installed")

// managerRunner runs the command of the service manager.
type managerRunner struct{ environment }

// Run runs it. What it says is to be read by us: untranslated, and in UTC.
func (r managerRunner) Run(ctx context.Context, name string, args ...string) (service.Answer, error) {
	path, err := findCommand(name, r.environ, r.dir)
	if err != nil {
		return service.Answer{}, fmt.Errorf("%s: %w", name, errNotInstalled)
	}
	ctx, cancel := context.WithTimeout(ctx, managerPatience)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, inDir(r.dir, path), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(slices.Clip(r.environ), "LC_ALL=C", "TZ=UTC")
	if dir := r.runtimeDir(); dir != "" {
		cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+dir)
	}
	// Whoever it leaves behind holding our pipes is not waited for.
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	answer := service.Answer{Out: out.String(), Err: errs.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		answer.Code, err = exit.ExitCode(), nil
	}
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return answer, nil
}

// runtimeDir is where the user's manager is found from a shell that was not told,
// as after su; empty when we were told, or it is not there.
func (r managerRunner) runtimeDir() string {
	if r.get("XDG_RUNTIME_DIR") != "" {
		return ""
	}
	dir := "/run/user/" + strconv.Itoa(os.Geteuid())
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}
