package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/ocr-run/ocr-run/heartbeat/clock"
	"github.com/ocr-run/ocr-run/heartbeat/runfile"
	"github.com/ocr-run/ocr-run/lifecycle"
	"github.com/ocr-run/ocr-run/store/ocrdb"
)

const (
	// hostLaunchTimeout bounds the host's part of a launch: every beat tries
	// again.
	hostLaunchTimeout = 300 * time.Millisecond
	// hostVerdictTimeout bounds the look at the workflow at the end of a run. One that
	// cannot be read by then counts as unreadable: a machine that is merely slow must
	// not make that of finished work.
	hostVerdictTimeout = 10 * time.Second
	// hostEndTimeout bounds the end of our row, which is seen to by a later sweep.
	hostEndTimeout = 2 * time.Second
	// hostFinishTimeout bounds the host's own command that finishes a workflow, and
	// hostFinishDelay what still holds its output once it has ended.
	hostFinishTimeout = 30 * time.Second
	hostFinishDelay   = time.Second
)

// hosting is a run in the project of a host, which keeps the workflow: our row in
// the host's database, and the look at the workflow at the end. Nothing of it can
// fail the run.
type hosting struct {
	host ocrdb.Host
	uid  string
	// row is our row; nil for a run whose uid came from the host's dashboard,
	// which has its own.
	row   *ocrdb.Row
	agent bool // an agent runs, not just anything
	// startedMS is the wall clock when the run began.
	startedMS int64
	every     time.Duration
	clock     clock.Clock
	log       zerolog.Logger
	// broken is why there is something like a host that cannot be looked at; nil
	// when it can.
	broken error
	// finish, when it is not nil, lets the host finish a complete workflow.
	finish func(ctx context.Context, id string) error

	// silent: the host did not answer in time when it was last asked.
	silent bool

	mu        sync.Mutex
	announced bool
	// work is how far the workflow had come at the last beat, steps how often it was
	// seen to have moved on.
	work  hostWorkMark
	steps uint64
}

// findHost is the host of a directory. One that was deleted has none, nor has one that
// its name does not lead us to: the product looks for itself by that name.
func findHost(dir string) (host ocrdb.Host, ok bool, err error) {
	if dir == "" {
		return ocrdb.Host{}, false, nil
	}
	host, ok, err = ocrdb.Find(dir)
	if errors.Is(err, fs.ErrPermission) {
		if _, hidden := os.Stat(dir); errors.Is(hidden, fs.ErrPermission) {
			return ocrdb.Host{}, false, nil
		}
	}
	return host, ok, err
}

// promptly runs do in the time that a launch has for the host, and once more when
// that was too short and nobody in the way: it is the machine that is slow then.
func promptly(ctx context.Context, do func(context.Context) error) error {
	try := func() error {
		bounded, cancel := context.WithTimeout(ctx, hostLaunchTimeout)
		defer cancel()
		return do(bounded)
	}
	err := try()
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ocrdb.ErrBusy) {
		err = try()
	}
	return err
}

// adopts says whether the run is the one that the host's dashboard has a row for
// and set the uid of: the row is unfinished and not ours, and neither the ledger nor
// the spool knows of such a run. A ledger that cannot be asked knows of none: work that
// the host links to its own row must not pass for none. Of several that have the uid
// it is the one that gets the lease, which comes first: whoever had it before is known
// by the time it is free. silent says that the host did not answer.
func (w *wrapping) adopts(ctx context.Context, host ocrdb.Host, uid string) (adopted, silent bool) {
	if uid == "" || uid == w.env.get(envRunUID) {
		return false, false
	}
	var row ocrdb.Execution
	var known bool
	err := promptly(ctx, func(ctx context.Context) (err error) {
		row, known, err = host.Execution(ctx, uid)
		return err
	})
	if err != nil || !known || row.Ours || !row.Unfinished() {
		return false, errors.Is(err, ocrdb.ErrBusy) || errors.Is(err, context.DeadlineExceeded)
	}
	return w.takes(ctx, uid), false
}

// takes takes the lease of a run that nobody knows of yet, and says whether the run is
// ours. One that cannot have a lease goes on without.
func (w *wrapping) takes(ctx context.Context, uid string) bool {
	var lease *runfile.File
	if w.stateDir != "" {
		var err error
		lease, err = runfile.Create(w.stateDir, uid)
		if errors.Is(err, runfile.ErrTaken) {
			return false
		}
		if err != nil {
			w.log.Warn().Err(err).Msg("take the lease of the host's run")
		}
	}
	if w.journal.Knows(ctx, uid) {
		if lease != nil {
			_ = lease.Release(true)
		}
		return false
	}
	w.lease = lease
	return true
}

