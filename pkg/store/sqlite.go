package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"
)

// pragma is a setting that every connection must have, in the order in which
// they must be set: the patience before anything that may have to wait.
type pragma struct{ name, set, want string }

func pragmas(readOnly bool) []pragma {
	out := []pragma{
		{"busy_timeout", "10000", "10000"},
		{"journal_mode", "wal", "wal"},
		{"synchronous", "full", "2"}, // an acknowledged answer survives a power cut
		{"foreign_keys", "on", "1"},
		{"trusted_schema", "off", "0"},
		{"secure_delete", "on", "1"},
		{"recursive_triggers", "on", "1"},
	}
	if readOnly {
		out = append(out, pragma{"query_only", "on", "1"})
	}
	return out
}

// leastReaders is enough for the exports and figures that a server admits at
// once, and one more for everybody else.
const leastReaders = 6

// leastSQLite is the first version without the WAL-reset corruption bug.
const leastSQLite = "3.51.3"

// openSQLite opens one connection that writes and a pool that reads, so that
// a long export does not block the clinic and no write has to be repeated.
func openSQLite(ctx context.Context, cfg Config) (*DB, error) {
	path := strings.TrimPrefix(cfg.URL, "sqlite://")
	if path == "" || strings.ContainsAny(path, "?#") {
		return nil, errors.New("the SQLite URL reads sqlite:///path/file.db, without parameters")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	if _, err := os.Stat(path); cfg.MustExist && err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the database's folder: %w", err)
	}
	// Create it before SQLite does, readable by this user alone, and the index
	// of its log. The log itself takes the file's mode: see modeof.
	for _, name := range []string{path, path + "-shm"} {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("open SQLite: %w", err)
		}
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("open SQLite: %w", err)
		}
	}
	writer, err := sqlitePool(ctx, path, cfg.VFS, false, 1)
	if err != nil {
		return nil, err
	}
	reader, err := sqlitePool(ctx, path, cfg.VFS, true, max(leastReaders, runtime.NumCPU()))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	probe, err := sqlitePool(ctx, path, cfg.VFS, true, 1)
	if err != nil {
		return nil, errors.Join(err, writer.Close(), reader.Close())
	}
	d := &DB{dialect: sqliteDialect, keys: cfg.FieldKeys, probe: probe, inPlace: sameFile(path)}
	d.dialect.migrator = fileLockedMigrator(path + ".migrate.lock")
	for pool, into := range map[*sql.DB]**gorm.DB{writer: &d.write, reader: &d.read} {
		g, err := gorm.Open(translating{gormlite.OpenDB(pool), sqliteAway}, gormConfig(cfg))
		if err != nil {
			return nil, errors.Join(err, writer.Close(), reader.Close())
		}
		*into = g
	}
	return d, nil
}

// liftSQLiteTrigger drops a trigger, and puts it back as its migration made it.
func liftSQLiteTrigger(tx *gorm.DB, _, trigger string) (func() error, error) {
	var definition string
	if err := tx.Raw("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", trigger).Scan(&definition).Error; err != nil {
		return nil, err
	}
	return func() error { return tx.Exec(definition).Error }, tx.Exec("DROP TRIGGER " + trigger).Error
}

// compactSQLite empties the log into the file, where secure_delete has wiped
// what was overwritten.
func compactSQLite(db *gorm.DB) error {
	var result struct{ Busy int }
	if err := db.Raw("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&result).Error; err != nil {
		return err
	}
	if result.Busy != 0 {
		return errors.New("another program reads the database: stop it and repeat this")
	}
	return nil
}

// sameFile notices that the database was moved or removed under the server:
// what is written then is not where the operator looks for it.
func sameFile(path string) func() error {
	opened, err := os.Stat(path)
	return func() error {
		if err != nil {
			return err
		}
		now, err := os.Stat(path)
		if err == nil && !os.SameFile(opened, now) {
			err = errors.New("the database file is another than the one that was opened")
		}
		return err
	}
}

func sqlitePool(ctx context.Context, path, vfs string, readOnly bool, size int) (*sql.DB, error) {
	params := url.Values{"_timefmt": {"unixepoch_micro"}, "modeof": {path}}
	if !readOnly {
		params.Set("_txlock", "immediate")
	}
	if vfs != "" {
		params.Set("vfs", vfs)
	}
	dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: params.Encode()}).String()
	pool, err := driver.Open(dsn, func(c *sqlite3.Conn) error { return prepareConn(c, readOnly) })
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), pool.Close())
	}
	return pool, nil
}

// prepareConn sets the pragmas of a new connection and reads each back: an
// option that SQLite does not know is ignored without a word.
func prepareConn(c *sqlite3.Conn, readOnly bool) error {
	version, err := scalar(c, "SELECT sqlite_version()")
	if err != nil {
		return err
	}
	if !atLeast(version, leastSQLite) {
		return fmt.Errorf("SQLite %s can corrupt its log; %s is the oldest that may be used", version, leastSQLite)
	}
	for _, p := range pragmas(readOnly) {
		if err := patiently(func() error { return c.Exec("PRAGMA " + p.name + " = " + p.set) }); err != nil {
			return fmt.Errorf("set %s: %w", p.name, err)
		}
	}
	for _, p := range pragmas(readOnly) {
		got, err := scalar(c, "PRAGMA "+p.name)
		if err != nil {
			return err
		}
		if got != p.want {
			return fmt.Errorf("SQLite has %s = %s instead of %s", p.name, got, p.want)
		}
	}
	return nil
}

// patiently waits while another server turns the same new file into a log:
// SQLite's own patience does not cover that.
func patiently(set func() error) error {
	for range 500 {
		err := set()
		if !errors.Is(err, sqlite3.BUSY) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return set()
}

func scalar(c *sqlite3.Conn, query string) (string, error) {
	stmt, _, err := c.Prepare(query)
	if err != nil {
		return "", fmt.Errorf("%s: %w", query, err)
	}
	value := ""
	if stmt.Step() {
		value = stmt.ColumnText(0)
	}
	if err := stmt.Close(); err != nil {
		return "", fmt.Errorf("%s: %w", query, err)
	}
	return value, nil
}

// atLeast compares dotted version numbers.
func atLeast(version, least string) bool {
	var a, b [3]int
	_, _ = fmt.Sscanf(version, "%d.%d.%d", &a[0], &a[1], &a[2])
	_, _ = fmt.Sscanf(least, "%d.%d.%d", &b[0], &b[1], &b[2])
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return true
}
