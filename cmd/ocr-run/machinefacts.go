package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/doctor"
	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/hooks"
	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
)

const (
	// versionLimit is how long agents may take to tell their versions, all together:
	// some are half a second of a scripting language, on a machine that idles.
	versionLimit = 5 * time.Second
	// examineLimit is how long the ledger is looked into: enough for some hundred
	// thousand runs, and short enough to wait for.
	examineLimit = 500 * time.Millisecond
	// managerLimit is how long the service manager may take to answer.
	managerLimit = 3 * time.Second
	day          = 24 * time.Hour
)

// machineFacts finds out everything doctor judges, and changes nothing. The clocks
// are looked at first and last: what lies between is the longest look there is.
func (c call) machineFacts(ctx context.Context) doctor.Facts {
	before := c.clock.Now()
	dir, _ := c.stateDir() // without one there is nothing to look at
	f := doctor.Facts{
		Home: doctor.FindHome(c.lookup), State: doctor.FindState(dir), Kernel: doctor.FindKernel(), Limits: doctor.FindLimits(),
		Terminal: doctor.FindTerminal([3]*os.File{c.stdin, c.stdout, c.stderr}, c.get("TERM")), Machine: c.machineNames(),
	}
	if self, err := ownFile(); err == nil {
		f.Program = doctor.FindProgram(program, self, pathOf(c.environ), c.dir)
	}
	f.State.Remote, _ = store.Remote(filepath.Join(dir, "ledger.db")) // what cannot be asked is taken for local
	f.Service = c.serviceFacts(ctx, f.Home.User)
	f.Ledger = c.ledgerFacts(ctx, dir, before)
	f.Agents = c.agentFacts()
	c.askVersions(ctx, f.Agents)
	f.Clocks = clockFacts(before, c.clock.Now(), f)
	return f
}

// serviceFacts is how the service is, as "service status" tells it.
func (c call) serviceFacts(ctx context.Context, user string) doctor.Service {
	f := doctor.FindService(user, c.get("HOME"), c.configHome())
	f.Install = program + " service install"
	ctx, cancel := context.WithTimeout(ctx, managerLimit)
	defer cancel()
	view, files, err := c.serviceNow(ctx)
	if err != nil {
		return f // what stands in the way of it has its own check
	}
	for _, file := range files {
		if file.present() {
			f.Units = append(f.Units, file.Path)
		}
	}
	f.Problems = view.Problems
	return f
}

// askVersions asks the agents for their versions in an empty home: some write files
// there, or renew themselves, whenever they are started.
func (c call) askVersions(ctx context.Context, agents []doctor.Agent) {
	home, err := os.MkdirTemp("", program+"-doctor-")
	for i := range agents {
		a := &agents[i]
		a.AtHome = strings.HasPrefix(a.Path, filepath.Clean(c.get("HOME"))+"/")
		if err != nil && a.Path != "" {
			a.Failure = "it was not asked: " + err.Error()
		}
	}
	if err != nil {
		return
	}
	defer os.RemoveAll(home) //nolint:errcheck // it is in the place for temporary files
	doctor.Versions(ctx, agents, awayFromHome(c.environ, home), home, versionLimit)
}

// awayFromHome is an environment with another home, and without what leads agents to
// their files elsewhere.
func awayFromHome(environ []string, home string) []string {
	rest := slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"}, name) ||
			slices.ContainsFunc(hooks.Agents(), func(agent string) bool { return strings.HasPrefix(name, strings.ToUpper(agent)+"_") })
	})
	return overlay(rest, []string{"HOME=" + home})
}