// vendorName is an agent's name in the host's words; empty for one it does not
// know.
func vendorName(agent string) string {
	switch agent {
	case "claude", "opencode":
		return agent
	default:
		return ""
	}
}

// newHosting prepares the host's side of a run.
func (w *wrapping) newHosting(host ocrdb.Host, adopted bool) *hosting {
	threshold, err := host.Threshold()
	if err != nil {
		w.log.Warn().Err(err).Msg("host")
	}
	h := &hosting{
		host: host, uid: w.uid, agent: w.agent != "", startedMS: w.env.clock.Now().Wall.UnixMilli(), clock: w.env.clock, log: w.log,
		// Looked after twice as often as it is renewed: a row that another program's
		// copy of the file has removed comes back soon.
		every: ocrdb.Interval(threshold) / 2,
	}
	if w.opts.autoFinish {
		h.finish = func(ctx context.Context, id string) error { return w.finishInHost(ctx, host, id) }
	}
	if !adopted {
		h.row = host.Row(ocrdb.Announcement{
			UID: w.uid, Command: w.command, Vendor: vendorName(w.agent), Name: w.opts.name,
			StartedMS: h.startedMS, BeatEvery: ocrdb.Interval(threshold),
		})
	}
	return h
}

// nowMS is the wall clock in milliseconds.
func (h *hosting) nowMS() int64 { return h.clock.Now().Wall.UnixMilli() }

// announce writes our row before the command exists, unless the launch has waited
// for the host already.
func (h *hosting) announce(ctx context.Context) {
	if h == nil || h.row == nil || h.silent {
		return
	}
	err := promptly(ctx, func(ctx context.Context) error { return h.row.Announce(ctx, h.nowMS()) })
	if err != nil {
		h.log.Warn().Err(err).Msg("announce to host")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.announced = err == nil
}

// unannounced says whether our row did not stand when the command began: the host
// may have found nothing to link to a workflow.
func (h *hosting) unannounced() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.row != nil && !h.announced
}

// beat keeps our row standing and fresh until the context ends. It is renewed every
// second time; in between it is put back if the file is another one.
func (h *hosting) beat(ctx context.Context) {
	h.mu.Lock()
	wait := h.every
	if !h.announced {
		wait = time.Second
	}
	h.mu.Unlock()
	var seen os.FileInfo
	for renew := true; clock.Wait(ctx, wait) == nil; renew = !renew {
		wait = h.every
		if !renew && h.untouched(seen) {
			continue
		}
		answer, err := h.row.Beat(ctx, h.nowMS())
		seen, _ = os.Stat(h.host.Path) // what cannot be seen has been touched
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, ocrdb.ErrTooNew), errors.Is(err, ocrdb.ErrTooOld), errors.Is(err, ocrdb.ErrForeign):
			h.log.Warn().Err(err).Msg("the host's database is only read")
			return
		case err != nil:
			h.log.Warn().Err(err).Msg("beat to host")
			renew = false // the next one counts
		case answer.Restored:
			h.log.Info().Msg("the row in the host's database had gone and was written anew")
		}
		if err == nil {
			h.observe(ctx)
		}
	}
}

// hostWorkMark is how far the host's workflow has come.
type hostWorkMark struct {
	id            string
	phase         lifecycle.Phase
	round         int
	artifact, end bool
}

// observe notes whether the workflow of the run has moved on.
func (h *hosting) observe(ctx context.Context) {
	w, ok, err := h.host.WorkflowOf(ctx, h.uid)
	if err != nil || !ok {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := (hostWorkMark{w.ID, w.Phase, w.CurrentRound, w.HasArtifact, w.Closed}); now != h.work {
		h.work = now
		h.steps++
	}
}

// moved counts how often the workflow of the run was seen to have moved on.
func (h *hosting) moved() uint64 {
	if h == nil {
		return 0
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.steps
}

// untouched says whether the database is the file that was seen, unwritten: only a
// program that replaces it can have lost our row.
func (h *hosting) untouched(seen os.FileInfo) bool {
	now, err := os.Stat(h.host.Path)
	return err == nil && seen != nil && os.SameFile(now, seen) && now.ModTime().Equal(seen.ModTime())
}
