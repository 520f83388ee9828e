package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// IngestSpool takes the facts of a spool directory into the ledger and returns
// how many it took. Each execution's facts go in together, in order and exactly
// once; a fact no ledger will take is kept beside, with the reason. When another
// process is already at it, or there is no such directory, there is nothing to
// do. Trouble with one execution does not keep the others waiting.
func IngestSpool(ctx context.Context, l *Ledger, dir string) (n int, err error) {
	s := spool{dir: dir}
	names, err := s.waiting()
	if err != nil || len(names) == 0 {
		return 0, err
	}
	unlock, err := s.lock()
	if errors.Is(err, ErrBusy) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("take in spool %s: %w", dir, err)
	}
	var failures []error
	for _, name := range names {
		taken, err := s.takeIn(ctx, l, name)
		n += taken
		failures = append(failures, err)
	}
	return n, errors.Join(errors.Join(failures...), unlock())
}

// IngestRun takes in the facts of one execution, for somebody who must know that its
// row says all there is: another process that takes in is waited for, as long as the
// ledger waits for a writer. Where nothing of it waits there is nothing to do.
func IngestRun(ctx context.Context, l *Ledger, dir, uid string) error {
	s := spool{dir: dir}
	if !s.holds(uid) {
		return nil
	}
	return l.patiently(ctx, func() error { return s.takeInOne(ctx, l, uid) })
}

