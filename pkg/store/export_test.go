package store

import "database/sql"

// Pools gives tests the pools behind a database: SQLite has one to read and
// one to write, PostgreSQL one for both.
func (d *DB) Pools() (read, write *sql.DB) {
	pools := d.pools()
	return pools[len(pools)-1], pools[0]
}
