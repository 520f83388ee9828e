package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// forgetBatch is how many rows are forgotten in one transaction: few enough that
// no beat waits for longer than a moment.
const forgetBatch = 500

// Forgotten counts rows that were, or would be, forgotten.
type Forgotten struct {
	Executions int
	Workflows  int
}

// forgettable are the executions x that ended before wall time ?1 and that nobody
// needs any more: none of the list ?2, none that works on a workflow that is open
// or was closed since, none that a live execution was started in.
const forgettable = `FROM executions x WHERE x.created_at < ?1 AND x.ended_at < ?1
	AND x.uid NOT IN (SELECT value FROM json_each(?2))
	AND NOT EXISTS (SELECT 1 FROM workflows w WHERE (w.ended_at IS NULL OR w.ended_at >= ?1)
		AND (w.id IN (x.workflow_id, x.flow_id) OR w.id IN (SELECT workflow_id FROM events l WHERE l.uid = x.uid AND l.type = 'workflow_linked')))
	AND NOT EXISTS (SELECT 1 FROM executions c WHERE c.ended_at IS NULL AND c.parent_uid = x.uid)`

// forsaken are the workflows w that were closed before wall time ?1 and that no
// execution, other than those of the list ?2, ever worked on.
const forsaken = `FROM workflows w WHERE w.ended_at < ?1
	AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.workflow_id = w.id AND x.uid NOT IN (SELECT value FROM json_each(?2)))
	AND NOT EXISTS (SELECT 1 FROM executions x WHERE x.flow_id = w.id AND x.uid NOT IN (SELECT value FROM json_each(?2)))
	AND NOT EXISTS (SELECT 1 FROM events l JOIN executions x USING (uid) WHERE l.workflow_id = w.id AND l.type = 'workflow_linked'
		AND x.uid NOT IN (SELECT value FROM json_each(?2)))`

// Forgettable counts what Forget would forget, without changing anything.
func (l *Ledger) Forgettable(ctx context.Context, beforeMS int64, spare []string) (f Forgotten, err error) {
	uids, err := names(ctx, l.db, `SELECT x.uid `+forgettable, beforeMS, list(spare))
	if err == nil {
		f.Executions = len(uids)
		var ids []string
		ids, err = names(ctx, l.db, `SELECT w.id `+forsaken, beforeMS, list(uids))
		f.Workflows = len(ids)
	}
	return f, l.failed("count old executions of", l.path, err)
}

// Forget removes the executions that ended before a wall time, in milliseconds,
// with their turns and events, and then the workflows closed before it that no
// execution is left of. What is still needed is kept, whatever its age: the
// executions spared by name, those that work on a workflow that is kept, those
// that live ones were started in.
//
// History cannot be removed in any other way: the ledger refuses it. These
// transactions take the refusal away and put it back, and nobody sees the ledger
// without it.
func (l *Ledger) Forget(ctx context.Context, beforeMS int64, spare []string) (f Forgotten, err error) {
	for more := true; more && err == nil; {
		err = l.write(ctx, "forget old executions of", l.path, func(tx *sql.Tx) error {
			uids, err := names(ctx, tx, `SELECT x.uid `+forgettable+` ORDER BY x.n LIMIT ?3`, beforeMS, list(spare), forgetBatch)
			f.Executions, more = f.Executions+len(uids), len(uids) == forgetBatch
			if err != nil || len(uids) == 0 {
				return err
			}
			return unguarded(ctx, tx, list(uids), `DELETE FROM turns WHERE uid IN (SELECT value FROM json_each(?))`,
				`DELETE FROM events WHERE workflow_id IS NULL AND uid IN (SELECT value FROM json_each(?))`,
				`DELETE FROM executions WHERE uid IN (SELECT value FROM json_each(?))`)
		})
	}
	for more := err == nil; more && err == nil; {
		err = l.write(ctx, "forget old workflows of", l.path, func(tx *sql.Tx) error {
			ids, err := names(ctx, tx, `SELECT w.id `+forsaken+` LIMIT ?3`, beforeMS, list(nil), forgetBatch)
			f.Workflows, more = f.Workflows+len(ids), len(ids) == forgetBatch
			if err != nil || len(ids) == 0 {
				return err
			}
			return unguarded(ctx, tx, list(ids), `DELETE FROM events WHERE workflow_id IN (SELECT value FROM json_each(?))`,
				`DELETE FROM workflows WHERE id IN (SELECT value FROM json_each(?))`)
		})
	}
	return f, err
}

// list is names as the JSON array that json_each takes.
func list(names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(names) // strings always encode
	return string(b)
}

// names runs a query for one column of text.
func names(ctx context.Context, q querier, query string, args ...any) (found []string, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		found = append(found, name)
	}
	return found, rows.Err()
}

// unguarded runs statements with one argument while nothing refuses a deletion.
func unguarded(ctx context.Context, tx *sql.Tx, arg string, statements ...string) error {
	guards, err := names(ctx, tx, `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE DELETE ON%'`)
	if err != nil {
		return err
	}
	restore, err := names(ctx, tx, `SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%BEFORE DELETE ON%'`)
	if err != nil {
		return err
	}
	for _, name := range guards {
		if _, err := tx.ExecContext(ctx, `DROP TRIGGER "`+name+`"`); err != nil {
			return err
		}
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s, arg); err != nil {
			return err
		}
	}
	for _, s := range restore {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
