package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// foreignMost bounds the rows read of another program's database.
const foreignMost = 1000

// ReadForeign runs a query for one text column on another program's SQLite
// database, which is opened for reading alone, and gives its first 1000 rows. It
// waits for nobody.
func ReadForeign(ctx context.Context, path, query string, args ...any) (rows []string, err error) {
	escaped := escapePath(path)
	connector, err := sqlite.NewConnector("file:" + escaped + "?mode=ro&_pragma=query_only(1)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() && len(rows) < foreignMost {
		var text sql.NullString
		if err := found.Scan(&text); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		rows = append(rows, text.String)
	}
	return rows, found.Err()
}
