package store

import (
	"context"
	"database/sql"
	"sync"
)

// compiled are statements a ledger keeps ready, by their text. They end with the
// ledger's connection. The zero value has none.
type compiled struct {
	mu   sync.Mutex
	kept map[string]*sql.Stmt
}

// statement is the compiled form of a query, made when it is asked for first.
func (c *compiled) statement(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.kept[query]; s != nil {
		return s, nil
	}
	s, err := db.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is kept for as long as the connection
	if err != nil {
		return nil, err
	}
	if c.kept == nil {
		c.kept = map[string]*sql.Stmt{}
	}
	c.kept[query] = s
	return s, nil
}

// exec runs a query in a transaction, in its compiled form if there is one. A nil
// c has none.
func (c *compiled) exec(ctx context.Context, tx *sql.Tx, query string, args ...any) (sql.Result, error) {
	if c == nil {
		return tx.ExecContext(ctx, query, args...)
	}
	c.mu.Lock()
	s := c.kept[query]
	c.mu.Unlock()
	if s == nil {
		return tx.ExecContext(ctx, query, args...)
	}
	return tx.StmtContext(ctx, s).ExecContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
}
