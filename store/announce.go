package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ocr-run/ocr-run/lifecycle"
)

// firstGeneration is the generation of a row announced for the first time.
const firstGeneration = 1

// Announce writes down an execution before its child exists, and returns the
// generation its wrapper writes under. Announcing twice from the same wrapper
// changes nothing. A row of another wrapper is ErrNotOurs, one that has ended
// ErrConflict; a workflow that is unknown, closed or cancelled is ErrInvariant.
func (l *Ledger) Announce(ctx context.Context, a Announcement) (generation int64, err error) {
	generation, _, err = l.announce(ctx, a)
	return generation, err
}

// announce says besides whether the row was not there before.
func (l *Ledger) announce(ctx context.Context, a Announcement) (generation int64, created bool, err error) {
	err = l.write(ctx, "announce execution", a.UID, func(tx *sql.Tx) error {
		generation, created, err = announce(ctx, tx, a)
		return err
	})
	return generation, created, err
}

// announce inserts the row or recognises it.
func announce(ctx context.Context, tx *sql.Tx, a Announcement) (generation int64, created bool, err error) {
	created, err = insertExecution(ctx, tx, a, firstGeneration)
	if err != nil {
		return 0, false, err
	}
	if created {
		err := noteExecution(ctx, tx, lifecycle.EventAnnounced, a.UID, a.At.WallMS, announcedPayload(a))
		return firstGeneration, true, errors.Join(err, joinFlow(ctx, tx, a))
	}
	row, err := findOwner(ctx, tx, a.UID)
	switch {
	case err != nil:
		return 0, false, err
	case !row.wrappedBy(a.Wrapper):
		return 0, false, row.notOurs()
	case row.end.Over():
		return 0, false, fmt.Errorf("%w: it has ended (%s)", ErrConflict, row.end)
	default:
		return row.generation, false, nil
	}
}

// Reannounce writes down again an execution whose row is gone, because the
// ledger was removed under it, under the generation it has. A launch with a
// zero child means it has not launched. A row that is there, of the same
// wrapper, is left as it is; of another wrapper, it is ErrNotOurs.
func (l *Ledger) Reannounce(ctx context.Context, a Announcement, launch Launch, generation int64) error {
	return l.write(ctx, "announce execution again", a.UID, func(tx *sql.Tx) error {
		return reannounce(ctx, tx, a, launch, generation)
	})
}

// reannounce inserts the row with what the wrapper still knows. The run is
// real, so a link its workflow no longer accepts is dropped, not the row.
func reannounce(ctx context.Context, tx *sql.Tx, a Announcement, launch Launch, generation int64) error {
	err := acceptedLinks(ctx, tx, &a)
	if err != nil {
		return err
	}
	created, err := insertExecution(ctx, tx, a, generation)
	if err != nil {
		return err
	}
	if !created {
		row, err := findOwner(ctx, tx, a.UID)
		if err == nil && !row.wrappedBy(a.Wrapper) {
			err = row.notOurs()
		}
		return err
	}
	if err := noteExecution(ctx, tx, lifecycle.EventAnnounced, a.UID, a.At.WallMS, []byte(`{"again":true}`)); err != nil {
		return err
	}
	if err := joinFlow(ctx, tx, a); err != nil {
		return err
	}
	if err := linkBegun(ctx, tx, a); err != nil {
		return err
	}
	if launch.Child.PID == 0 {
		return nil
	}
	return launched(ctx, tx, launch)
}

// linkBegun links a row to what its run has worked on in this ledger before the row was
// there to be linked, and that is open still: nothing links to what has ended.
func linkBegun(ctx context.Context, tx *sql.Tx, a Announcement) error {
	begun, err := workflows(ctx, tx, selectWorkflow+` JOIN (SELECT workflow_id, min(seq) AS seq FROM events WHERE uid = ? GROUP BY workflow_id) mine
		ON mine.workflow_id = w.id WHERE w.kind <> 'flow' AND w.ended_at IS NULL AND w.cancel_requested_at IS NULL ORDER BY mine.seq`, a.UID)
	for _, w := range begun {
		if err == nil {
			_, err = link(ctx, tx, Begin{ID: w.ID, UID: a.UID, At: Instant{WallMS: w.UpdatedAtMS}})
		}
	}
	return err
}

// acceptedLinks clears the links of a that the ledger would refuse.
func acceptedLinks(ctx context.Context, tx *sql.Tx, a *Announcement) error {
	for _, id := range []*string{&a.WorkflowID, &a.FlowID} {
		if *id == "" {
			continue
		}
		ok, err := exists(ctx, tx, `SELECT 1 FROM workflows WHERE id = ? AND ended_at IS NULL AND cancel_requested_at IS NULL`, *id)
		if err != nil {
			return err
		}
		if !ok {
			*id = ""
		}
	}
	return nil
}

