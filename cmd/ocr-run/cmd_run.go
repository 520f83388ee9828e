package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/reaper/proc"
	"github.com/ocr-run/ocr-run/store"
	"github.com/ocr-run/ocr-run/supervisor"
)

// openTimeout is how long a run waits for a ledger that another process holds.
// It is shorter than the verbs': the command is waiting to be launched.
const openTimeout = 300 * time.Millisecond

// wrap runs a command and returns the exit code of the whole, or does not
// return: a command that died of a signal takes the wrapper with it.
func wrap(ctx context.Context, env environment, opts runOptions, command []string) int {
	w, err := newWrapping(ctx, env, opts, command)
	if err != nil {
		return wrapRefused(env, err)
	}
	defer w.close()
	return w.conclude(ctx, supervisor.Run(ctx, w.config(ctx)))
}

// wrapping is one wrapped run, from flags to receipt.
type wrapping struct {
	env     environment
	opts    runOptions
	command []string
	path    string // the file to execute
	missing error  // why there is none

	uid, parent, lineage string
	agent                string
	stateDir             string
	journal              *store.Recorder
	lease                *runfile.File // taken before the run begins; nil to take it then
	host                 *hosting      // nil without a host
	tee                  *tee
	witness              *witness // nil without an agent we know
	injected             injected
	debug                *os.File
	keptIn               string // the file the receipt was written to
	log                  zerolog.Logger
	background           sync.WaitGroup
}

// newWrapping decides everything that can be decided before anything is opened.
func newWrapping(ctx context.Context, env environment, opts runOptions, command []string) (*wrapping, error) {
	w := &wrapping{env: env, opts: opts, command: command, log: zerolog.Nop()}
	if err := w.openDebug(); err != nil {
		return nil, err
	}
	w.openJournal()
	// Opening takes as long as everything else before the launch together. Trouble
	// with it shows when the first fact is written.
	w.background.Go(func() {
		supervisor.Deepen()
		_, _ = w.journal.Ledger(context.WithoutCancel(ctx))
	})
	if err := w.prepare(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// prepare decides the rest, while the ledger is opened.
func (w *wrapping) prepare(ctx context.Context) error {
	uid, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make execution uid: %w", err)
	}
	w.uid = cmp.Or(w.opts.uid, uid.String())
	w.agent, w.witness = w.newWitness(ctx, w.opts.agent, w.command)
	w.inherit(ctx)
	w.path, w.missing = findCommand(w.command[0], w.childEnv(), w.moves())
	if w.tee, err = newTee(w.opts.log, w.opts.logSize, w.env.clock); err != nil {
		return fmt.Errorf("--log: %w", err)
	}
	if err := w.receiptApart(); err != nil {
		return err
	}
	w.listen()
	w.inject()
	return nil
}

// inherit finds out what run we are part of. A uid inherited from an outer
// ocr-run makes that run the parent. One that the host's dashboard has made for
// this run is ours; any other makes its run the parent.
func (w *wrapping) inherit(ctx context.Context) {
	host, hosted, broken := findHost(w.opts.cwd)
	given := w.env.get(supervisor.EnvHostUID)
	adopted, silent := false, false
	if hosted && w.opts.uid == "" {
		adopted, silent = w.adopts(ctx, host, given)
	}
	if adopted {
		w.uid = given
	}
	w.log = w.log.With().Str("uid", w.uid).Logger()
	w.parent = uidOrNone(w.env.get(supervisor.EnvUID))
	if w.parent == "" && !adopted {
		w.parent = uidOrNone(given)
	}
	switch {
	case broken != nil:
		w.host = &hosting{broken: broken, clock: w.env.clock, log: w.log}
	case hosted:
		w.host = w.newHosting(host, adopted)
		w.host.silent = silent
	}
	w.lineage = w.uid
	if up := w.env.get(supervisor.EnvLineage); w.parent != "" && strings.HasSuffix(up, w.parent) {
		w.lineage = up + "/" + w.uid
	} else if w.parent != "" {
		w.lineage = w.parent + "/" + w.uid
	}
}

// uidOrNone is an inherited uid, empty when it cannot be one.
func uidOrNone(uid string) string {
	if uuid.Validate(uid) != nil {
		return ""
	}
	return uid
}

// openDebug opens the debug log.
func (w *wrapping) openDebug() error {
	if w.opts.debug == "" {
		return nil
	}
	f, err := os.OpenFile(w.opts.debug, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("--debug: %w", err)
	}
	w.debug = f
	// The time as everywhere: zerolog's own layout has no milliseconds.
	stamp := func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Str("time", render.Time(w.env.clock.Now().Wall.UnixMilli()))
	}
	w.log = zerolog.New(f).Hook(zerolog.HookFunc(stamp))
	return nil
}

// openJournal prepares the journal. Without a place for the ledger the run is
// recorded nowhere, and its receipt says so.
func (w *wrapping) openJournal() {
	dir, err := w.env.stateDir()
	if err != nil {
		w.log.Warn().Err(err).Msg("no state directory")
	}
	w.stateDir = dir
	patience := cmp.Or(w.opts.patience, openTimeout)
	w.journal = store.NewRecorder(store.RecorderConfig{
		Open: func(ctx context.Context) (*store.Ledger, error) {
			path, err := w.env.ledgerPath()
			if err != nil {
				return nil, err
			}
			return store.Open(ctx, store.Config{Path: path, BusyTimeout: patience})
		},
		SpoolDir: spoolDir(dir),
		Timeout:  patience,
		Log:      func(err error) { w.log.Warn().Err(err).Msg("ledger") },
	})
}

