// Package store keeps the record in SQLite or PostgreSQL through GORM. It is
// the only place that knows GORM, SQL or a dialect.
//
// Row structs are private; two named functions beside each convert to and
// from the domain. Every query of a clinic's data starts from of(), which puts
// the principal's clinic and reach into the condition, and every row that is
// inserted carries the clinic; a principal without a clinic is an error, never
// "all clinics". On PostgreSQL row-level security is a second wall: each
// transaction names its clinic, and without that the database refuses.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
)

// DB is an open database. It implements care.Store, care.Tx and auth.Store.
type DB struct {
	read, write *gorm.DB // the same inside a transaction, and on PostgreSQL
	probe       *sql.DB  // one connection that no request can keep busy
	inPlace     func() error
	owner       func() (*sql.DB, error) // connections of the schema's owner; nil: the writer's
	renew       func()                  // has new connections opened after a migration
	dialect     dialect
	keys        *seal.Keys // nil: names and references are stored plain
	trail       *trail     // of a transaction: what it does; nil outside of one
	touched     touched    // of a transaction: whose outlines it has to write anew; nil outside of one
	people      people     // of a transaction: whose records it knows; nil outside of one
}

var (
	_ care.Store = (*DB)(nil)
	_ care.Tx    = (*DB)(nil)
	_ auth.Store = (*DB)(nil)
)

// Config says which database to open and how.
type Config struct {
	// URL is sqlite:///path/file.db or postgres://user@host/database.
	URL string
	// OwnerURL, where set, is the URL of the PostgreSQL user who owns the
	// schema and migrates it; URL is then that of one who does not.
	OwnerURL string
	// MustExist refuses to make a SQLite file that is not there.
	MustExist bool
	// FieldKeys, where set, seal clients' names and references at rest.
	FieldKeys *seal.Keys
	// Log receives failed statements, without the values bound to them.
	Log *slog.Logger
	// Trace, where set, is called after each statement with its SQL and
	// placeholders. Tests count with it.
	Trace func(sql string)
	// VFS, where set, names the SQLite file system to use. Tests count
	// fsyncs with it.
	VFS string
}

// Open opens the database. It neither migrates nor checks the schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	switch {
	case strings.HasPrefix(cfg.URL, "sqlite://"):
		return openSQLite(ctx, cfg)
	case strings.HasPrefix(cfg.URL, "postgres://"), strings.HasPrefix(cfg.URL, "postgresql://"):
		return openPostgres(ctx, cfg)
	}
	return nil, errors.New("the database URL starts with sqlite:// or postgres://")
}

// gormConfig is the same for both dialects: no hidden transactions, no
// statement cache over the driver's own, errors translated, values kept out
// of the log.
func gormConfig(cfg Config) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		PrepareStmt:            false,
		TranslateError:         true,
		DisableAutomaticPing:   true,
		QueryFields:            true, // columns by name: a newer schema may have more
		Logger:                 &statementLog{log: cfg.Log, trace: cfg.Trace},
	}
}

// statementLog hands GORM's reports to slog. SQL reaches it with
// placeholders, for it implements ParamsFilter.
type statementLog struct {
	log   *slog.Logger
	trace func(string)
}

var _ gorm.ParamsFilter = (*statementLog)(nil)

func (l *statementLog) LogMode(logger.LogLevel) logger.Interface { return l }
func (l *statementLog) Info(context.Context, string, ...any)     {}
func (l *statementLog) Warn(context.Context, string, ...any)     {}
func (l *statementLog) Error(ctx context.Context, msg string, _ ...any) {
	l.log.ErrorContext(ctx, "database", "message", msg)
}

// ParamsFilter drops the values: they are clients' answers.
func (l *statementLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

// numbered is a placeholder of PostgreSQL as GORM leaves it without a value.
var numbered = regexp.MustCompile(`\$(\d+)\$`)

// Trace reports a statement that was sent.
func (l *statementLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	failed := err != nil && !errors.Is(err, gorm.ErrRecordNotFound) && !errors.Is(err, context.Canceled)
	if l.trace == nil && !failed {
		return
	}
	text, _ := statement()
	text = numbered.ReplaceAllString(text, "$$$1")
	if l.trace != nil {
		l.trace(text)
	}
	if failed {
		seconds := time.Since(begin).Seconds() //nolint:forbidigo // a stopwatch
		l.log.WarnContext(ctx, "statement failed", "sql", text, "seconds", seconds, "kind", fault.KindOf(err))
	}
}

// Ping asks the database whether it answers.
// It has a connection of its own: a busy pool is no database that is away.
func (d *DB) Ping(ctx context.Context) error {
	_, err := d.probe.ExecContext(ctx, "SELECT 1")
	if err == nil {
		err = d.inPlace()
	}
	if err != nil {
		return fault.New(fault.Unavailable, "The database does not answer.").Because(err)
	}
	return nil
}

// Close closes all connections.
func (d *DB) Close() error {
	errs := []error{d.probe.Close()}
	for _, db := range d.pools() {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}

func (d *DB) pools() []*sql.DB {
	var out []*sql.DB
	for _, g := range []*gorm.DB{d.write, d.read} {
		if db, err := g.DB(); err == nil && (len(out) == 0 || out[0] != db) {
			out = append(out, db)
		}
	}
	return out
}

// one reads a single row; NotFound if there is none.
func one[T any](query *gorm.DB, what string) (T, error) {
	var row T
	err := query.Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fault.New(fault.NotFound, "There is no such "+what+".")
	}
	if err != nil {
		return row, fmt.Errorf("read %s: %w", what, err)
	}
	return row, nil
}

// all reads every row that a query finds.
func all[T any](query *gorm.DB, what string) ([]T, error) {
	var rows []T
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	return rows, nil
}

// history reads the current version of a thing and its first.
func history[T any](query *gorm.DB, what string) (current, original T, err error) {
	rows, err := all[T](query.Where("version = 1 OR superseded_at IS NULL").Order("version"), what)
	if err != nil {
		return current, original, err
	}
	if len(rows) == 0 {
		return current, original, fault.New(fault.NotFound, "There is no such "+what+".")
	}
	return rows[len(rows)-1], rows[0], nil
}

// convert applies a converter to every row.
func convert[R, D any](rows []R, to func(R) D) []D {
	out := make([]D, len(rows))
	for i, r := range rows {
		out[i] = to(r)
	}
	return out
}

// scanRows hands each row of a query to scan. GORM reads no rows here, and so
// does not say either what an error on the way means.
func scanRows(query *gorm.DB, what string, scan func(*sql.Rows) error) (err error) {
	defer func() {
		if err == nil {
			return
		}
		if says, ok := query.Dialector.(gorm.ErrorTranslator); ok {
			err = says.Translate(err)
		}
		err = fmt.Errorf("read %s: %w", what, err)
	}()
	rows, err := query.Rows()
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
