package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
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

// Unnoted is a database that forgets what its transactions note: the same
// statements but those of the audit trail, for benchmarks. The program has no
// such thing.
type Unnoted struct{ *DB }

// Read is that of the database without its entries.
func (u Unnoted) Read(ctx context.Context, who auth.Principal, fn func(care.Reader) error) error {
	return u.read.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		if err := u.dialect.enter(g, who.Clinic, nil); err != nil {
			return err
		}
		return fn(u.on(g))
	}, u.dialect.snapshot)
}

// Write is that of the database without its entries.
func (u Unnoted) Write(ctx context.Context, who auth.Principal, fn func(care.Tx) error) error {
	return u.enter(ctx, who.Clinic, nil, func(tx *DB) error { return fn(tx) })
}

// Reaches says of a table whether it is known whose its rows are: a client's,
// or nobody's.
func Reaches(table string) (ofClients, ofNone bool) {
	_, ofClients = clientColumn[table]
	return ofClients, ofNoClient[table]
}

// Select reads a table as every method of the store does.
func (d *DB) Select(ctx context.Context, who auth.Principal, table string) error {
	var rows []map[string]any
	return d.inClinic(ctx, who.Clinic, func(tx *DB) error { return tx.of(ctx, who, table).Find(&rows).Error })
}

// Scan reads the numbers of a query row by row, as the store reads what there is
// much of.
func (d *DB) Scan(ctx context.Context, clinic uuid.UUID, each func(n int) error, query string) error {
	return d.inClinic(ctx, clinic, func(tx *DB) error {
		return scanRows(tx.read.WithContext(ctx).Raw(query), "numbers", func(rows *sql.Rows) error {
			var n int
			return errors.Join(rows.Scan(&n), each(n))
		})
	})
}
