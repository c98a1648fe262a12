package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// openPostgres opens one pool for reading and writing.
func openPostgres(ctx context.Context, cfg Config) (*DB, error) {
	conf, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		// pgx's text repeats the URL without its password; say less.
		return nil, errors.New("the PostgreSQL URL cannot be read")
	}
	conf.RuntimeParams["application_name"], conf.RuntimeParams["timezone"] = "protrack", "UTC"
	// Set on each connection, for a role's or a database's default could say
	// otherwise; by a statement, for PgBouncer refuses it among the parameters.
	pool := stdlib.OpenDB(*conf, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SET synchronous_commit = on")
		return err
	}))
	size := max(16, 4*runtime.NumCPU())
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(30 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(errors.New("PostgreSQL does not answer"), err, pool.Close())
	}
	probe := stdlib.OpenDB(*conf)
	probe.SetMaxOpenConns(1)
	g, err := gorm.Open(translating{postgres.New(postgres.Config{Conn: pool}), postgresAway}, gormConfig(cfg))
	if err != nil {
		return nil, errors.Join(err, pool.Close(), probe.Close())
	}
	d := &DB{read: g, write: g, dialect: postgresDialect, probe: probe, inPlace: func() error { return nil }}
	d.dialect.migrator = sessionLockedMigrator
	return d, d.checkDurability(ctx, cfg)
}

// checkDurability warns where the server may lose what it acknowledged.
func (d *DB) checkDurability(ctx context.Context, cfg Config) error {
	for _, name := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := d.read.WithContext(ctx).Raw("SELECT current_setting(?)", name).Scan(&value).Error; err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if value != "on" {
			cfg.Log.WarnContext(ctx, "PostgreSQL may lose acknowledged answers in a power cut", "setting", name, "value", value)
		}
	}
	return nil
}