// waiting lists the base names of the executions with facts in the spool.
func (s spool) waiting() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read spool %s: %w", s.dir, err)
	}
	var names []string
	for _, e := range entries {
		name, found := strings.CutSuffix(e.Name(), takenSuffix)
		if !found {
			name, found = strings.CutSuffix(e.Name(), spoolSuffix)
		}
		// A FIFO or a device of that name is none of ours.
		if found && e.Type().IsRegular() && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// catchUp takes in what other processes of the execution have put into the spool.
// Should it fail, what comes next must not overtake it.
func (r *Recorder) catchUp(ctx context.Context, uid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending || !r.spool.holds(uid) {
		return
	}
	c := calm{context.WithoutCancel(ctx), r.config.Timeout}
	if l, err := r.opened(c); err == nil { //nolint:contextcheck // it inherits ctx
		err = r.spool.takeInOne(c, l, uid) //nolint:contextcheck // it inherits ctx
		if err == nil {
			return
		}
	}
	r.pending, r.spooled = true, uid
}

// takeInOne takes in the facts of one execution; ErrBusy when another process
// is taking in this spool.
func (s spool) takeInOne(ctx context.Context, l *Ledger, uid string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	_, err = s.takeIn(ctx, l, uid)
	return errors.Join(err, unlock())
}

// takeIn empties the spool of one execution: first what an earlier attempt left
// behind, then what came since. The caller holds the lock.
func (s spool) takeIn(ctx context.Context, l *Ledger, uid string) (n int, err error) {
	for {
		found, err := s.claim(uid)
		if err != nil || !found {
			return n, err
		}
		taken, err := s.takeFile(ctx, l, uid)
		n += taken
		if err != nil {
			return n, fmt.Errorf("take in %s: %w", s.path(uid, takenSuffix), err)
		}
	}
}

// takeFile applies one claimed file in one transaction and removes it. The
// transaction carries a mark made from the file's content: should the removal
// not happen, the next attempt sees that all is done.
func (s spool) takeFile(ctx context.Context, l *Ledger, name string) (n int, err error) {
	path := s.path(name, takenSuffix)
	content, err := readRegular(path)
	if err != nil {
		return 0, err
	}
	lines := wholeLines(content)
	err = l.write(ctx, "take in spool of execution", name, func(tx *sql.Tx) error {
		n, err = s.applyAll(ctx, tx, l.path, name, mark(content), lines)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, os.Remove(path)
}

// wholeLines splits content and leaves out a last line that was cut short.
func wholeLines(content []byte) [][]byte {
	lines := bytes.Split(content, []byte{'\n'})
	lines = lines[:len(lines)-1]
	return slices.DeleteFunc(lines, func(line []byte) bool { return len(line) == 0 })
}

// mark names a file by its content.
func mark(content []byte) string {
	return "spool:" + strconv.Itoa(len(content)) + ":" + digest(content)
}

// applyAll writes the facts, each on its own: one that is refused takes nothing of
// the others with it.
func (s spool) applyAll(ctx context.Context, tx *sql.Tx, ledger, name, mark string, lines [][]byte) (n int, err error) {
	for _, line := range lines {
		var f fact
		if err := json.Unmarshal(line, &f); err != nil {
			if err := s.reject(name, line, err); err != nil {
				return n, err
			}
			continue
		}
		if n == 0 {
			known, err := exists(ctx, tx, `SELECT 1 FROM events WHERE uid = ? AND ext_id = ?`, f.uid(), mark)
			if err != nil || known {
				return 0, err
			}
		}
		err := applyAlone(ctx, tx, f)
		if err == nil {
			n++
			err = taken(ctx, tx, f, mark)
		} else if reason := explain(ledger, err); refusal(reason) {
			err = s.reject(name, line, reason)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// taken marks the execution as recorded elsewhere for a while, and the file as
// taken in. The mark is written once; events of no execution cannot carry one.
func taken(ctx context.Context, tx *sql.Tx, f fact, mark string) error {
	if f.uid() == "" {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE executions SET degraded = 1 WHERE uid = ? AND degraded = 0`, f.uid()); err != nil {
		return err
	}
	return note(ctx, tx, Event{UID: f.uid(), ExternalID: mark, Type: lifecycle.EventDegraded, AtMS: f.atMS()})
}

// applyAlone applies one fact, or nothing of it.
func applyAlone(ctx context.Context, tx *sql.Tx, f fact) error {
	if _, err := tx.ExecContext(ctx, `SAVEPOINT fact`); err != nil {
		return err
	}
	if err := apply(ctx, tx, f); err != nil {
		_, undo := tx.ExecContext(ctx, `ROLLBACK TO fact`)
		return errors.Join(err, undo)
	}
	_, err := tx.ExecContext(ctx, `RELEASE fact`)
	return err
}

// apply writes one fact as its method would have, except that an announcement
// is of a run that was real: a row that is there already is no conflict.
func apply(ctx context.Context, tx *sql.Tx, f fact) error {
	if f.Wrapper != nil && f.Op != opAnnounce {
		row, err := findOwner(ctx, tx, f.uid())
		if err == nil && !row.wrappedBy(*f.Wrapper) {
			return row.notOurs()
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	switch {
	case f.Op == opAnnounce && f.Announcement != nil:
		var launch Launch
		if f.Launch != nil {
			launch = *f.Launch
		}
		return reannounce(ctx, tx, *f.Announcement, launch, max(f.Generation, firstGeneration))
	case f.Op == opLaunch && f.Launch != nil:
		return launched(ctx, tx, *f.Launch)
	case f.Op == opSuspend && f.At != nil:
		return suspend(ctx, tx, f.UID, f.Generation, *f.At, f.Signal)
	case f.Op == opContinue && f.At != nil:
		return resume(ctx, tx, f.UID, f.Generation, *f.At)
	case f.Op == opFinish && f.Ending != nil:
		return finishTakenIn(ctx, tx, f)
	case f.Op == opEvent && f.Event != nil:
		_, err := appendEvent(ctx, tx, *f.Event)
		return err
	case f.Op == opReport && f.Report != nil:
		_, err := report(ctx, tx, *f.Report)
		return err
	default:
		return fmt.Errorf("%w: no such operation %q", ErrInvariant, f.Op)
	}
}

// finishTakenIn writes the end as this ledger has to know it: it has had the row from the
// beginning, or knows nothing that the end does not say.
func finishTakenIn(ctx context.Context, tx *sql.Tx, f fact) error {
	end := *f.Ending
	if f.IfLost != nil {
		anew, err := exists(ctx, tx, `SELECT 1 FROM events WHERE uid = ? AND type = ? AND payload ->> 'again'`,
			end.UID, string(lifecycle.EventAnnounced))
		if err != nil {
			return err
		}
		if anew {
			end = *f.IfLost
		}
	}
	_, err := finish(ctx, tx, end, nil)
	return err
}

// atMS is when the fact happened, in wall-clock UTC milliseconds.
func (f fact) atMS() int64 {
	switch {
	case f.At != nil:
		return f.At.WallMS
	case f.Announcement != nil:
		return f.Announcement.At.WallMS
	case f.Launch != nil:
		return f.Launch.At.WallMS
	case f.Ending != nil:
		return f.Ending.At.WallMS
	case f.Event != nil:
		return f.Event.AtMS
	case f.Report != nil:
		return f.Report.At.WallMS
	default:
		return 0
	}
}
