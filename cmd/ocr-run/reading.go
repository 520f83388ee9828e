package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/ocr-run/ocr-run/cmd/ocr-run/internal/render"
	"github.com/ocr-run/ocr-run/heartbeat"
	"github.com/ocr-run/ocr-run/reaper"
	"github.com/ocr-run/ocr-run/store"
)

// busyTimeout is how long a verb that writes waits for another writer. It is
// longer than any write of ours takes, and short enough for a person to wait for.
const busyTimeout = 5 * time.Second

// lookTimeout is how long a verb that only looks waits. No writer is in its way:
// only who locks the whole ledger for good is, and that is worth saying soon.
const lookTimeout = time.Second

// tidyTimeout is how long a verb that only looks may take to settle, before it
// looks, what dead wrappers left open. What is not settled by then is left to
// whoever comes next.
const tidyTimeout = 300 * time.Millisecond

// openLedger opens the ledger for a verb that writes, and creates it when there is none
// yet. What waits of the run we are in is taken in first: what the verb does may count as
// that run's, and one that began while the ledger was locked has no row yet.
func (c call) openLedger(ctx context.Context) (*store.Ledger, error) {
	l, err := c.openPatiently(ctx, busyTimeout)
	if err != nil {
		return nil, err
	}
	if err := c.takeInOf(ctx, l, c.ownUID()); err != nil {
		return nil, errors.Join(c.failed(err), l.Close())
	}
	return l, nil
}

// takeInOf takes in what waits of one run.
func (c call) takeInOf(ctx context.Context, l *store.Ledger, uid string) error {
	dir, err := c.stateDir()
	if err != nil {
		return err
	}
	return store.IngestRun(ctx, l, spoolDir(dir), uid)
}

// openPatiently opens the ledger and waits so long for other processes, then and
// later.
func (c call) openPatiently(ctx context.Context, patience time.Duration) (*store.Ledger, error) {
	path, err := c.ledgerPath()
	if err != nil {
		return nil, &verbError{thing: "ledger", err: err, try: "export HOME, or XDG_STATE_HOME as an absolute path"}
	}
	l, err := store.Open(ctx, store.Config{Path: path, BusyTimeout: patience})
	if err != nil {
		return nil, c.failed(err)
	}
	return l, nil
}

// failed is trouble with the ledger, with the way out of it.
func (c call) failed(err error) error {
	if errors.Is(err, reaper.ErrHeld) {
		return &verbError{thing: c.verb, err: err, try: "the same command again when that has ended", kind: store.ErrBusy}
	}
	path, _ := c.ledgerPath() // it was opened by that name
	return &verbError{thing: c.verb, err: err, try: ledgerHint(err, path)}
}

// ledgerHint is the way out of a ledger that cannot be used.
func ledgerHint(err error, path string) string {
	switch {
	case errors.Is(err, store.ErrTooNew):
		return "update ocr-run: a later version wrote " + path
	case errors.Is(err, store.ErrDamaged):
		return "the mv above: a new ledger is begun, and the old one is kept"
	case errors.Is(err, store.ErrBusy):
		return "the same command again in a moment; if that does not help, lsof " + path + " names who holds it"
	case errors.Is(err, store.ErrFull), errors.Is(err, unix.ENOSPC):
		return "make room (df -h " + filepath.Dir(path) + "), and the same command again"
	default:
		return "ls -ld " + path + " " + filepath.Dir(path)
	}
}

// readLedger opens the ledger for a verb that only reads, and gives nil when
// there is none: reading creates nothing, unless facts wait to be taken in.
func (c call) readLedger(ctx context.Context) (*store.Ledger, error) {
	if c.nothingRecorded() {
		return nil, nil //nolint:nilnil // no ledger is an answer, and not an error
	}
	return c.openPatiently(ctx, lookTimeout)
}

// nothingRecorded says that there is neither a ledger nor anything that waits for
// one.
func (c call) nothingRecorded() bool {
	path, err := c.ledgerPath()
	if err != nil {
		return false
	}
	_, ledger := os.Stat(path)
	_, spool := os.Stat(spoolDir(filepath.Dir(path)))
	return errors.Is(ledger, fs.ErrNotExist) && errors.Is(spool, fs.ErrNotExist)
}

