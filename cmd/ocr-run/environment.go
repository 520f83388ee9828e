package main

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
)

// environment is everything the program takes from the process it runs in.
// main builds it once; nothing below reads os.Args, os.Environ or the clock.
type environment struct {
	// args are the words after the program's name.
	args []string
	// stdin, stdout and stderr are the descriptors as inherited. One the
	// caller had closed is /dev/null, for us; it is never nil.
	stdin, stdout, stderr *os.File
	// environ is the whole environment as KEY=VALUE, unfiltered, for the child.
	environ []string
	// lookup is os.LookupEnv, with a home for those who were started without one.
	lookup func(key string) (value string, set bool)
	// dir is the absolute working directory; empty when it no longer exists.
	dir string
	// clock is the machine's clock, or a test's.
	clock clock.Clock
	// bootID names the boot the clock's awake time counts from.
	bootID func() (string, error)
	// machineID names the machine; empty when it has no name.
	machineID func() (string, error)
}

// processEnvironment is the environment of this process.
func processEnvironment() environment {
	dir, err := os.Getwd()
	if err != nil {
		// A deleted directory is no reason not to run a command.
		dir = ""
	}
	return environment{
		args:      os.Args[1:],
		stdin:     os.Stdin,
		stdout:    os.Stdout,
		stderr:    os.Stderr,
		environ:   os.Environ(),
		lookup:    lookupHome,
		dir:       dir,
		clock:     clock.System(),
		bootID:    clock.BootID,
		machineID: clock.MachineID,
	}
}

// lookupHome is os.LookupEnv. Where HOME is not set, as in a service of the system, or is
// empty, which is no home either, it is what the system says of the user: shells and
// agents look there, too.
func lookupHome(key string) (value string, set bool) {
	value, set = os.LookupEnv(key)
	if key != "HOME" || value != "" {
		return value, set
	}
	u, err := user.Current()
	if err != nil || u.HomeDir == "" {
		return "", false
	}
	return u.HomeDir, true
}

// get is the value of a variable, empty when it is not set.
func (e environment) get(key string) string {
	v, _ := e.lookup(key)
	return v
}

// errNoHome says that there is no place for the ledger.
var errNoHome = errors.New("neither XDG_STATE_HOME (an absolute path) nor HOME is set")

// stateDir is the directory of the ledger and of everything beside it. It may
// not exist yet. A relative XDG_STATE_HOME is invalid by the XDG rules and
// ignored. The error is errNoHome.
func (e environment) stateDir() (string, error) {
	if dir := e.get("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ocr-run"), nil
	}
	if home := e.get("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "ocr-run"), nil
	}
	return "", errNoHome
}

// ledgerPath is where the ledger is, or will be. The error is errNoHome.
func (e environment) ledgerPath() (string, error) {
	dir, err := e.stateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "ledger.db"), nil
}

// workspaceOf is the directory a run in dir belongs to: the nearest directory
// at or above it that holds a .git (a directory, or a file as in a linked
// worktree), else dir itself. Links in dir are resolved, so that two paths to
// one place are one workspace.
func workspaceOf(dir string) string {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// resolved is an absolute path without links in it, of which the last parts may be gone.
func resolved(path string) string {
	path = filepath.Clean(path)
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		return whole
	}
	up := filepath.Dir(path)
	if up == path {
		return path
	}
	up = resolved(up)
	path = filepath.Join(up, filepath.Base(path))
	if to, err := os.Readlink(path); err == nil {
		return resolved(inDir(up, to))
	}
	return path
}
