//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // for Raw
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store"
)

// Database is a migrated database that belongs to one test.
type Database struct {
	*DB
	Dialect    string // "sqlite" or "postgres"
	URL        string
	Statements *Statements // what the store asks of it
}

// Each runs a test on SQLite and on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, d *Database)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgreSQL(t)) })
}

// SQLite opens a new SQLite file.
func SQLite(t testing.TB) *Database {
	t.Helper()
	d := Open(t, SQLiteURL(t))
	if _, err := d.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}

// SQLiteURL names a file that does not exist yet.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "protrack.db")
}

// PostgreSQL opens a new PostgreSQL database.
func PostgreSQL(t testing.TB) *Database {
	t.Helper()
	return Open(t, PostgresTemplate(t, "storetest", func(url string) error {
		db, err := store.Open(context.Background(), store.Config{URL: url, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		if _, err := db.Migrate(context.Background()); err != nil {
			return err
		}
		return db.Close()
	}))
}

// Open opens a database as it is. It is closed when the test ends.
func Open(t testing.TB, url string) *Database {
	t.Helper()
	return openWith(t, url, nil)
}

// With opens the same database once more, as a server with field keys does.
func (d *Database) With(t testing.TB, keys *seal.Keys) *Database {
	t.Helper()
	return openWith(t, d.URL, keys)
}

func openWith(t testing.TB, url string, keys *seal.Keys) *Database {
	t.Helper()
	d := &Database{URL: url, Statements: &Statements{}}
	d.Dialect, _, _ = strings.Cut(url, ":")
	db, err := store.Open(context.Background(), store.Config{
		URL: url, FieldKeys: keys, Log: slog.New(slog.DiscardHandler), Trace: d.Statements.add,
	})
	if err != nil {
		t.Fatal(err)
	}
	d.DB = &DB{db}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// Raw opens the database behind the store's back.
func (d *Database) Raw(t testing.TB) *sql.DB {
	t.Helper()
	name, source := "pgx", d.URL
	if path, ok := strings.CutPrefix(d.URL, "sqlite://"); ok {
		name = "sqlite3"
		source = "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"
	}
	raw, err := sql.Open(name, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	return raw
}

// Tables lists the tables of the record, without the table of versions.
func (d *Database) Tables(t testing.TB, raw *sql.DB) []string {
	t.Helper()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'goose_db_version'"
	if d.Dialect == "sqlite" {
		query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'goose_db_version'"
	}
	rows := texts(t, raw, query)
	slices.Sort(rows)
	return rows
}

// Dump gives every row that a clinic has, in any table, one a line.
func (d *Database) Dump(t testing.TB, raw *sql.DB, clinic uuid.UUID) []string {
	t.Helper()
	var out []string
	for _, table := range d.Tables(t, raw) {
		column := "clinic_id"
		switch {
		case table == "clinics":
			column = "id"
		case table == "web_sessions" || strings.HasPrefix(table, "audit_"):
			continue // of no clinic yet; and what tells of the others
		}
		out = append(out, d.Rows(t, raw, table, column+" = '"+clinic.String()+"'")...)
	}
	return out
}

// Rows gives the rows of a table that a condition holds for, sorted.
func (d *Database) Rows(t testing.TB, raw *sql.DB, table, where string) []string {
	t.Helper()
	rows := texts(t, raw, "SELECT * FROM "+table+" WHERE "+where)
	for i := range rows {
		rows[i] = table + ": " + rows[i]
	}
	slices.Sort(rows)
	return rows
}

// texts gives each row as one line, a column as name=value.
func texts(t testing.TB, raw *sql.DB, query string) []string {
	t.Helper()
	rows, err := raw.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			if len(names) == 1 {
				line = append(line, fmt.Sprint(v))
				continue
			}
			line = append(line, fmt.Sprintf("%s=%v", names[i], v))
		}
		out = append(out, strings.Join(line, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Clinic is a clinic of one test, on a database that it may share with others.
type Clinic struct {
	*Database
	Who   auth.Principal // its admin
	Care  *care.Service
	Clock *Clock
}

// Clinic founds a clinic.
func (d *Database) Clinic(t testing.TB) *Clinic {
	t.Helper()
	c := &Clinic{Database: d, Clock: &Clock{now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}}
	keys := &auth.Service{Store: d.DB.DB, Now: c.Clock.Now, NewID: NewID, Log: slog.New(slog.DiscardHandler)}
	_, secret, err := keys.Found(context.Background(), "clinic-"+NewID().String(), "")
	if err == nil {
		c.Who, err = keys.Authenticate(context.Background(), secret, auth.Origin{})
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Care = &care.Service{
		Store: d.DB.DB, Instruments: instrument.Embedded(), Now: c.Clock.Now, NewID: NewID, Log: slog.New(slog.DiscardHandler),
	}
	return c
}

// NewID makes an id.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Clock is a clinic's time. It moves on by a millisecond with each look, so
// that what happens later is stored later.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

// Set moves the clock, forwards or back.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Statements records what the store asks of its database.
type Statements struct {
	mu   sync.Mutex
	sql  []string
	hook func(sql string)
}

func (s *Statements) add(sql string) {
	s.mu.Lock()
	s.sql = append(s.sql, sql)
	hook := s.hook
	s.mu.Unlock()
	if hook != nil {
		hook(sql)
	}
}

// Take returns the statements since the last call.
func (s *Statements) Take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.sql
	s.sql = nil
	return out
}

// Hook has a function called after each statement; nil ends that.
func (s *Statements) Hook(after func(sql string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = after
}

// Long reports whether tests run at their full size.
func Long() bool { return long }

// Size gives the small size of a test, or its full one.
func Size(small, full int) int {
	if Long() {
		return full
	}
	return small
}
