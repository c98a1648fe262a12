package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
)

// Pools gives tests the pools behind a database: SQLite has one to read and
// one to write, PostgreSQL one for both.
func (d *DB) Pools() (read, write *sql.DB) {
	pools := d.pools()
	return pools[len(pools)-1], pools[0]
}

// Inside runs any SQL in a transaction that names a clinic, or shows a
// credential, as the store's own transactions do: what a query would see whose
// condition was forgotten. The transaction is rolled back.
func (d *DB) Inside(ctx context.Context, clinic uuid.UUID, credential []byte, fn func(*sql.Tx)) error {
	undo := errors.New("rolled back")
	err := d.enter(ctx, clinic, credential, func(tx *DB) error {
		conn, ok := tx.write.Statement.ConnPool.(*sql.Tx)
		if !ok {
			return errors.New("this is no transaction")
		}
		fn(conn)
		return undo
	})
	if errors.Is(err, undo) {
		return nil
	}
	return err
}