// configHome is where the settings of the user are.
func (c call) configHome() string {
	if dir := c.get("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(c.get("HOME"), ".config")
}

// machineNames is what the machine calls itself.
func (c call) machineNames() doctor.Machine {
	m := doctor.Machine{Namespace: proc.PIDNamespace()}
	m.Own, m.Container = doctor.FindNamespace(m.Namespace)
	m.MachineID, _ = c.machineID() // one that cannot be read is none
	boot, err := c.bootID()
	if m.BootID = boot; err != nil {
		m.BootTrouble = err.Error()
	}
	return m
}

// ledgerFacts looks into the ledger, within a bound.
func (c call) ledgerFacts(ctx context.Context, dir string, now clock.Reading) doctor.Ledger {
	if dir == "" {
		return doctor.Ledger{}
	}
	l := doctor.Ledger{Path: filepath.Join(dir, "ledger.db"), Spool: spoolDir(dir), CheckLimit: examineLimit}
	l.Waiting, l.Rejected, _ = store.SpoolState(l.Spool) // that it cannot be read, its mode says
	bounded, cancel := context.WithTimeout(ctx, examineLimit)
	defer cancel()
	e, err := store.Examine(bounded, l.Path, now.Wall.Add(-doctor.DegradedDays*day).UnixMilli())
	l.Schema, l.Known, l.Bytes, l.LogBytes, l.Pages, l.FreePages = e.Schema, e.Known, e.Bytes, e.LogBytes, e.Pages, e.FreePages
	l.Executions, l.Open, l.Degraded, l.Events = e.Executions, e.OpenExecutions, e.DegradedExecutions, e.Events
	l.Checked, l.Broken = e.Integrity != store.IntegrityUnknown, e.Broken
	if l.Exists = !errors.Is(err, fs.ErrNotExist); l.Exists && err != nil {
		l.Trouble = err.Error()
		l.Damaged, l.Busy = errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrBusy)
		l.Unindexed = errors.Is(err, store.ErrNotExamined)
	}
	return l
}

// clockFacts compares two looks at the clocks, and the last one with what has been
// written.
func clockFacts(before, after clock.Reading, f doctor.Facts) doctor.Clocks {
	c := doctor.Clocks{
		Wall: after.Wall, Awake: after.Awake, Suspended: after.Suspended,
		WallMoved: after.Wall.Sub(before.Wall), AwakeMoved: after.Awake - before.Awake, SuspendedMoved: after.Suspended - before.Suspended,
	}
	for _, path := range []string{f.Program.Self, f.Ledger.Path} {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(c.Newest) {
			c.Newest, c.NewestWhat = info.ModTime(), path
		}
	}
	return c
}

// agentFacts looks for the agents and for our hooks in their settings.
func (c call) agentFacts() []doctor.Agent {
	var all []doctor.Agent
	for _, name := range hooks.Agents() {
		a := doctor.Agent{Name: name}
		if path, err := findCommand(name, c.environ, c.dir); err == nil {
			a.Path = inDir(c.dir, path)
			c.findHooks(&a)
		}
		all = append(all, a)
	}
	return all
}

// findHooks looks for our hooks in the settings of the user, and in those of the
// workspace where the user's have none.
func (c call) findHooks(a *doctor.Agent) {
	for _, workspace := range []string{c.workspace(), ""} {
		path, err := hooks.Place(a.Name, workspace, c.get)
		if err != nil {
			continue
		}
		a.HookFile = path
		text, _, err := readFile(path)
		if err != nil {
			a.Hooks, a.HookTrouble = doctor.HooksUnreadable, err.Error()
			return
		}
		if a.Hooks, a.HookProgram, err = hookState(a.Name, text); err != nil {
			a.HookTrouble = err.Error()
		}
		if a.Hooks == doctor.HooksInstalled && c.missing(a.HookProgram) {
			a.Hooks = doctor.HooksDead
		}
		if a.Hooks != doctor.HooksNone {
			return
		}
	}
}

// hookState is how our hooks stand in the text of settings, and what they call.
func hookState(agent, text string) (state doctor.HookState, called string, err error) {
	without, err := hooks.Uninstall(agent, text)
	if err != nil {
		return doctor.HooksUnreadable, "", err
	}
	if without == text {
		return doctor.HooksNone, "", nil
	}
	called = hooks.Program(agent, text)
	if again, err := hooks.Install(agent, text, called); err != nil || again != text {
		return doctor.HooksPartly, called, err
	}
	return doctor.HooksInstalled, called, nil
}

// missing says whether what hooks call is not there.
func (c call) missing(called string) bool {
	if !strings.ContainsRune(called, '/') {
		_, err := findCommand(called, c.environ, c.dir)
		return err != nil
	}
	return executable(called, inDir(c.dir, called)) != nil
}
