package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"github.com/protrack/protrack/migrations"
	"github.com/protrack/protrack/pkg/fault"
)

// migrator runs fn with a goose provider while no other server migrates.
type migrator func(ctx context.Context, db *sql.DB, files fs.FS, fn func(*goose.Provider) error) error

// sessionLockedMigrator holds a PostgreSQL advisory lock.
func sessionLockedMigrator(_ context.Context, db *sql.DB, files fs.FS, fn func(*goose.Provider) error) error {
	// It is asked for each second, for five minutes; goose itself would sleep
	// for five seconds, and as often as there are servers before this one.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("lock for migration: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	return fn(provider)
}

// fileLockedMigrator holds a lock on a file beside the database.
func fileLockedMigrator(path string) migrator {
	return func(ctx context.Context, db *sql.DB, files fs.FS, fn func(*goose.Provider) error) (err error) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		file := flock.New(path)
		if _, err := file.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			return fmt.Errorf("lock for migration: %w", err)
		}
		defer func() {
			if unlock := file.Close(); err == nil {
				err = unlock
			}
		}()
		versions, err := database.NewStore(goose.DialectSQLite3, goose.DefaultTablename)
		if err != nil {
			return fmt.Errorf("read migrations: %w", err)
		}
		provider, err := goose.NewProvider("", db, files, goose.WithStore(sqliteVersions{versions}), goose.WithAllowOutofOrder(true))
		if err != nil {
			return fmt.Errorf("read migrations: %w", err)
		}
		return fn(provider)
	}
}

// sqliteVersions is goose's table of versions in SQLite. Goose itself finds
// out whether it is there by reading a text time from it, which our
// connections do not understand, and would create it a second time.
type sqliteVersions struct{ database.Store }

// TableExists asks the schema.
func (v sqliteVersions) TableExists(ctx context.Context, db database.DBTxConn) (bool, error) {
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", v.Tablename()).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for the table of versions: %w", err)
	}
	return n > 0, nil
}

// Schema is where a database stands.
type Schema struct {
	Database int64 // the version that the database has; 0 is empty
	Program  int64 // the newest version that this program knows
	Pending  bool  // the database lacks a version, perhaps one below its own
}

// Current reports whether the program may run on the database.
func (s Schema) Current() bool { return s.Database == s.Program && !s.Pending }

// Newest is the newest version of the schema that the program knows.
func Newest() (int64, error) {
	files, err := fs.ReadDir(migrations.Files, "sqlite") // both dialects have the same
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	version, err := goose.NumericComponent(files[len(files)-1].Name())
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	return version, nil
}

// Migrate brings the schema to the newest version that the program knows.
// Several servers may call it at once. It refuses a schema that is newer
// than the program.
func (d *DB) Migrate(ctx context.Context) (Schema, error) {
	var out Schema
	err := d.withMigrations(ctx, func(p *goose.Provider) error {
		before, err := schemaOf(ctx, p)
		if err != nil {
			return err
		}
		if before.Database > before.Program {
			return errNewerSchema(before)
		}
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		// A newer server may have migrated while this one waited for the lock.
		if out, err = schemaOf(ctx, p); err == nil && out.Database > out.Program {
			err = errNewerSchema(out)
		}
		return err
	})
	if err == nil {
		err = d.wall(ctx)
	}
	return out, err
}

// Schema tells where the database stands, without changing it but for the
// table of versions.
func (d *DB) Schema(ctx context.Context) (Schema, error) {
	var out Schema
	err := d.withMigrations(ctx, func(p *goose.Provider) (err error) {
		out, err = schemaOf(ctx, p)
		return err
	})
	return out, err
}

// CheckSchema refuses a database whose schema is not the program's.
func (d *DB) CheckSchema(ctx context.Context) error {
	s, err := d.Schema(ctx)
	if err != nil {
		return err
	}
	switch {
	case s.Database > s.Program:
		return errNewerSchema(s)
	case !s.Current():
		return fault.New(fault.Unavailable, fmt.Sprintf("The database has schema %d and needs %d: run protrack migrate.", s.Database, s.Program))
	}
	return d.wall(ctx)
}

func errNewerSchema(s Schema) error {
	return fault.New(fault.Unavailable, fmt.Sprintf("The database has schema %d, but this program knows only %d: install a newer protrack.", s.Database, s.Program))
}

func (d *DB) withMigrations(ctx context.Context, fn func(*goose.Provider) error) error {
	files, err := fs.Sub(migrations.Files, d.dialect.name)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if d.owner == nil {
		db, err := d.write.DB()
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		return d.dialect.migrator(ctx, db, files, fn)
	}
	db, err := d.owner()
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return d.dialect.migrator(ctx, db, files, fn)
}

// wall makes sure that row-level security holds, where there is one.
func (d *DB) wall(ctx context.Context) error {
	if d.renew == nil {
		return nil
	}
	d.renew()
	db, err := d.write.DB()
	if err != nil {
		return fmt.Errorf("check row-level security: %w", err)
	}
	return checkWall(ctx, db)
}

func schemaOf(ctx context.Context, p *goose.Provider) (Schema, error) {
	database, err := p.GetDBVersion(ctx)
	if err != nil {
		return Schema{}, fmt.Errorf("read the schema's version: %w", err)
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return Schema{}, fmt.Errorf("read the schema's version: %w", err)
	}
	sources := p.ListSources()
	return Schema{Database: database, Program: sources[len(sources)-1].Version, Pending: pending}, nil
}