// config is the run in the supervisor's words.
func (w *wrapping) config(ctx context.Context) supervisor.Config {
	boot, err := w.env.bootID()
	if err != nil {
		w.log.Warn().Err(err).Msg("no boot id")
	}
	machine, err := w.env.machineID()
	if err != nil {
		w.log.Debug().Err(err).Msg("no machine id")
	}
	o := w.opts
	o.noMonitor = w.withoutMonitor()
	return supervisor.Config{
		UID: w.uid, ParentUID: w.parent, ResumedFrom: o.resumedFrom, WorkflowID: o.workflow, Lineage: w.lineage, Name: o.name, Agent: w.agent,
		Headless: w.witness.headless(),
		Command:  w.command, Argv: w.injected.argv, StopSignal: w.stopSignal(), Path: w.path, Missing: w.missing, Dir: o.cwd, Chdir: w.moves(), Workspace: w.workspace(), Env: w.childEnv(),
		Stdin: w.env.stdin, Stdout: w.env.stdout, Stderr: w.env.stderr,
		PTY: o.pty, NoMonitor: o.noMonitor, Scope: o.scope,
		OnHangup: o.onHangup, Leftovers: o.leftovers,
		NotBefore: o.notBefore, WaitsFor: o.waitsFor, HoldStdio: o.autoResume > 0, HoldOthers: o.needsOthers(),
		Timeout: o.timeout, Grace: o.grace, Interval: o.heartbeat,
		StateDir: w.stateDir, RunFile: w.lease, Journal: w.journal, Tap: w.tap(), Through: w.passing(), Clock: w.env.clock, BootID: boot,
		Machine: store.Identity{MachineID: machine, BootID: boot, PIDNamespace: proc.PIDNamespace()},
		Watch:   w.watching(ctx),
		Host:    w.hostRoot(), Announced: w.announced, Ended: w.ended, Launched: w.launched, Log: w.log,
	}
}

// moves is the directory the command is to be started in, empty where we are in it:
// it is then handed on as it is, whatever has become of its name.
func (w *wrapping) moves() string {
	if w.opts.cwd == w.env.dir {
		return ""
	}
	return w.opts.cwd
}

// workspace is the directory the run belongs to; empty where that no longer exists.
func (w *wrapping) workspace() string {
	if w.opts.cwd == "" {
		return ""
	}
	return workspaceOf(w.opts.cwd)
}

// hostRoot is the root of the host's project, empty without a host.
func (w *wrapping) hostRoot() string {
	if w.host == nil {
		return ""
	}
	return w.host.host.Root
}

// ended adds to the end what others know of the run.
func (w *wrapping) ended(ctx context.Context, e *store.Ending) {
	w.testify(ctx, e)
	w.host.ended(ctx, e)
}

// announced tells others of the run, just before the command runs.
func (w *wrapping) announced(ctx context.Context) {
	w.clearReceipt()
	w.host.announce(ctx)
	w.witness.begins(w.env.clock.Now())
}

// launched starts what goes on beside the command; it ends with the context.
func (w *wrapping) launched(ctx context.Context) {
	w.sweep(ctx)
	if w.host != nil && w.host.row != nil {
		w.background.Go(func() { w.host.beat(ctx) })
	}
}

// childEnv is the command's environment, with what its hooks and its telemetry need.
func (w *wrapping) childEnv() []string { return overlay(w.plainEnv(), w.injected.env) }

// stopSignal is what first asks the command to end; 0 when that is for others to
// say.
func (w *wrapping) stopSignal() syscall.Signal {
	if w.witness == nil {
		return 0
	}
	return w.witness.agent.Stop.Signal
}

// plainEnv is the command's environment: ours, what the flags add, and the
// marker. A variable given twice would mean one thing to one program and
// another to the next, so the last one wins here. What runs around this one have
// their own agents do is not meant for it.
func (w *wrapping) plainEnv() []string {
	over := append([]string{}, w.opts.env...)
	over = append(over,
		supervisor.EnvUID+"="+w.uid,
		supervisor.EnvLineage+"="+w.lineage,
		supervisor.EnvHostUID+"="+w.uid,
	)
	if w.opts.leftovers != supervisor.LeftoversStop {
		// What the end of the run leaves alone no sweep may stop later.
		over = append(over, proc.EnvKeep+"="+joinKept(w.env.get(proc.EnvKeep), w.uid))
	}
	return overlay(untold(w.env.environ, w.stateDir, w.lineage), over)
}

// overlay lays KEY=VALUE pairs over an environment, in place where the key was
// there already.
func overlay(base, over []string) []string {
	out := append(make([]string, 0, len(base)+len(over)), base...)
	for _, kv := range over {
		key := kv[:strings.IndexByte(kv, '=')+1]
		at := -1
		for i, have := range out {
			if strings.HasPrefix(have, key) {
				at = i
			}
		}
		if at < 0 {
			out = append(out, kv)
		} else {
			out[at] = kv
		}
	}
	return out
}

// close gives up what the run held open. The ledger is left to the end of the
// process: closing it as its last user would move all of it into the main file,
// which the user would wait for and the next opener does as well.
func (w *wrapping) close() {
	w.background.Wait()
	w.removeHooks()
	w.tee.close()
	if w.lease != nil {
		_ = w.lease.Release(true) // unless the run has done so
	}
	if w.debug != nil {
		_ = w.debug.Close()
	}
}