// reading runs do on the ledger, if there is one, and says whether there was.
// It is the only way in for the verbs that show runs.
func (c call) reading(ctx context.Context, do func(*store.Ledger) error) (found bool, err error) {
	l, err := c.readLedger(ctx)
	if l == nil || err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	c.bringUpToDate(ctx, l)
	return true, do(l)
}

// bringUpToDate settles what dead wrappers left open, so that nobody reads that a
// run still goes on. Trouble with it is no reason to show nothing, nor to wait.
func (c call) bringUpToDate(ctx context.Context, l *store.Ledger) {
	bounded, cancel := context.WithTimeout(ctx, tidyTimeout)
	defer cancel()
	dir, err := c.stateDir()
	if err == nil {
		err = c.settle(bounded, l, dir)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.Is(err, store.ErrBusy) || bounded.Err() != nil:
		c.note("%s could not be brought up to date in time; runs whose wrapper died may still be shown as they were", l.Path())
	default:
		c.note("bring the ledger up to date: %s", err)
	}
}

// hintNoLedger tells a person, and no program, why a list is empty.
func (c call) hintNoLedger() {
	if term.IsTerminal(int(c.stderr.Fd())) {
		c.note("nothing has been run yet. Try: ocr-run CMD")
	}
}

// views judges rows as they are now.
func (c call) views(ctx context.Context, l *store.Ledger, all []store.Execution) []render.Execution {
	c.joinHosts(ctx, all)
	at := c.observer()
	bounded, cancel := context.WithTimeout(ctx, tidyTimeout)
	defer cancel()
	out := make([]render.Execution, 0, len(all))
	for _, e := range all {
		e, liveness := c.look(bounded, l, e, at)
		v := executionView(e, liveness, at.Now)
		v.Lights = lightsView(e, heartbeat.LightsOf(e, liveness, at), at)
		out = append(out, v)
	}
	return out
}

// look sees how the wrapper of a row does. One that has gone may have written its end
// since the row was read, into the ledger or the spool: the row is read once more before
// anybody is told.
func (c call) look(ctx context.Context, l *store.Ledger, e store.Execution, at heartbeat.Observer) (store.Execution, heartbeat.Liveness) {
	liveness := reaper.Look(e, at)
	if liveness != heartbeat.LivenessGone {
		return e, liveness
	}
	_ = c.takeInOf(ctx, l, e.UID) // it is shown as it stands then
	now, err := l.Execution(ctx, e.UID)
	if err != nil || !now.Process.End.Over() {
		return e, liveness
	}
	rows := []store.Execution{now}
	c.joinHosts(ctx, rows)
	return rows[0], reaper.Look(now, at)
}

// style is how text goes to stdout.
func (c call) style() render.Style {
	fd := int(c.stdout.Fd())
	columns, _, err := term.GetSize(fd)
	if err != nil {
		columns = 0
	}
	return render.StyleFor(term.IsTerminal(fd), columns, c.get("NO_COLOR"), c.get("TERM"), c.clock.Now().Wall.UnixMilli())
}

// workspaceFlag is the workspace a --workspace flag means; empty without one. A directory
// that is gone is what was recorded of it: a removed worktree had its own .git, and
// nothing above it tells of that any more.
func (c call) workspaceFlag() (string, error) {
	dir := c.flags.String("workspace")
	if dir == "" {
		return "", nil
	}
	dir = c.fromHere(dir)
	switch _, err := os.Stat(dir); {
	case err == nil && filepath.IsAbs(dir):
		return workspaceOf(dir), nil
	case !filepath.IsAbs(dir):
		return "", c.usage("--workspace: %s is relative to a directory that is gone", dir)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		dir = resolved(dir)
		c.note("--workspace: %s is not there; what was recorded of it is listed", render.Plain(dir))
		return dir, nil
	default:
		return "", c.usage("--workspace: %w", err)
	}
}

// fromHere is a path as seen from the working directory. Of one that is gone the shell
// still knows where it was.
func (c call) fromHere(path string) string { return inDir(cmp.Or(c.dir, c.get("PWD")), path) }

// withOutcome keeps the runs with one of the outcomes; none keeps all.
func withOutcome(all []render.Execution, outcomes []string) []render.Execution {
	if len(outcomes) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(e render.Execution) bool { return !slices.Contains(outcomes, e.Outcome) })
}
