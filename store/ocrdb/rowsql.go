package ocrdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// write does what was decided.
func (r *Row) write(ctx context.Context, tx *sql.Tx, s schema, act action) (bool, error) {
	if act == actInsert {
		return true, r.insert(ctx, tx, s)
	}
	set := r.assignments(s, act)
	if len(set.columns) == 0 {
		return false, nil
	}
	guard := unfinished
	if act != actBeat {
		// An end that stands was judged in this very transaction.
		guard = "TRUE"
	}
	return set.update(ctx, tx, guard, r.known.UID, r.id)
}

// unfinished is the state every end starts from.
const unfinished = "finished_at IS NULL AND exit_code IS NULL"

// columns is a list of assignments or columns with their values, of those that
// the table has.
type columns struct {
	schema  schema
	columns []string
	values  []any
}

// add takes up a column if the table has it.
func (c *columns) add(column, sql string, value any) {
	if c.schema.executions[column] {
		c.columns, c.values = append(c.columns, sql), append(c.values, value)
	}
}

// update sets them in one row that the guard allows, and says whether it did.
func (c *columns) update(ctx context.Context, tx *sql.Tx, guard, uid string, id int64) (bool, error) {
	query := []string{"UPDATE command_executions SET", strings.Join(c.columns, ", "), "WHERE uid = ? AND id = ? AND", guard}
	res, err := tx.ExecContext(ctx, strings.Join(query, " "), append(c.values, uid, id)...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// assignments is what an update sets. What others may have written first, the
// workflow and the agent's session, stays.
func (r *Row) assignments(s schema, act action) *columns {
	k, set := r.known, &columns{schema: s}
	if act == actBeat {
		set.add("last_heartbeat_at", "last_heartbeat_at = ?", stamp(k.heartbeatMS))
	}
	if act == actFinish {
		set.add("exit_code", "exit_code = ?", *k.exit)
		set.add("finished_at", "finished_at = ?", stamp(k.finishedMS))
		set.add("vendor_session_id", "vendor_session_id = coalesce(vendor_session_id, ?)", text(k.vendorID))
	}
	if act != actNote && r.linked {
		set.add("workflow_id", "workflow_id = coalesce(workflow_id, (SELECT id FROM sessions WHERE id = ?))", k.workflowID)
	}
	if act != actBeat {
		set.add("notes", "notes = coalesce(nullif(notes, '') || char(10), '') || ?", strings.Join(k.notes, "\n"))
	}
	return set
}

// insert writes the whole row, as far as the table has columns for it.
func (r *Row) insert(ctx context.Context, tx *sql.Tx, s schema) error {
	k := r.known
	row := &columns{schema: s}
	row.add("id", "id", r.id)
	row.add("uid", "uid", k.UID)
	row.add("command", "command", commandText(k.Command))
	row.add("args", "args", argsText(k.Command))
	row.add("started_at", "started_at", stamp(k.StartedMS))
	row.add("last_heartbeat_at", "last_heartbeat_at", stamp(k.heartbeatMS))
	row.add("vendor", "vendor", text(k.Vendor))
	row.add("name", "name", text(k.Name))
	if k.exit != nil {
		row.add("exit_code", "exit_code", *k.exit)
		row.add("finished_at", "finished_at", stamp(k.finishedMS))
		row.add("vendor_session_id", "vendor_session_id", text(k.vendorID))
		row.add("notes", "notes", strings.Join(k.notes, "\n"))
	}
	marks := strings.Repeat(", ?", len(row.columns))[2:]
	if s.executions["workflow_id"] {
		row.add("workflow_id", "workflow_id", text(k.workflowID))
		marks += ", (SELECT id FROM sessions WHERE id = ?)"
	}
	query := []string{"INSERT INTO command_executions (", strings.Join(row.columns, ", "), ") VALUES (", marks, ")"}
	_, err := tx.ExecContext(ctx, strings.Join(query, " "), row.values...)
	return err
}

// text is s for a column where an empty text means unknown.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// stored is the row as it is in the database.
type stored struct {
	there       bool
	heartbeatMS int64
	over        bool
	exit        *int
	notes       string
	workflowID  string
}

// cascaded says whether it bears the mark of its workflow's close.
func (s stored) cascaded() bool { return s.over && selfCascaded(s.exit, s.notes) }

// answer is what a caller learns of it.
func (s stored) answer() Answer {
	return Answer{Over: s.over, ExitCode: s.exit, Cascaded: s.cascaded(), WorkflowID: s.workflowID}
}

// look reads the row. One that has our uid and another id, or our id and
// another uid, is not ours and fails with ErrForeign.
func (r *Row) look(ctx context.Context, q queryer, s schema) (at stored, err error) {
	var uid, heartbeat, finished, notes, workflow sql.NullString
	var id int64
	var exit sql.NullInt64
	err = q.QueryRowContext(ctx, "SELECT id, uid, exit_code, finished_at, "+
		s.orNull("last_heartbeat_at")+", "+s.orNull("notes")+", "+s.orNull("workflow_id")+
		" FROM command_executions WHERE uid = ? OR id = ? ORDER BY uid = ? DESC", r.known.UID, r.id, r.known.UID).
		Scan(&id, &uid, &exit, &finished, &heartbeat, &notes, &workflow)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return stored{}, nil
	case err != nil:
		return stored{}, unreadable(err)
	case id != r.id || uid.String != r.known.UID:
		return stored{}, fmt.Errorf("row %d of uid %s: %w", id, uid.String, ErrForeign)
	}
	at = stored{there: true, heartbeatMS: millis(heartbeat.String), over: finished.Valid || exit.Valid, notes: notes.String, workflowID: workflow.String}
	if exit.Valid {
		at.exit = new(int(exit.Int64))
	}
	return at, nil
}

// orNull names a column of command_executions, or NULL where there is none.
func (s schema) orNull(column string) string {
	if s.executions[column] {
		return column
	}
	return "NULL"
}