// insertExecution inserts the row unless the uid is taken.
func insertExecution(ctx context.Context, tx *sql.Tx, a Announcement, generation int64) (created bool, err error) {
	command, err := json.Marshal(a.Command)
	if err != nil {
		return false, err
	}
	return one(ctx, tx, `INSERT INTO executions (uid, generation, parent_uid, resumed_from, workflow_id, flow_id, lineage,
			name, command, cwd, workspace, agent, host, run_file, machine_id, boot_id, pid_namespace, wrapper_pid, wrapper_start,
			"end", created_at, created_awake, beat_ms, last_beat_wall, last_beat_awake, last_beat_boot, not_before, waits_for)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (uid) DO NOTHING`,
		a.UID, generation, text(a.ParentUID), text(a.ResumedFrom), text(a.WorkflowID), text(a.FlowID), a.Lineage,
		text(a.Name), string(command), a.CWD, a.Workspace, text(a.Agent), text(a.Host), text(a.RunFile),
		a.Wrapper.MachineID, a.Wrapper.BootID, int64(a.Wrapper.PIDNamespace), a.Wrapper.PID, int64(a.Wrapper.StartTicks),
		string(a.begins()), a.At.WallMS, a.At.AwakeMS, a.BeatMS, a.At.WallMS, a.At.AwakeMS, a.At.BootID, number(a.NotBeforeMS), text(a.WaitsFor))
}

// begins is the state of the row that is announced.
func (a Announcement) begins() lifecycle.ProcessEnd {
	if a.Queued {
		return lifecycle.EndQueued
	}
	return lifecycle.EndRunning
}

// announcedPayload is what the event of an announcement says besides.
func announcedPayload(a Announcement) []byte {
	if a.Queued {
		return []byte(`{"queued":true}`)
	}
	return nil
}

// Launched writes down the child of an announced execution. Doing it twice
// changes nothing. A missing row is ErrNotFound; one that has ended with its
// end known is left alone.
func (l *Ledger) Launched(ctx context.Context, launch Launch) error {
	return l.write(ctx, "record launch of execution", launch.UID, func(tx *sql.Tx) error {
		return launched(ctx, tx, launch)
	})
}

// launched fills the row once. A row that was given up as lost takes it too:
// its wrapper is about to report the real end.
func launched(ctx context.Context, tx *sql.Tx, launch Launch) error {
	changed, err := one(ctx, tx, `UPDATE executions SET `+launchSet+`
		WHERE uid = ? AND started_at IS NULL AND "end" IN ('queued', 'running', 'lost')`, append(launchValues(launch), launch.UID)...)
	if err != nil {
		return err
	}
	if !changed {
		_, err := findOwner(ctx, tx, launch.UID)
		return err
	}
	return note(ctx, tx, startNote(launch))
}

// launchSet are the columns of a launch.
const launchSet = `child_pid = ?, child_start = ?, monitor_pid = ?, monitor_start = ?, pgid = ?, sid = ?, tty = ?, cgroup = ?,
	started_at = max(created_at, min(?, COALESCE(ended_at, ?))), started_awake = ?`

// launchValues are the values for launchSet.
func launchValues(l Launch) []any {
	return []any{
		number(l.Child.PID), int64(l.Child.StartTicks), number(l.Monitor.PID), int64(l.Monitor.StartTicks),
		number(l.PGID), number(l.SID), text(l.TTY), text(l.Cgroup), l.At.WallMS, l.At.WallMS, l.At.AwakeMS,
	}
}

// startNote is the event of a launch.
func startNote(l Launch) Event {
	return Event{UID: l.UID, Type: lifecycle.EventStarted, AtMS: l.At.WallMS}
}

// owner is what decides whose row it is and whether it may still change.
type owner struct {
	generation int64
	end        lifecycle.ProcessEnd
	boot       string
	machine    string
	pid        int
	namespace  int64
	start      int64
}

// wrappedBy says whether the row belongs to the wrapper.
func (o owner) wrappedBy(w Identity) bool {
	return o.pid == w.PID && o.start == int64(w.StartTicks) && o.boot == w.BootID &&
		o.machine == w.MachineID && o.namespace == int64(w.PIDNamespace)
}

// owner reads whose row it is, or ErrNotFound.
func (l *Ledger) owner(ctx context.Context, uid string) (o owner, err error) {
	err = l.patiently(ctx, func() error {
		o, err = findOwner(ctx, l.db, uid)
		return err
	})
	return o, l.failed("read whose is execution", uid, err)
}

// notOurs refuses a writer that is not the wrapper of the row.
func (o owner) notOurs() error { return fmt.Errorf("%w: process %d", ErrNotOurs, o.pid) }

// findOwner reads the row of uid, or ErrNotFound.
func findOwner(ctx context.Context, q rowQuerier, uid string) (owner, error) {
	var o owner
	err := q.QueryRowContext(ctx, `SELECT generation, "end", machine_id, boot_id, pid_namespace, wrapper_pid, wrapper_start
		FROM executions WHERE uid = ?`, uid).
		Scan(&o.generation, &o.end, &o.machine, &o.boot, &o.namespace, &o.pid, &o.start)
	if errors.Is(err, sql.ErrNoRows) {
		return o, ErrNotFound
	}
	return o, err
}
