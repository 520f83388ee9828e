package store

import (
	"context"
	"database/sql"
)

// SettleHost writes down that the end of an execution stands in its host's row.
// Doing it twice changes nothing.
func (l *Ledger) SettleHost(ctx context.Context, uid string) error {
	return l.write(ctx, "settle host row of execution", uid, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE executions SET host_settled = 1
			WHERE uid = ? AND host IS NOT NULL AND host_settled = 0 AND ended_at IS NOT NULL`, uid)
		return err
	})
}

// HostUnsettled lists the ended executions whose end does not stand in their
// host's row yet, those that ended between two wall times, in milliseconds.
func (l *Ledger) HostUnsettled(ctx context.Context, fromMS, toMS int64) ([]Execution, error) {
	found, err := l.executions(ctx, selectExecution+` WHERE host IS NOT NULL AND host_settled = 0
		AND ended_at BETWEEN ? AND ? ORDER BY ended_at`, fromMS, toMS)
	return found, l.failed("read executions of", l.path, err)
}
